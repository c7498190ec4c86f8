package watch

import (
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"
)

// remote names the file system of a folder if it may change without an event: a drive on the network, and UNC paths.
func remote(path string) string {
	volume := filepath.VolumeName(path)
	if root, err := windows.UTF16PtrFromString(volume + `\`); err == nil && windows.GetDriveType(root) == windows.DRIVE_REMOTE {
		return "a network drive"
	}
	local := strings.HasPrefix(volume, `\\?\`) || strings.HasPrefix(volume, `\\.\`)
	if strings.HasPrefix(volume, `\\`) && (!local || strings.HasPrefix(strings.ToUpper(volume[4:]), `UNC\`)) {
		return "a network share"
	}
	return ""
}

// identify knows nothing that stays when a folder is moved and costs no handle.
func identify(fs.FileInfo) identity { return identity{} }

// Each folder takes a handle and a buffer, and fsnotify's watch of one that was moved tells its old path.
const (
	weighsFiles = false
	losesMoves  = true
)

// capacity keeps the buffers within 128 MiB.
func capacity() int { return 128 << 20 / buffer }
