package main

import (
	"os"
	"syscall"
)

// peakMemory is the largest resident size that an ended process had, in bytes.
func peakMemory(p *os.ProcessState) int64 {
	return p.SysUsage().(*syscall.Rusage).Maxrss << 10
}
