package watch

import (
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"
)

// remotes are the file systems that other machines change without this one being told, by what statfs calls them
// (linux/magic.h, and stat.c of the GNU coreutils for those outside of the kernel's tree).
var remotes = map[uint32]string{
	0x6969:     "NFS",
	0x517b:     "SMB",
	0xff534d42: "CIFS",
	0xfe534d42: "SMB2",
	0x01021997: "9P", // also WSL's drives of Windows
	0x5346414f: "AFS",
	0x6b414653: "AFS",
	0x73757245: "Coda",
	0x564c:     "NCP",
	0x00c36400: "Ceph",
	0x0bd00bd0: "Lustre",
	0x47504653: "GPFS",
	0x19830326: "BeeGFS",
	0x20030528: "OrangeFS",
	0xaad7aaea: "PanFS",
	0xbeefdead: "SNFS",
	0x013111a8: "IBRIX",
	0x61636673: "ACFS",
	0xa501fcf5: "VxFS", // may be a cluster's
	0x01161970: "GFS2",
	0x7461636f: "OCFS2",
	0xbacbacbc: "a folder shared by VMware",
	0x786f4256: "a folder shared by VirtualBox",
	0x7c7c6673: "a folder shared by Parallels",
}

const fuse = 0x65735546

// remote names the file system of a folder if it may change without an event.
//
// Behind FUSE may be anything. Where it stands on a block device of this machine (ntfs-3g, exfat), which shows in the number
// of the device, all changes come through it and have events. The others (sshfs, s3fs, rclone, virtiofs, mergerfs) show what
// lies and changes elsewhere; that some of them would do is no reason to miss changes on the rest.
func remote(path string) string {
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil {
		return ""
	}
	if uint32(st.Type) == fuse {
		var file unix.Stat_t
		if unix.Stat(path, &file) == nil && unix.Major(uint64(file.Dev)) != 0 {
			return ""
		}
		return "FUSE"
	}
	return remotes[uint32(st.Type)]
}

// identify returns what a folder keeps when it is moved.
func identify(info fs.FileInfo) identity {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return identity{uint64(st.Dev), st.Ino}
	}
	return identity{}
}

// A watch of a folder takes one of fs.inotify.max_user_watches, of which the kernel keeps count.
const (
	weighsFiles = false
	losesMoves  = false
)

func capacity() int { return 0 }
