package objstoretest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"os/exec"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/objstore/objstoretest"
)

// mutants are stores with one defect each. The suite must fail on every one of them, or it tests less than it says.
var mutants = map[string]struct {
	make  func() objstore.Store
	finds string // the test of the suite that must fail
}{
	"lists folders by name":    {func() objstore.Store { return folderOrder{memstore.New()} }, "list/order"},
	"lists the end":            {func() objstore.Store { return endIncluded{memstore.New()} }, "list/ranges"},
	"lists in spite of cancel": {func() objstore.Store { return uncancelled{memstore.New()} }, "list/many"},
	"lists local times":        {func() objstore.Store { return localTimes{memstore.New()} }, "list/order"},
	"lists one page":           {func() objstore.Store { return onePage{memstore.New()} }, "list/many"},
	"past the end is EOF":      {func() objstore.Store { return eof{memstore.New()} }, "get/parts"},
	"shares its bytes":         {func() objstore.Store { return &shared{Store: memstore.New()} }, "get/parts"},
	"part has the part's size": {func() objstore.Store { return partSize{memstore.New()} }, "get/parts"},
	"reads whatever matches":   {func() objstore.Store { return noIfMatch{memstore.New()} }, "get/ifmatch"},
	"missing has no sentinel":  {func() objstore.Store { return noSentinel{memstore.New()} }, "get/missing"},
	"IfAbsent checks, then acts": {
		func() objstore.Store { return &checkThenAct{Store: memstore.New()} }, "race/ifabsent",
	},
	"IfMatch checks, then acts": {
		func() objstore.Store { return &checkThenAct{Store: memstore.New()} }, "race/counter",
	},
	"ETag is the size":       {func() objstore.Store { return sizeETag{memstore.New()} }, "put/etags"},
	"Put returns another":    {func() objstore.Store { return wrongETag{memstore.New()} }, "put/plain"},
	"reads halves":           {func() objstore.Store { return &torn{Store: memstore.New()} }, "race/readers"},
	"cleans keys":            {func() objstore.Store { return cleaned{memstore.New()} }, "keys/hostile"},
	"folds case":             {func() objstore.Store { return folded{memstore.New()} }, "keys/hostile"},
	"deletes what is below":  {func() objstore.Store { return deepDelete{memstore.New()} }, "delete/plain"},
	"delete needs an Object": {func() objstore.Store { return strictDelete{memstore.New()} }, "delete/plain"},
}

const mutantVar = "CAIRN_MUTANT"

func TestSuiteFindsMutants(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process for each mutant")
	}
	for name, mutant := range mutants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// For a test that fails there must be a process in which it may.
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMutant$/^"+strings.ReplaceAll(mutant.finds, "/", "$/^")+"$")
			cmd.Env = append(os.Environ(), mutantVar+"="+name)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || !bytes.Contains(out, []byte("--- FAIL: TestMutant/"+mutant.finds)) {
				t.Errorf("%s did not fail: %v\n%s", mutant.finds, err, out)
			}
		})
	}
}

func TestMutant(t *testing.T) {
	mutant, ok := mutants[os.Getenv(mutantVar)]
	if !ok {
		t.Skip("is run by TestSuiteFindsMutants")
	}
	objstoretest.Run(t, func(*testing.T) objstore.Store { return mutant.make() })
}

type folderOrder struct{ *memstore.Store }

func (s folderOrder) List(ctx context.Context, r objstore.Range) iter.Seq2[objstore.Object, error] {
	return func(yield func(objstore.Object, error) bool) {
		var later []objstore.Object
		for o, err := range s.Store.List(ctx, r) {
			if err == nil && !strings.Contains(o.Key, "/") {
				later = append(later, o)
			} else if !yield(o, err) {
				return
			}
		}
		for _, o := range later {
			if !yield(o, nil) {
				return
			}
		}
	}
}

type endIncluded struct{ *memstore.Store }

func (s endIncluded) List(ctx context.Context, r objstore.Range) iter.Seq2[objstore.Object, error] {
	if r.End != "" {
		r.End += "\x00"
	}
	return s.Store.List(ctx, r)
}

type uncancelled struct{ *memstore.Store }

func (s uncancelled) List(ctx context.Context, r objstore.Range) iter.Seq2[objstore.Object, error] {
	return s.Store.List(context.WithoutCancel(ctx), r)
}

type localTimes struct{ *memstore.Store }

func (s localTimes) List(ctx context.Context, r objstore.Range) iter.Seq2[objstore.Object, error] {
	return func(yield func(objstore.Object, error) bool) {
		for o, err := range s.Store.List(ctx, r) {
			o.Modified = o.Modified.In(time.FixedZone("here", 3600))
			if !yield(o, err) {
				return
			}
		}
	}
}

type onePage struct{ *memstore.Store }

func (s onePage) List(ctx context.Context, r objstore.Range) iter.Seq2[objstore.Object, error] {
	return func(yield func(objstore.Object, error) bool) {
		n := 0
		for o, err := range s.Store.List(ctx, r) {
			if n++; n > 1000 || !yield(o, err) {
				return
			}
		}
	}
}

