//go:build !linux && !darwin

package dirstore

import "os"

// toDrive makes a file lasting.
func toDrive(f *os.File) error { return f.Sync() }
