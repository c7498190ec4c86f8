package item

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
)

func TestSceneKeysOfBands(t *testing.T) {
	const landsat = "LC08_L2SP_193024_20210101_20210310_02_T1"
	const hls = "HLS.S30.T33UVP.2021001T101411.v2.0"
	for yaml, scenes := range map[string]map[string]string{
		"": {
			// Sentinel-2
			"d/T33UVP_20210101T101411_": "d/T33UVP_20210101T101411_B02.tif d/T33UVP_20210101T101411_B8A_20m.tif d/T33UVP_20210101T101411_TCI_10m.tif " +
				"d/T33UVP_20210101T101411_SCL.tif d/T33UVP_20210101T101411_B02.tif.aux.xml d/T33UVP_20210101T101411_B02.tfw " +
				"d/T33UVP_20210101T101411_PVI.jpg d/T33UVP_20210101T101411_B02.jpg d/T33UVP_20210101T101411_thumb.png",
			"S2A_36QWD_20200701_0_L2A/": "S2A_36QWD_20200701_0_L2A/B02.tif S2A_36QWD_20200701_0_L2A/B8A.tif S2A_36QWD_20200701_0_L2A/SCL.tif.ovr " +
				"S2A_36QWD_20200701_0_L2A/granule_metadata.xml S2A_36QWD_20200701_0_L2A/thumbnail.jpg S2A_36QWD_20200701_0_L2A/CLD_20m.tif",
			// Landsat
			landsat + "_": landsat + "_SR_B4.TIF " + landsat + "_ST_B10.TIF " + landsat + "_QA_PIXEL.TIF " + landsat + "_SR_QA_AEROSOL.TIF " +
				landsat + "_ST_QA.TIF " + landsat + "_MTL.txt " + landsat + "_MTL.xml " + landsat + "_ANG.txt " + landsat + "_thumb_small.jpeg",
			"L7_": "L7_B1.tif L7_B6_VCID_2.tif L7_B8.tif L7_BQA.tif",
			// others
			"a/x_":                   "a/x_B1.tif a/x_B12.tif a/x_B1.tif.msk a/x_BAND3.tif a/x_VV.tif a/x_VH_10m.tif a/x_metadata.xml",
			hls + ".":                hls + ".B02.tif " + hls + ".Fmask.tif " + hls + ".jpg",
			"20210101_101411_12_3B_": "20210101_101411_12_3B_AnalyticMS_SR_clip.tif 20210101_101411_12_3B_udm2.tif 20210101_101411_12_3B_AnalyticMS_metadata.xml",
			// none
			"dem_10m.":     "dem_10m.tif",
			"x_b1.":        "x_b1.tif",
			"x_B.":         "x_B.tif",
			"x_B1234.":     "x_B1234.tif",
			"B02.":         "B02.tif",
			"d/B02.":       "d/B02.tif d/B02.tif.aux.xml", // a sheet, perhaps
			"_B02.":        "_B02.tif",
			"x_B02_small.": "x_B02_small.tif",
			"x_10m_B.":     "x_10m_B.tif",
			"x-B02.":       "x-B02.tif",
		},
		"scenes: off":          {"x_B1.": "x_B1.tif", "x_MTL.": "x_MTL.txt", "x.": "x.jpg"},
		"scenes: [red, 'n?']":  {"x_": "x_red.tif x_nr.tif x_red.tfw", "x_B1.": "x_B1.tif", "d/": "d/red.tif", "x.y_": "x.y_red.tif", "x.": "x.red.tif", "red.": "red.tif"},
		"scenes: [known, B_*]": {"x_": "x_B1.tif x_B_y_z.tif", "x_B_y_z_red.": "x_y_red.tif"},
	} {
		r := rulesOf(t, yaml)
		for scene, keys := range scenes {
			for _, key := range strings.Fields(keys) {
				got := r.SceneKey(key)
				if !strings.HasPrefix(key, got) {
					t.Errorf("SceneKey(%q) = %q is no prefix of it", key, got)
				}
				if got != scene && scene != "x_B_y_z_red." {
					t.Errorf("SceneKey(%q) = %q, want %q with %q", key, got, scene, yaml)
				}
			}
		}
	}
}

