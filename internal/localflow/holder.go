package localflow

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
	"github.com/oklog/ulid/v2"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// A holderLock is a locked file of this host that the operating system unlocks when the process ends, however it ends.
type holderLock struct {
	holder refresh.Holder
	file   *flock.Flock
}

// takeLock makes and locks a file of its own in dir.
func takeLock(dir string) (*holderLock, error) {
	if dir == "" {
		var err error
		if dir, err = lockFolder(); err != nil {
			return nil, err
		}
	} else if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make folder for process locks: %w", err)
	}
	sweep(dir)
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("host name: %w", err)
	}
	path := filepath.Join(dir, ulid.Make().String()+".lock")
	file := flock.New(path)
	ok, err := file.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if !ok {
		return nil, fmt.Errorf("lock %s: held by another process", path)
	}
	return &holderLock{holder: refresh.Holder{Host: host, PID: os.Getpid(), Lock: path}, file: file}, nil
}

// lockFolder makes the folder of this user's process locks: in the cache folder, or, for users without one they can write to, in
// the temporary folder, or at least one of this process's own. Processes that do not find each other's locks wait for a dead
// one's Lease to run out.
func lockFolder() (string, error) {
	var candidates []string
	if cache, err := os.UserCacheDir(); err == nil {
		candidates = append(candidates, filepath.Join(cache, "cairn", "holders"))
	}
	candidates = append(candidates, filepath.Join(os.TempDir(), fmt.Sprintf("cairn-%d", os.Getuid()), "holders"))
	for _, dir := range candidates {
		if os.MkdirAll(dir, 0o700) == nil && writable(dir) {
			return dir, nil
		}
	}
	dir, err := os.MkdirTemp("", "cairn-holders-")
	if err != nil {
		return "", fmt.Errorf("make folder for process locks: %w", err)
	}
	return dir, nil
}

func writable(dir string) bool {
	f, err := os.CreateTemp(dir, "try-")
	if err != nil {
		return false
	}
	f.Close()
	return os.Remove(f.Name()) == nil
}

func (h *holderLock) release() error {
	// Unlocked, not removed: who finds the file unlocked knows that its process ended.
	return h.file.Unlock()
}

// sweep removes the locks of long ended processes. A Lease that names one runs out by its expiry instead.
func sweep(dir string) {
	paths, _ := filepath.Glob(filepath.Join(dir, "*.lock"))
	const keep = 100
	if len(paths) <= keep {
		return
	}
	for _, p := range paths[:len(paths)-keep] { // oldest first: the names are ULIDs
		if stateOf(p) == dead {
			_ = os.Remove(p)
		}
	}
}

type life int

const (
	unknown life = iota
	alive
	dead
)

// lives tells whether a process of this host lives, by its lock. A lock that is not there says nothing: it may be another
// machine, or a container, of the same name.
func lives(h refresh.Holder) life {
	if host, err := os.Hostname(); err != nil || host != h.Host || !strings.HasSuffix(h.Lock, ".lock") {
		return unknown
	}
	return stateOf(h.Lock)
}

func stateOf(path string) life {
	if _, err := os.Stat(path); err != nil {
		return unknown
	}
	file := flock.New(path)
	ok, err := file.TryRLock() // shared: others who look at the same time must not take this look for the process
	if err != nil {
		return unknown
	}
	if !ok {
		return alive
	}
	_ = file.Unlock()
	return dead
}
