package refresh

import (
	"context"
	"iter"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// Of a listing of many ranges: how many are listed at once, and what each may be ahead.
const (
	listAhead = 8   // ranges
	listChunk = 500 // Objects
)

// A chunk of a listing.
type chunk struct {
	objects []objstore.Object
	err     error
}

// listRanges yields the Objects of the ranges, which are sorted and apart, in byte order. Some ranges are listed ahead, each at most
// a few chunks.
func listRanges(ctx context.Context, r objstore.Reader, ranges []objstore.Range) iter.Seq2[objstore.Object, error] {
	if len(ranges) == 1 {
		return r.List(ctx, ranges[0])
	}
	return func(yield func(objstore.Object, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		var ahead []chan chunk
		for len(ranges) > 0 || len(ahead) > 0 {
			for len(ranges) > 0 && len(ahead) < listAhead {
				out := make(chan chunk, 1)
				go listRange(ctx, r, ranges[0], out)
				ahead, ranges = append(ahead, out), ranges[1:]
			}
			for c := range ahead[0] {
				for _, o := range c.objects {
					if !yield(o, nil) {
						return
					}
				}
				if c.err != nil {
					yield(objstore.Object{}, c.err)
					return
				}
			}
			ahead = ahead[1:]
		}
	}
}

// listRange sends the Objects of one range, then an error if there was one, and closes out.
func listRange(ctx context.Context, r objstore.Reader, rng objstore.Range, out chan<- chunk) {
	defer close(out)
	send := func(c chunk) bool {
		select {
		case out <- c:
			return true
		case <-ctx.Done():
			return false
		}
	}
	var objects []objstore.Object
	for o, err := range r.List(ctx, rng) {
		if err != nil {
			send(chunk{objects, err})
			return
		}
		if objects = append(objects, o); len(objects) == listChunk {
			if !send(chunk{objects: objects}) {
				return
			}
			objects = nil
		}
	}
	send(chunk{objects: objects})
}