// at is a raster of the scene's grid with pixels of so many metres, moved so far to the east.
func at(metres, east float64) tiffwrite.Raster {
	n := int(960 / metres)
	r := tiffwrite.Raster{Width: n, Height: n, DataType: "uint16", Nodata: "0", Keys: tiffwrite.Projected(32633)}
	r.NorthUp(500_000+east, 5_000_000, metres, metres)
	return r
}

// files makes a scene of such rasters, and of sidecars that are given as text.
func files(t *testing.T, of map[string]any) *scene {
	t.Helper()
	s := &scene{}
	for _, key := range slices.Sorted(maps.Keys(of)) {
		switch v := of[key].(type) {
		case tiffwrite.Raster:
			s.add(key, bytesOf(t, v))
		case string:
			s.add(key, []byte(v))
		}
	}
	return s
}

func TestBandsAreOneItem(t *testing.T) {
	r := rulesOf(t, "common_names: true")
	const p = "d/T33UVP_20210101T101411_"
	s := files(t, map[string]any{
		p + "B02.tif": at(10, 0), p + "B8A_20m.tif": at(20, 0), p + "TCI_10m.tif": with(func(r *tiffwrite.Raster) {
			*r = at(10, 0)
			r.DataType, r.Bands, r.Nodata = "uint8", 3, ""
		}),
		p + "SCL.tif": "broken", p + "PVI.jpg": "picture", p + "B02.tif.ovr": "x", p + "notes.txt": "x",
	})
	res, err := s.build(r)
	if err != nil || len(res.Items) != 1 || len(res.Rejects) != 1 {
		t.Fatalf("%+v, %v", res, err)
	}
	it := res.Items[0]
	checkItem(t, it)
	if it.ID != "T33UVP_20210101T101411" || it.Properties["datetime"] != "2021-01-01T10:14:11Z" || it.Properties["gsd"] != 10. ||
		it.Properties["proj:code"] != "EPSG:32633" {
		t.Errorf("the Item is %s with %v", it.ID, it.Properties)
	}
	if got := fmt.Sprint(slices.Sorted(maps.Keys(it.Assets))); got != "[B02 B8A TCI thumbnail]" {
		t.Errorf("assets are %s", got)
	}
	b02, b8a := it.Assets["B02"], it.Assets["B8A"]
	if b := b02.Bands[0]; b.Name != "B02" || b.CommonName != "blue" || b02.Fields["gsd"] != 10. || b02.Fields["proj:code"] != nil {
		t.Errorf("B02 is %+v", b02)
	}
	if b := b8a.Bands[0]; b.Name != "B8A" || b.CommonName != "nir08" || b8a.Fields["gsd"] != 20. || fmt.Sprint(b8a.Fields["proj:shape"]) != "[48 48]" {
		t.Errorf("B8A is %+v", b8a)
	}
	if tci := it.Assets["TCI"]; tci.Roles[0] != "visual" || len(tci.Bands) != 3 || tci.Bands[0].Name != "red" {
		t.Errorf("TCI is %+v", tci)
	}
	if th := it.Assets["thumbnail"]; th.Type != "image/jpeg" || th.Roles[0] != "thumbnail" || th.Fields["file:size"] != int64(7) {
		t.Errorf("the thumbnail is %+v", th)
	}
	if got := fmt.Sprint(res.Roles, res.Of); got != "[asset sidecar asset sidecar reject asset other] [0 -1 0 -1 -1 0 -1]" {
		t.Errorf("roles are %s", got)
	}
	if x := res.Explanations[0]; !x.Scene || len(x.Rasters) != 3 || x.Rasters[0].Overviews != p+"B02.tif.ovr" || x.Rasters[1].Asset != "B8A" {
		t.Errorf("the explanation is %+v", x)
	}
	if fmt.Sprint(s.opened) != fmt.Sprintf("[%[1]sB02.tif %[1]sB8A_20m.tif %[1]sSCL.tif %[1]sTCI_10m.tif]", p) || s.reads > 7 {
		t.Errorf("%v were opened, %d reads made", s.opened, s.reads)
	}
}

