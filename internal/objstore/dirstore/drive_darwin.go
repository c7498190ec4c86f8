package dirstore

import (
	"os"

	"golang.org/x/sys/unix"
)

// toDrive hands a file to the drive, whose cache os.File.Sync would wait for each time. One full flush must follow.
func toDrive(f *os.File) error { return unix.Fsync(int(f.Fd())) }
