//go:build unix && !linux

package dirstore

import (
	"os"
	"testing"
)

// unprivileged runs f as a user to whom the permissions in a folder apply.
func unprivileged(t *testing.T, _ string, f func()) {
	t.Helper()
	if os.Geteuid() == 0 {
		t.Skip("runs as root")
	}
	f()
}
