package snapshot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// A FencedError: a Run may not, or no longer, publish. A later Run has claimed Head, or the Run's claim was closed.
// Repeating the step is of no use.
type FencedError struct {
	Fence uint64 // of the Run that was refused
	Head  Head   // as it is
}

func (e *FencedError) Error() string {
	switch h := e.Head; {
	case h.Claim == e.Fence && h.Closed:
		return fmt.Sprintf("fence %d was closed: its run has been settled", e.Fence)
	case h.Claim > e.Fence:
		return fmt.Sprintf("fence %d is past: fence %d has claimed the catalog", e.Fence, h.Claim)
	case h.Claim == e.Fence:
		return fmt.Sprintf("fence %d is used by another run, %s", e.Fence, h.Run)
	default:
		return fmt.Sprintf("fence %d has not claimed the catalog: fence %d has", e.Fence, h.Claim)
	}
}

// LoadHead reads Head and the ETag to swap it with; before the first Claim there is none: the zero Head and "". One read.
func LoadHead(ctx context.Context, r objstore.Reader) (Head, string, error) {
	body, obj, err := r.Get(ctx, HeadKey, 0, -1, "")
	if errors.Is(err, fs.ErrNotExist) {
		return Head{}, "", nil
	}
	var h Head
	if err == nil {
		err = decodeRecord(body, &h)
	}
	if err != nil {
		return Head{}, "", fmt.Errorf("read head: %w", err)
	}
	return h, obj.ETag, nil
}

// swapTries bounds the re-reads of one swap. Each lost one is somebody else's success, of which a Run sees two or three.
const swapTries = 50

// swapHead writes what next makes of Head, if it is still what next was given. next tells done where there is nothing to
// write (any more). After a lost reply Head is read again: if next then finds it done, it was written.
func swapHead(ctx context.Context, store objstore.Store, next func(Head) (h Head, done bool, err error)) (Head, error) {
	var lost error // what an earlier write came to
	for range swapTries {
		loaded, etag, err := LoadHead(ctx, store)
		if err != nil {
			return Head{}, errors.Join(lost, err)
		}
		h, done, err := next(loaded)
		if err != nil || done {
			return loaded, err
		}
		if lost != nil && !errors.Is(lost, objstore.ErrPrecondition) {
			return loaded, lost // it may still be under way, and the store has retried enough
		}
		h.Format = Format
		body, err := json.Marshal(h)
		if err != nil {
			return Head{}, fmt.Errorf("encode head: %w", err)
		}
		_, err = store.Put(ctx, HeadKey, body, objstore.PutOptions{IfMatch: etag, IfAbsent: etag == ""})
		if err == nil {
			return h, nil
		}
		lost = fmt.Errorf("write head: %w", err)
	}
	return Head{}, lost
}

// Claim writes fence into Head, so that from now on only this Run may publish, and returns what it claimed: the Snapshot to
// work from. Claiming again is fine. *FencedError when a later Run has claimed or this one was closed.
func Claim(ctx context.Context, store objstore.Store, fence uint64, run string) (Head, error) {
	h, err := swapHead(ctx, store, func(h Head) (Head, bool, error) {
		if h.Claim > fence || h.Claim == fence && (h.Closed || h.Snapshot == fence && h.Run != run) {
			return h, false, &FencedError{Fence: fence, Head: h}
		}
		done := h.Claim == fence
		h.Claim, h.Closed = fence, false
		return h, done, nil
	})
	if err != nil {
		return h, fmt.Errorf("claim for run %s: %w", run, err)
	}
	return h, nil
}

// Publish writes the manifest and swaps Head to it. All Parts must have been written; what was written relaxed by this
// process is made lasting first. Head must still hold the Run's own, open claim, else it is a *FencedError. Published
// already by this Run: done, whatever came after.
//
// Base is set to the Snapshot that Head names. Only the holder of the claim can change that, so it is the one that is
// superseded.
func Publish(ctx context.Context, store objstore.Store, m Manifest) (Head, error) {
	next := func(h Head) (Head, bool, error) {
		if h.Snapshot == m.Fence && h.Run == m.Run {
			return h, true, nil
		}
		if h.Claim != m.Fence || h.Closed || h.Snapshot >= m.Fence {
			return h, false, &FencedError{Fence: m.Fence, Head: h}
		}
		h.Snapshot, h.Run = m.Fence, m.Run
		return h, false, nil
	}
	h, err := publish(ctx, store, m, next)
	if err != nil {
		return h, fmt.Errorf("publish snapshot %d of run %s: %w", m.Fence, m.Run, err)
	}
	return h, nil
}

func publish(ctx context.Context, store objstore.Store, m Manifest, next func(Head) (Head, bool, error)) (Head, error) {
	if err := m.Validate(); err != nil {
		return Head{}, err
	}
	// A look first, so that a Run that lost its claim leaves no manifest behind.
	h, _, err := LoadHead(ctx, store)
	if err != nil {
		return h, err
	}
	if _, done, err := next(h); err != nil || done {
		return h, err
	}
	m.Base = h.Snapshot
	if err := WriteManifest(ctx, store, m); err != nil {
		return h, err
	}
	if err := store.Sync(ctx); err != nil {
		return h, fmt.Errorf("sync: %w", err)
	}
	return swapHead(ctx, store, next)
}

// Close ends the Run's claim: afterwards no Claim or Publish with this fence or a lower one succeeds, however late it
// arrives. The returned Head tells whether the Run published: then its Snapshot is the fence and its Run is run, until a
// later Run publishes. Closing again, or after a later Claim, changes nothing.
func Close(ctx context.Context, store objstore.Store, fence uint64, run string) (Head, error) {
	h, err := swapHead(ctx, store, func(h Head) (Head, bool, error) {
		done := h.Claim > fence || h.Claim == fence && h.Closed
		h.Claim, h.Closed = fence, true
		return h, done, nil
	})
	if err != nil {
		return h, fmt.Errorf("close claim of run %s: %w", run, err)
	}
	return h, nil
}