func TestSceneIDs(t *testing.T) {
	r := rulesOf(t, "")
	for scene, want := range map[string]string{
		"d/T33UVP_20210101T101411_":                                       "T33UVP_20210101T101411",
		"d/S2A_MSIL2A_20210101T101411_N0214_R022_T33UVP_20210101T115322_": "S2A_MSIL2A_20210101T101411_N0214_R022_T33UVP_20210101T115322",
		"d/LC08_L2SP_193024_20210101_20210310_02_T1_":                     "LC08_L2SP_193024_20210101_20210310_02_T1",
		"d/LE07_CU_003009_20210101_20210310_02_":                          "LE07_CU_003009_20210101_20210310_02",
		"d/HLS.S30.T33UVP.2021001T101411.v2.0.":                           "HLS.S30.T33UVP.2021001T101411.v2.0",
		"d/S2A_36QWD_20200701_0_L2A/":                                     "S2A_36QWD_20200701_0_L2A",
		"d/x/T33UVP_20210101T101411_":                                     "T33UVP_20210101T101411-#",
		"d/T33UVP_20210101T101411.":                                       "T33UVP_20210101T101411-#",
		"d/T33UVP_20210101T101411/":                                       "T33UVP_20210101T101411-#",
		"d/foo_":                                                          "foo-#",
		"d/foo.":                                                          "foo-#",
	} {
		if got := r.sceneID(Collection{"d", "d/"}, scene); got != strings.ReplaceAll(want, "#", hash8(scene+"/")) {
			t.Errorf("sceneID(%q) = %q, want %q", scene, got, want)
		}
	}
	if got := r.sceneID(Collection{"p", "x/p/"}, "x/p/"); got != "p-"+hash8("x/p//") {
		t.Errorf("a collection that is a scene has the id %q", got)
	}
	const product = "S2A_36QWD_20200701_0_L2A/"
	if outer, inner := r.sceneID(Collection{"p", product}, product), r.sceneID(Collection{"p", product}, product+product); outer+"/" != product || inner == outer {
		t.Errorf("a collection that is a product has the id %q, and one of the same name in it %q", outer, inner)
	}
	for key, want := range map[string]string{
		"d/T33UVP_20210101T101411.tif": "T33UVP_20210101T101411-#", "d/T33UVP_20210101T101411_B02.tif": "T33UVP_20210101T101411_B02",
	} {
		if got := r.ID(Collection{"d", "d/"}, key); got != strings.ReplaceAll(want, "#", hash8(key)) {
			t.Errorf("ID(%q) = %q, want %q", key, got, want)
		}
		if got := rulesOf(t, "scenes: off").ID(Collection{"d", "d/"}, key); got != key[2:len(key)-4] {
			t.Errorf("ID(%q) = %q without scenes", key, got)
		}
	}
}

