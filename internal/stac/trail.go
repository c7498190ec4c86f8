package stac

import "fmt"

// maxDepth bounds how deep values may be nested, in both directions. PROJJSON, the deepest that is known, needs 10.
const maxDepth = 200

// A trail is the first error of an encoder or decoder, and the way to where it was.
type trail struct {
	err   error
	depth int
}

func (t *trail) fail(format string, args ...any) {
	if t.err == nil {
		t.err = fmt.Errorf(format, args...)
	}
}

// in runs f and says where an error in it was.
func (t *trail) in(what string, f func()) {
	if t.err != nil {
		return
	}
	if f(); t.err != nil {
		t.err = fmt.Errorf("%s: %w", what, t.err)
	}
}

// nest runs f one level deeper.
func (t *trail) nest(f func()) {
	if t.depth++; t.depth > maxDepth {
		t.fail("nested more than %d deep", maxDepth)
	} else {
		f()
	}
	t.depth--
}
