package item

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/config"
)

var (
	photos = Source{URL: "file:///data/photos", Name: "photos"}
	bucket = Source{URL: "s3://imagery/my%20photos", HTTPS: "https://imagery.s3.example/my%20photos", Name: "my photos"}
)

// rulesOf are the Rules of a config that is written down as in cairn.yaml.
func rulesOf(t testing.TB, yaml string) *Rules {
	t.Helper()
	return rulesAt(t, yaml, photos)
}

func rulesAt(t testing.TB, yaml string, src Source) *Rules {
	t.Helper()
	cfg, err := config.Parse([]byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(cfg, src)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestKind(t *testing.T) {
	picky := "include: ['**/*.gtif', 'b/*']\nexclude: ['**/old/**', '**/*.ovr']"
	for _, tt := range []struct {
		yaml, key string
		want      Kind
	}{
		{"", "a.tif", Raster}, {"", "x/y/a.TIFF", Raster}, {"", "a.Tif", Raster}, {"", ".tif", Raster},
		{"", "a.tif/", Other}, {"", "d/", Other}, {"", "/", Other}, {"", "a.tif.aux.xml/", Other}, {"include: '**'", "d/", Other}, {"", "", Other}, {"", "a", Other}, {"", "tif", Other}, {"", "a.txt", Other}, {"", "a.tif/b", Other},
		{"", "a.tif.aux.xml", Sidecar}, {"", "a.AUX.XML", Sidecar}, {"", "a.tfw", Sidecar}, {"", "a.tifw", Sidecar},
		{"", "a.prj", Sidecar}, {"", "a.tif.ovr", Sidecar}, {"", "a.ovr", Sidecar}, {"", "a.tif.msk", Sidecar},
		{"", "a.tif.msk.ovr", Sidecar}, {"", "a.xml", Other}, {"", "a.json", Other},
		{"", "a.jpg", Sidecar}, {"", "a.JPEG", Sidecar}, {"", "a_MTL.txt", Sidecar}, {"", "a_MTL.json", Sidecar}, {"", "a.tif.xml", Sidecar},
		{"", "MTL.txt", Other}, {"", "_MTL.txt", Other}, {"", "a_metadata.json", Sidecar}, {"", "a_readme.txt", Other},
		{"", "S2A_36QWD_20200701_0_L2A/granule_metadata.xml", Sidecar}, {"", "d/MTD_TL.xml", Other},
		{"datetime: {from_sidecar: t}", "a.xml", Sidecar}, {"properties: {from_sidecar: {a: t}}", "a.json", Sidecar},
		{"properties: {from_sidecar: {a: t}}", "a.txt", Other}, {"include: '**'", "a.jpg", Raster}, {"include: '**'", "a.tif.ovr", Sidecar},
		{picky, "a.tif", Other}, {picky, "x/a.gtif", Raster}, {picky, "b/a", Raster}, {picky, "b/c/a", Other},
		{picky, "x/old/a.gtif", Other}, {picky, "x/old/a.tfw", Other}, {picky, "a.tif.ovr", Other}, {picky, "b/a.tfw", Sidecar},
	} {
		if got := rulesOf(t, tt.yaml).Kind(tt.key); got != tt.want {
			t.Errorf("Kind(%q) = %v, want %v with %q", tt.key, got, tt.want, tt.yaml)
		}
	}
}

func TestSceneKey(t *testing.T) {
	r := rulesOf(t, "")
	for scene, keys := range map[string]string{
		"d/a.": "d/a.tif d/a.TIFF d/a.tif.aux.xml d/a.aux.xml d/a.tfw d/a.tifw d/a.prj d/a.tif.ovr d/a.tif.msk d/a.ovr " +
			"d/a.tif.msk.ovr d/a.txt",
		"d/a.b.": "d/a.b.tif d/a.b.tfw d/a.b.tif.aux.xml d/a.b.c",
		"a.":     "a.tif a.TFW",
		"d.x/a.": "d.x/a.tif",
		"d.x/a":  "d.x/a",
		"README": "README",
		"d/.":    "d/.tif d/.tfw d/.aux.xml d/.tif.ovr",
		"a.tif.": "a.tif.tif a.tif.tfw",
	} {
		for _, key := range strings.Fields(keys) {
			if got := r.SceneKey(key); got != scene {
				t.Errorf("SceneKey(%q) = %q, want %q", key, got, scene)
			}
		}
	}
	r = rulesOf(t, "include: '**/*.gtif'")
	for _, key := range []string{"d/a.gtif", "d/a.gtif.aux.xml", "d/a.tfw"} {
		if got := r.SceneKey(key); got != "d/a." {
			t.Errorf("SceneKey(%q) = %q with *.gtif included", key, got)
		}
	}
}

const listedYAML = `
collections:
  depth: 2
  list:
    - {prefix: a/b/, id: AB}
    - {prefix: a/b/c/, id: photos}
    - {prefix: z/}
    - {prefix: x/y/}
    - {prefix: q/, id: taken}
`

func TestCollection(t *testing.T) {
	for _, tt := range []struct{ yaml, key, id, prefix string }{
		{"", "ortho/a.tif", "ortho", "ortho/"},
		{"", "ortho/x/y/a.tif", "ortho", "ortho/"},
		{"", "folder1/a.tif", "folder1", "folder1/"},
		{"", "folder10/a.tif", "folder10", "folder10/"},
		{"", "a.tif", "photos", ""},
		{"", "2024/a.tif", "photos", ""},
		{"", "2024-01/a.tif", "photos", ""},
		{"", "20240131/ortho/a.tif", "photos", ""},
		{"", "2024_01_31/a.tif", "photos", ""},
		{"", "2024-01-31T12:00:00Z/a.tif", "photos", ""},
		{"", "year=2024/a.tif", "photos", ""},
		{"", "S2A_36QWD_20200701_0_L2A/B02.tif", "photos", ""},
		{"collections: {depth: 3}", "l2a/S2A_36QWD_20200701_0_L2A/B02.tif", "l2a", "l2a/"},
		{"", "year=new/a.tif", "year-new-" + hash8("year=new/"), "year=new/"},
		{"", "v2/a.tif", "v2", "v2/"},
		{"", "-1/a.tif", "-1", "-1/"},
		{"", "//a.tif", "photos", ""},
		{"", "photos/a.tif", "photos-" + hash8("photos"), "photos/"},
		{"", "été 1/a.tif", "t-1-" + hash8("été 1/"), "été 1/"},
		{"", "日本/a.tif", "unnamed-" + hash8("日本/"), "日本/"},
		{"", "../a.tif", "unnamed-" + hash8("../"), "../"},
		{"", "./a.tif", "unnamed-" + hash8("./"), "./"},
		{"", "/ortho/a.tif", "photos", ""},
		{"", "ortho//a.tif", "ortho", "ortho/"},
		{"", "a\nb/a.tif", "a-b-" + hash8("a\nb/"), "a\nb/"},
		{"", strings.Repeat("日", 339) + "/a.tif", "unnamed-" + hash8(strings.Repeat("日", 339)+"/"), strings.Repeat("日", 339) + "/"},
		{"", "aux/a.tif", "aux-" + hash8("aux/"), "aux/"},
		{"collections: {depth: 0}", "ortho/x/a.tif", "photos", ""},
		{"collections: {depth: 2}", "a/b/c/d.tif", "a-b-" + hash8("a/b/"), "a/b/"},
		{"collections: {depth: 2}", "a/2024/c/d.tif", "a", "a/"},
		{"collections: {depth: 2}", "a/d.tif", "a", "a/"},
		{"collections: {depth: 2}", "d.tif", "photos", ""},
		{listedYAML, "a/b/d.tif", "AB", "a/b/"},
		{listedYAML, "a/b/c/d.tif", "photos", "a/b/c/"},
		{listedYAML, "a/b/2024/d.tif", "AB", "a/b/"},
		{listedYAML, "a/bc/d.tif", "a-bc-" + hash8("a/bc/"), "a/bc/"},
		{listedYAML, "a/d.tif", "a", "a/"},
		{listedYAML, "d.tif", "photos-" + hash8("photos"), ""}, // the id is taken by the list
		{listedYAML, "z/d.tif", "z", "z/"},
		{listedYAML, "z/y/d.tif", "z", "z/"},
		{listedYAML, "x/y/z/d.tif", "x-y-" + hash8("x/y/"), "x/y/"},
		{listedYAML, "taken/d.tif", "taken-" + hash8("taken"), "taken/"},
	} {
		if got, want := rulesOf(t, tt.yaml).Collection(tt.key), (Collection{tt.id, tt.prefix}); got != want {
			t.Errorf("Collection(%q) = %+v, want %+v with %q", tt.key, got, want, tt.yaml)
		}
	}
}

func TestCollectionIDsAreApart(t *testing.T) {
	for _, yaml := range []string{"", "collections: {depth: 3}", listedYAML} {
		r := rulesOf(t, yaml)
		prefixes := map[string]string{}
		for key := range hostileKeys() {
			c := r.Collection(key)
			if other, ok := prefixes[c.ID]; ok && other != c.Prefix {
				t.Errorf("%q and %q both make %q", other, c.Prefix, c.ID)
			}
			prefixes[c.ID] = c.Prefix
			if !strings.HasPrefix(key, c.Prefix) || c.Prefix != "" && c.Prefix[len(c.Prefix)-1] != '/' {
				t.Errorf("Collection(%q) has the prefix %q", key, c.Prefix)
			}
			checkID(t, c.ID)
		}
		if len(prefixes) < 20 {
			t.Errorf("only %d Collections were seen", len(prefixes))
		}
	}
}

func TestCollectionsUnder(t *testing.T) {
	for _, yaml := range []string{"", "collections: {depth: 0}", "collections: {depth: 3}", listedYAML} {
		r := rulesOf(t, yaml)
		for key := range hostileKeys() {
			c := r.Collection(key)
			for n := range len(key) + 1 {
				if len(r.CollectionsUnder(key[:n], []Collection{c})) != 1 {
					t.Fatalf("CollectionsUnder(%q) lacks %+v, which holds %q", key[:n], c, key)
				}
			}
		}
	}
	r := rulesOf(t, listedYAML)
	var known []Collection
	for _, key := range []string{"d.tif", "a/d.tif", "a/b/d.tif", "a/b/c/d.tif", "z/d.tif"} {
		known = append(known, r.Collection(key))
	}
	for prefix, want := range map[string][]int{
		"": {0, 1, 2, 3, 4}, "a": {0, 1, 2, 3}, "a/": {1, 2, 3}, "a/b": {1, 2, 3}, "a/b/": {2, 3}, "a/b/c/": {3}, "a/b/x": {2},
		"z/q/": {4}, "zz": {0}, "2024/": {0}, "w/": {},
	} {
		var wanted []Collection
		for _, i := range want {
			wanted = append(wanted, known[i])
		}
		if got := r.CollectionsUnder(prefix, known); !slices.Equal(got, wanted) {
			t.Errorf("CollectionsUnder(%q) = %+v, want %+v", prefix, got, wanted)
		}
	}
}

func TestInfo(t *testing.T) {
	r := rulesOf(t, `
license: CC0-1.0
keywords: [all]
providers: [{name: me}]
collections:
  list:
    - {prefix: a/, id: A, title: The A, description: About, license: MIT, keywords: [one]}
`)
	for key, want := range map[string]string{
		"a/x.tif":        "A|The A|About|MIT|[one]|[{me  [] }]",
		"Ünder it/x.tif": "nder-it-" + hash8("Ünder it/") + "|Ünder it|GeoTIFFs in Ünder it of photos|CC0-1.0|[all]|[{me  [] }]",
		"\xff/x.tif":     "unnamed-" + hash8("\xff/") + "|\ufffd|GeoTIFFs in \ufffd of photos|CC0-1.0|[all]|[{me  [] }]",
		"a\tb\x7f/x.tif": "a-b-" + hash8("a\tb\x7f/") + "|a b|GeoTIFFs in a b of photos|CC0-1.0|[all]|[{me  [] }]",
		" /x.tif":        "unnamed-" + hash8(" /") + "|unnamed-" + hash8(" /") + "|GeoTIFFs in unnamed-" + hash8(" /") + " of photos|CC0-1.0|[all]|[{me  [] }]",
		"./x.tif":        "unnamed-" + hash8("./") + "|.|GeoTIFFs in . of photos|CC0-1.0|[all]|[{me  [] }]",
		"x.tif":          "photos|photos|GeoTIFFs in photos|CC0-1.0|[all]|[{me  [] }]",
	} {
		c := r.Info(r.Collection(key))
		if got := fmt.Sprintf("%s|%s|%s|%s|%v|%v", c.ID, c.Title, c.Description, c.License, c.Keywords, c.Providers); got != want {
			t.Errorf("Info for %q\n got %s\nwant %s", key, got, want)
		}
	}
	if c := rulesOf(t, "").Info(Collection{"x", "x/"}); c.License != "other" || c.Keywords != nil || c.Providers != nil {
		t.Errorf("Info without a config = %+v", c)
	}
}

// TestKeysCostNothing: a plan asks these of each of a million keys.
func TestKeysCostNothing(t *testing.T) {
	r := rulesOf(t, "")
	key := "ortho/2024/tile_123_456.tif"
	if n := testing.AllocsPerRun(100, func() {
		if r.Kind(key) != Raster || r.SceneKey(key) == "" || r.Collection(key).ID != "ortho" {
			t.Fatal("wrong")
		}
	}); n != 0 {
		t.Errorf("Kind, SceneKey and Collection make %v allocations", n)
	}
}

// hostileKeys yields keys made to collide, and random ones.
func hostileKeys() func(yield func(string) bool) {
	plain := &Rules{cfg: config.Default()}
	fixed := strings.Fields(`a.tif a.TIF a.tiff a.Tif A.tif a a.tif.tif .tif ..tif ...tif -.tif a-.tif a..tif a/b.tif a-b.tif a_b.tif
		a//b.tif a/b/c.tif a-b/c.tif a/b-c.tif a-b-c.tif a+b.tif a%20b.tif a%b.tif été.tif été.tif éte.tif 日本.tif 日.tif
		a-0123abcd.tif a-01234567.tif a-0123ABCD.tif 0123abcd.tif con.tif CON.tif aux.tif aux.x.tif nul/a.tif com1.tif lpt9.x.tif
		a/../b.tif ../a.tif ./a.tif /a.tif //.tif photos/a.tif photos/photos/a.tif ortho/2024/a.tif ortho/2024-01/a.tif
		ortho/a.tif Ortho/a.tif ortho-2024-a.tif 2024/a.tif 2024/01/31/a.tif item.tif unnamed.tif a/unnamed.tif x/y/z/w.tif z/a.tif
		q/a.tif taken/a.tif a/b/c/d/e.tif AB/a.tif`)
	fixed = append(fixed, "a b.tif", "a  b.tif", " a.tif", "a .tif", "a\x00b.tif", "a\nb.tif", "a\rb.tif", "a\x7fb.tif",
		"a\u2028b.tif", "a\u202eb.tif", "a\x00/b.tif", "a\n/b.tif", "a?b.tif", "a#b.tif", "a;b.tif", "a\\b.tif", "a//b/c.tif", "a/./b/c.tif",
		strings.Repeat("日", 340)+".tif", strings.Repeat("日", 339)+"/.tif", strings.Repeat("/", 1020)+".tif", "\xff.tif", "\xfe.tif", "a\xff/b.tif", "\ufffd.tif",
		strings.Repeat("x", 200)+".tif", strings.Repeat("x", 201)+".tif", strings.Repeat("x", 250)+"y.tif", strings.Repeat("é/", 300)+"y.tif")
	for _, key := range slices.Clone(fixed) { // and what collides with the ids of these, if anything does
		id := newID(key, false, key)
		fixed = append(fixed, id+".tif", "a/"+id+".tif", id+"/a.tif", plain.ID(Collection{}, key)+".tif")
	}
	return func(yield func(string) bool) {
		seen := map[string]bool{}
		for _, key := range fixed {
			if !seen[key] && !yield(key) {
				return
			}
			seen[key] = true
		}
		r := rand.New(rand.NewPCG(3, 4))
		parts := []string{"a", "b", "A", "-", "_", ".", "/", " ", "+", "é", "\xff", ".tif", "2024", "01", "photos", "taken", "z/", "a/b/"}
		for range 5000 {
			var b strings.Builder
			for range 1 + r.IntN(6) {
				b.WriteString(parts[r.IntN(len(parts))])
			}
			key := b.String() + ".tif"
			if !seen[key] && !yield(key) {
				return
			}
			seen[key] = true
		}
	}
}