func TestScenesOfOddMembers(t *testing.T) {
	mars := with(func(r *tiffwrite.Raster) { *r = at(10, 0); r.Keys = nil })
	other := with(func(r *tiffwrite.Raster) {
		*r = at(10, 0)
		r.Keys = tiffwrite.Projected(32632)
		r.NorthUp(971_623, 5_017_540, 10, 10)
	})
	unnamed := func(meridian float64) tiffwrite.Raster {
		return with(func(r *tiffwrite.Raster) {
			*r = at(10, 0)
			r.Keys = []tiffwrite.Key{{ID: 1024, Value: uint16(1)}, {ID: 2048, Value: uint16(4326)}, {ID: 3072, Value: uint16(32767)}, {ID: 3075, Value: uint16(1)},
				{ID: 3076, Value: uint16(9001)}, {ID: 3080, Value: meridian}, {ID: 3081, Value: 1.}, {ID: 3082, Value: 500_000.}, {ID: 3083, Value: 0.}, {ID: 3092, Value: 0.9}}
		})
	}
	for _, tt := range []struct {
		name, yaml string
		files      map[string]any
		want       string // id: assets, of each Item
		rejects    int
	}{
		{"a lone band", "", map[string]any{"x_B1.tif": at(10, 0)}, "x-#: B1", 0},
		{"sheets of a map", "", map[string]any{"x_B1.tif": at(10, 0), "x_B2.tif": at(10, 960)}, "x_B1: data; x_B2: data", 0},
		{"more than half of one another", "", map[string]any{"x_B1.tif": at(10, 0), "x_B2.tif": at(10, 470)}, "x-#: B1 B2", 0},
		{"less than half of one another", "", map[string]any{"x_B1.tif": at(10, 0), "x_B2.tif": at(10, 490)}, "x_B1: data; x_B2: data", 0},
		{"margins", "", map[string]any{"x_B1.tif": at(10, 0), "x_B2.tif": at(20, 200)}, "x-#: B1 B2", 0},
		{"a smaller one last", "", map[string]any{"x_B1.tif": at(20, 0), "x_B2.tif": with(func(r *tiffwrite.Raster) { *r = at(10, 0); r.Width = 60 })}, "x-#: B1 B2", 0},
		{"two resolutions", "", map[string]any{"x_B1_10m.tif": at(10, 0), "x_B1_20m.tif": at(20, 0), "x_B2_10m.tif": at(10, 0)},
			"x-#: B1_10m B1_20m B2", 0},
		{"the same twice", "", map[string]any{"x_B1.TIF": at(10, 0), "x_B1.tif": at(20, 0)}, "x-#: B1.TIF B1.tif", 0},
		{"all broken", "", map[string]any{"x_B1.tif": "", "x_B2.tif": mars}, "", 2},
		{"one broken", "", map[string]any{"x_B1.tif": "", "x_B2.tif": at(10, 0)}, "x-#: B2", 1},
		{"one without a place", "without_footprint: item", map[string]any{"x_B1.tif": mars, "x_B2.tif": at(10, 0)}, "x-#: B1 B2", 0},
		{"a whole beside its bands", "", map[string]any{"x.B1.tif": at(10, 0), "x.tif": at(10, 0), "x.jpg": "p"},
			"x-#: B1; x: data thumbnail", 0},
		{"two CRSs", "", map[string]any{"x_B1.tif": at(10, 0), "x_B2.tif": other}, "x-#: B1 B2", 0},
		{"two CRSs without codes", "", map[string]any{"x_B1.tif": unnamed(15), "x_B2.tif": unnamed(15.001)}, "x-#: B1 B2", 0},
		{"two CRSs without codes, far apart", "", map[string]any{"x_B1.tif": unnamed(15), "x_B2.tif": unnamed(16)}, "x_B1: data; x_B2: data", 0},
		{"off", "scenes: off", map[string]any{"x_B1.tif": at(10, 0)}, "x_B1: data", 0},
		{"own tokens", "scenes: [red, nir]", map[string]any{"x_nir.tif": at(10, 0), "x_red.tif": at(10, 0)}, "x-#: nir red", 0},
		{"no time", "datetime: {fallback: reject}", map[string]any{"x_B1.tif": at(10, 0), "x_B2.tif": at(10, 0)}, "", 2},
	} {
		r := rulesOf(t, tt.yaml)
		s := files(t, tt.files)
		scene := r.SceneKey(s.keys[0])
		res, err := s.build(r)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var got []string
		for _, it := range res.Items {
			checkItem(t, it)
			got = append(got, it.ID+": "+strings.Join(slices.Sorted(maps.Keys(it.Assets)), " "))
		}
		want := strings.ReplaceAll(tt.want, "#", hash8(scene+"/"))
		if strings.Join(got, "; ") != want || len(res.Rejects) != tt.rejects || len(res.Explanations) != len(res.Items) {
			t.Errorf("%s: %q and %d rejects, want %q and %d", tt.name, got, len(res.Rejects), want, tt.rejects)
		}
		for i, role := range res.Roles {
			if (role == RoleAsset) != (res.Of[i] >= 0) || role == RoleOther {
				t.Errorf("%s: roles %v, of %v", tt.name, res.Roles, res.Of)
			}
		}
		switch it := res.Items; tt.name {
		case "a smaller one last":
			if it[0].BBox[2] < 15.012 || it[0].Properties["gsd"] != 10. {
				t.Errorf("%s: the box is %v, the gsd %v", tt.name, it[0].BBox, it[0].Properties["gsd"])
			}
		case "two CRSs without codes":
			if a, b := it[0].Assets["B1"].Fields["proj:wkt2"], it[0].Assets["B2"].Fields["proj:wkt2"]; a == nil || b == nil || a == b {
				t.Errorf("%s: %v, %v", tt.name, a, b)
			}
		}
		if tt.name == "two CRSs" {
			if it := res.Items[0]; it.Assets["B1"].Fields["proj:code"] != "EPSG:32633" || it.Assets["B2"].Fields["proj:code"] != "EPSG:32632" ||
				it.Properties["proj:code"] != nil {
				t.Errorf("the CRSs are %v, %v", it.Assets["B2"].Fields, it.Properties)
			}
		}
	}
}

