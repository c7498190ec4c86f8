package objstoretest

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
)

var keyTests = []storeTest{{"keys/hostile", keysHostile}}

// HostileKeys are keys that a careless adapter loses, merges, or lets out of its folder.
func HostileKeys() []string {
	return []string{
		"", "/", "//", "/a", "/etc/passwd", ".", "..", "./a", "../a", "../../../../tmp/a", "a/../b", "a/../../b", "a/..", "a/.",
		"a//b", "a/", "a//", "a/./b", "...", "x/...", "..a", "a..",
		"a\\b", "..\\a", "\\\\host\\share\\a", "C:", "C:a", "C:\\a", "C:/a", "a:stream", "\\\\?\\C:\\a",
		"a\x00b", "\x00", "a\nb", "a\rb", "a\tb", "\x7f", "\x1b[31m", "a\x01b",
		" ", " a", "a ", "x. ", "x.", "b c.tif", "a+b.tif", "100%.tif", "%2e%2e/a", "%2Fa", "a%00b", "a?b#c.tif", "a&b=c",
		"é.tif", "e\u0301.tif", "日本語/衛星.tif", "😀.tif", "\u202egnp.tif", "\ufeffa", "a\u00a0b", "\xff\xfe.tif", "caf\xe9.tif",
		"a*b", "a|b", "a<b>", "a\"b", "a'b", "`a`", "$HOME", "~", "~root", "-rf", "{a,b}", "[a]", ".hidden", "x/.hidden",
		"CON", "nul.tif", "aux", "COM1.tif", "x/LPT1", "CaSe.tif", "case.tif", "dir/CaSe/x", "dir/case/x",
		strings.Repeat("n", 255), strings.Repeat("n", 256), strings.Repeat("é", 200), strings.Repeat("p/", 150) + "x",
		strings.Repeat("k/", 510) + "1024", strings.Repeat("k/", 510) + "1025b", // S3's longest, and one more
		strings.Repeat("long/", 3000) + "x", strings.Repeat("n", 1<<20), strings.Repeat("../", 1000) + "a",
		".git/config", ".cairn-store", ".cairn-store/lock", ".CAIRN-STORE/lock", ".lock", "lock", "tmp/a", "head.json/",
	}
}

func keysHostile(t *testing.T, s objstore.Store) {
	put(t, s, "safe/canary.tif", "canary", objstore.PutOptions{})
	held := []string{"safe/canary.tif"}
	for i, key := range HostileKeys() {
		body := fmt.Sprint("body ", i)
		if _, _, err := s.Get(t.Context(), key, 0, -1, ""); !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, objstore.ErrKey) {
			t.Errorf("Get %.60q before it is put: got %v, want fs.ErrNotExist or ErrKey", key, err)
		}
		if err := s.Delete(t.Context(), key); err != nil && !errors.Is(err, objstore.ErrKey) {
			t.Errorf("Delete %.60q before it is put: got %v, want none or ErrKey", key, err)
		}
		etag, err := s.Put(t.Context(), key, []byte(body), objstore.PutOptions{Relaxed: true, IfAbsent: i%2 == 0})
		if errors.Is(err, objstore.ErrKey) {
			if _, _, err := s.Get(t.Context(), key, 0, -1, ""); err == nil {
				t.Errorf("Put %.60q is ErrKey, but Get finds it", key)
			}
			continue
		}
		if err != nil {
			t.Errorf("Put %.60q: got %v, want none or ErrKey", key, err)
			continue
		}
		if o := wantBody(t, s, key, body); o.ETag != etag {
			t.Errorf("Put %.60q returned ETag %q, Get tells %q", key, etag, o.ETag)
		}
		held = append(held, key)
	}
	for _, key := range []string{"", "/a"} {
		if slices.Contains(held, key) {
			t.Errorf("%q is held; the port rules it out", key)
		}
	}
	if len(held) < 20 {
		t.Errorf("only %d keys are held, %q", len(held), held)
	}
	slices.Sort(held)
	wantKeys(t, s, all, held)
	for _, key := range held {
		if key == "safe/canary.tif" {
			continue
		}
		if err := s.Delete(t.Context(), key); err != nil {
			t.Errorf("Delete %.60q: %v", key, err)
		}
	}
	wantKeys(t, s, all, []string{"safe/canary.tif"})
	wantBody(t, s, "safe/canary.tif", "canary")
}
