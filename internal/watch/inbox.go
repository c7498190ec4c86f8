package watch

import (
	"errors"
	"log/slog"
	"sync"
	"syscall"

	"github.com/fsnotify/fsnotify"
)

// maxEvents is how many files may wait to be looked at. More are as good as lost.
const maxEvents = 1 << 16

// An inbox receives the events of one fsnotify.Watcher, in a goroutine of its own: fsnotify may hold a lock while it sends
// an error, and on Windows handles Add where it sends events, so whoever calls it must not be the one who receives.
// What happened to a file is not told in order, since it is only a hint to look at what is there now.
type inbox struct {
	fsw  *fsnotify.Watcher
	log  *slog.Logger
	wake chan struct{} // holds a token where there is something to take
	done chan struct{} // closed when nothing comes any more

	mu     sync.Mutex
	events map[string]fsnotify.Op // by path
	lost   bool
}

func openInbox(log *slog.Logger) (*inbox, error) {
	fsw, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	b := &inbox{fsw: fsw, log: log, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go b.receive()
	return b, nil
}

// close ends all watches and the goroutines.
func (b *inbox) close() {
	if err := b.fsw.Close(); err != nil {
		b.log.Warn("stop watching", "error", err)
		return
	}
	<-b.done
}

func (b *inbox) receive() {
	defer close(b.done)
	for events, errs := b.fsw.Events, b.fsw.Errors; events != nil || errs != nil; {
		select {
		case e, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			b.put(e)
		case err, ok := <-errs:
			switch {
			case !ok:
				errs = nil
				continue
			case errors.Is(err, syscall.EINVAL):
				continue // inotify: a folder was moved and removed before its watch could be ended
			case !errors.Is(err, fsnotify.ErrEventOverflow):
				b.log.Warn("file system events lost", "error", err)
			}
			b.mu.Lock()
			b.events, b.lost = nil, true
			b.mu.Unlock()
		}
		select {
		case b.wake <- struct{}{}:
		default:
		}
	}
}

func (b *inbox) put(e fsnotify.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.lost:
		return
	case b.events == nil:
		b.events = map[string]fsnotify.Op{}
	case len(b.events) >= maxEvents:
		b.events, b.lost = nil, true
		return
	}
	b.events[e.Name] |= e.Op
}

// take returns what happened to which paths since it was last called, and whether anything was lost.
func (b *inbox) take() (events map[string]fsnotify.Op, lost bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	events, lost = b.events, b.lost
	b.events, b.lost = nil, false
	return events, lost
}
