package item

import (
	"regexp"
	"strings"
	"testing"
)

func TestID(t *testing.T) {
	r, c := rulesOf(t, ""), Collection{"ortho", "ortho/"}
	for key, want := range map[string]string{
		"ortho/a.tif":                 "a",
		"ortho/A_b-1.2.tif":           "A_b-1.2",
		"ortho/scene-20240131.tif":    "scene-20240131", // eight digits are no hash
		"ortho/20240131.tif":          "20240131",
		"ortho/a.TIF":                 "a-#",
		"ortho/a.tiff":                "a-#",
		"ortho/a.gtif":                "a-#",
		"ortho/a":                     "a-#",
		"ortho/2024/01/a.tif":         "2024-01-a-#",
		"ortho/a b.tif":               "a-b-#",
		"ortho/a+b%c.tif":             "a-b-c-#",
		"ortho/é.tif":                 "unnamed-#",
		"ortho/.tif":                  "unnamed-#",
		"ortho/..tif":                 "unnamed-#",
		"ortho/...tif":                "unnamed-#",
		"ortho/.hidden.tif":           "hidden-#",
		"ortho/a-0123abcd.tif":        "a-0123abcd-#",
		"ortho/a-0123ABCD.tif":        "a-0123ABCD",
		"ortho/nul.tif":               "nul-#",
		"ortho/com1.x.tif":            "com1.x-#",
		"ortho/command.tif":           "command",
		"ortho/" + long(200) + ".tif": long(200),
		"ortho/" + long(201) + ".tif": long(190) + "-#",
		"ortho/" + long(100) + "/" + long(300) + ".tif": long(100) + "-" + long(89) + "-#",
	} {
		if got := r.ID(c, key); got != strings.ReplaceAll(want, "#", hash8(key)) {
			t.Errorf("ID(%.60q) = %q, want %q", key, got, want)
		}
	}
}

func long(n int) string { return strings.Repeat("x", n) }

func TestHash8(t *testing.T) {
	// As sha256sum has them. That of "47" begins with 31489056e: its first eight digits have no letter.
	for s, want := range map[string]string{"": "e3b0c442", "3": "4e074085", "47": "1489056e"} {
		if got := hash8(s); got != want {
			t.Errorf("hash8(%q) = %s, want %s", s, got, want)
		}
	}
	for i := range 2000 {
		if s := "x-" + hash8(string(rune(i))); !endsInHash(s) {
			t.Fatalf("%s does not end in a hash", s)
		}
	}
}

var idShape = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*$`)

func checkID(t *testing.T, id string) {
	t.Helper()
	if !idShape.MatchString(id) || len(id) > maxID+1+hashLen || strings.HasSuffix(id, ".") || isDevice(id) && !endsInHash(id) {
		t.Errorf("%q is no good id", id)
	}
}

func TestIDsAreApart(t *testing.T) {
	r := rulesOf(t, "")
	keys := map[[2]string]string{}
	for key := range hostileKeys() {
		for _, c := range []Collection{r.Collection(key), {"all", ""}} {
			id := r.ID(c, key)
			if other, ok := keys[[2]string{c.ID, id}]; ok {
				t.Errorf("%q and %q both make %q in %s", other, key, id, c.ID)
			}
			keys[[2]string{c.ID, id}] = key
			checkID(t, id)
		}
	}
	if len(keys) < 5000 {
		t.Errorf("only %d ids were made", len(keys))
	}
}

func FuzzID(f *testing.F) {
	f.Add("a/b.tif", "a-b.tif")
	f.Add("a.tif", "a.TIF")
	f.Add("a-0123abcd.tif", "a-0123abcd/.tif")
	f.Add("\xff.tif", "\xfe.tif")
	r := rulesOf(f, "")
	f.Fuzz(func(t *testing.T, a, b string) {
		ca, cb := r.Collection(a), r.Collection(b)
		ia, ib := r.ID(ca, a), r.ID(cb, b)
		if a != b && ca == cb && ia == ib {
			t.Errorf("%q and %q both make %q", a, b, ia)
		}
		if ca.Prefix != cb.Prefix && ca.ID == cb.ID {
			t.Errorf("%q and %q both make the Collection %q", ca.Prefix, cb.Prefix, ca.ID)
		}
		checkID(t, ia)
		checkID(t, ca.ID)
		if !strings.HasPrefix(a, r.SceneKey(a)) {
			t.Errorf("SceneKey(%q) = %q", a, r.SceneKey(a))
		}
		if under := r.CollectionsUnder(b, []Collection{ca}); strings.HasPrefix(a, b) && len(under) != 1 {
			t.Errorf("CollectionsUnder(%q) lacks %+v, which holds %q", b, ca, a)
		}
	})
}