// Hundreds of bands are a scene, thousands of files with such names are not; and they are grouped in no more than their number.
func TestLargeScenes(t *testing.T) {
	r := rulesOf(t, "scenes: ['n*']")
	small := bytesOf(t, at(480, 0))
	for n, items := range map[int]int{maxScene: 1, maxScene + 1: maxScene + 1} {
		s := &scene{}
		for i := range n {
			s.add(fmt.Sprintf("x_n%04d.tif", i), small)
		}
		if res, err := s.build(r); err != nil || len(res.Items) != items || len(s.opened) != n {
			t.Errorf("%d files become %d items with %d opened, %v", n, len(res.Items), len(s.opened), err)
		}
	}
}

// TestIDsOfScenesAreApart: a scene's id is never that of a raster or of another scene, whatever they are called.
func TestIDsOfScenesAreApart(t *testing.T) {
	r := rulesOf(t, "scenes: [known, x]")
	c := Collection{"d", ""}
	of := map[string]string{}
	put := func(id, what string) {
		if other, ok := of[id]; ok && other != what {
			t.Errorf("%q and %q both make %q", other, what, id)
		}
		of[id] = what
		checkID(t, id)
	}
	const product = "T33UVP_20210101T101411"
	for key := range hostileKeys() {
		for _, k := range []string{key, strings.TrimSuffix(key, ".tif") + "_B1.tif", product + "/" + key, product + "." + key} {
			put(r.ID(c, k), k)
			put(r.sceneID(c, strings.TrimSuffix(k, ".tif")+"_"), "scene "+strings.TrimSuffix(k, ".tif")+"_")
			put(r.sceneID(c, strings.TrimSuffix(k, ".tif")+"."), "scene "+strings.TrimSuffix(k, ".tif")+".")
			if scene := r.SceneKey(k); len(scene) > 1 && r.bandAt(k[:stemEnd(k)]) >= 0 {
				put(r.sceneID(c, scene), "scene "+scene)
			}
		}
	}
	for _, k := range []string{product + ".tif", product + "_B02.tif"} {
		put(r.ID(c, k), k)
	}
	for _, s := range []string{product + "_", product + ".", product + "/"} {
		put(r.sceneID(c, s), "scene "+s)
	}
}
