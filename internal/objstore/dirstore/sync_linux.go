package dirstore

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// pending tells whether there is anything to sync: Linux syncs a whole file system in one call.
type pending struct{ any bool }

func (p *pending) add(string)         { p.any = true }
func (p *pending) join(other pending) { p.any = p.any || other.any }
func (p *pending) empty() bool        { return !p.any }

func (p *pending) flush(_ *Store, root *os.Root) error {
	f, err := root.Open(".")
	if err != nil {
		return cause(err)
	}
	defer f.Close()
	if err := syncfs(f); err != nil {
		return fmt.Errorf("syncfs: %w", err)
	}
	return nil
}

// syncfs is a variable for tests.
var syncfs = func(f *os.File) error { return unix.Syncfs(int(f.Fd())) }