type eof struct{ *memstore.Store }

func (s eof) Get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	body, o, err := s.Store.Get(ctx, key, off, n, ifMatch)
	if err == nil && off > 0 && off >= o.Size {
		err = fmt.Errorf("get %s: %w", key, io.EOF)
	}
	return body, o, err
}

type shared struct {
	*memstore.Store
	bodies sync.Map
}

func (s *shared) Get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	whole, o, err := s.Store.Get(ctx, key, 0, -1, ifMatch)
	if err != nil {
		return nil, o, err
	}
	kept, _ := s.bodies.LoadOrStore(o.ETag, whole)
	body := kept.([]byte)[min(off, o.Size):]
	if n >= 0 {
		body = body[:min(n, int64(len(body)))]
	}
	return body, o, nil
}

type partSize struct{ *memstore.Store }

func (s partSize) Get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	body, o, err := s.Store.Get(ctx, key, off, n, ifMatch)
	o.Size = int64(len(body))
	return body, o, err
}

type noIfMatch struct{ *memstore.Store }

func (s noIfMatch) Get(ctx context.Context, key string, off, n int64, _ string) ([]byte, objstore.Object, error) {
	return s.Store.Get(ctx, key, off, n, "")
}

type noSentinel struct{ *memstore.Store }

func (s noSentinel) Get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	body, o, err := s.Store.Get(ctx, key, off, n, ifMatch)
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("NoSuchKey")
	}
	return body, o, err
}

type checkThenAct struct{ *memstore.Store }

func (s *checkThenAct) Put(ctx context.Context, key string, body []byte, opt objstore.PutOptions) (string, error) {
	_, o, err := s.Store.Get(ctx, key, 0, 0, "")
	if opt.IfAbsent && err == nil || opt.IfMatch != "" && opt.IfMatch != o.ETag {
		return "", objstore.ErrPrecondition
	}
	time.Sleep(time.Millisecond) // the gap
	return s.Store.Put(ctx, key, body, objstore.PutOptions{})
}

type sizeETag struct{ *memstore.Store }

func (s sizeETag) Get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	body, o, err := s.Store.Get(ctx, key, off, n, ifMatch)
	o.ETag = fmt.Sprint(o.Size)
	return body, o, err
}

func (s sizeETag) List(ctx context.Context, r objstore.Range) iter.Seq2[objstore.Object, error] {
	return func(yield func(objstore.Object, error) bool) {
		for o, err := range s.Store.List(ctx, r) {
			if o.ETag = fmt.Sprint(o.Size); !yield(o, err) {
				return
			}
		}
	}
}

func (s sizeETag) Put(ctx context.Context, key string, body []byte, opt objstore.PutOptions) (string, error) {
	_, err := s.Store.Put(ctx, key, body, opt)
	return fmt.Sprint(len(body)), err
}

type wrongETag struct{ *memstore.Store }

func (s wrongETag) Put(ctx context.Context, key string, body []byte, opt objstore.PutOptions) (string, error) {
	etag, err := s.Store.Put(ctx, key, body, opt)
	return "W/" + etag, err
}

type torn struct {
	*memstore.Store
	mu sync.Mutex
}

func (s *torn) Put(ctx context.Context, key string, body []byte, opt objstore.PutOptions) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, _, err := s.Store.Get(ctx, key, 0, -1, ""); err == nil && !opt.IfAbsent && opt.IfMatch == "" {
		n := min(len(old), len(body)) / 2
		if _, err := s.Store.Put(ctx, key, append(bytes.Clone(body[:n]), old[n:]...), opt); err != nil {
			return "", err
		}
		time.Sleep(time.Millisecond)
	}
	return s.Store.Put(ctx, key, body, opt)
}

type cleaned struct{ *memstore.Store }

func (s cleaned) Put(ctx context.Context, key string, body []byte, opt objstore.PutOptions) (string, error) {
	return s.Store.Put(ctx, path.Clean(key), body, opt)
}

func (s cleaned) Get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	body, o, err := s.Store.Get(ctx, path.Clean(key), off, n, ifMatch)
	o.Key = key
	return body, o, err
}

type folded struct{ *memstore.Store }

func (s folded) Put(ctx context.Context, key string, body []byte, opt objstore.PutOptions) (string, error) {
	return s.Store.Put(ctx, strings.ToLower(key), body, opt)
}

func (s folded) Get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	body, o, err := s.Store.Get(ctx, strings.ToLower(key), off, n, ifMatch)
	o.Key = key
	return body, o, err
}

type deepDelete struct{ *memstore.Store }

func (s deepDelete) Delete(ctx context.Context, key string) error {
	for o, err := range s.Store.List(ctx, objstore.Prefixed(key)) {
		if err != nil {
			return err
		}
		if err := s.Store.Delete(ctx, o.Key); err != nil {
			return err
		}
	}
	return nil
}

type strictDelete struct{ *memstore.Store }

func (s strictDelete) Delete(ctx context.Context, key string) error {
	if _, _, err := s.Store.Get(ctx, key, 0, 0, ""); err != nil {
		return err
	}
	return s.Store.Delete(ctx, key)
}
