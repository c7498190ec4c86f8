package item

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/geotiff/tifftest"
	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/stac"
)

var modified = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

// A scene is a set of files in memory, in the order of their keys; it counts what is asked of it.
type scene struct {
	keys   []string
	files  map[string][]byte
	errs   map[string]error
	good   int // reads of each file that succeed before its error
	class  string
	opened []string
	reads  int
}

func sceneOf(t testing.TB, key string, r tiffwrite.Raster) *scene {
	t.Helper()
	return (&scene{}).add(key, bytesOf(t, r))
}

func bytesOf(t testing.TB, r tiffwrite.Raster) []byte {
	t.Helper()
	b, err := r.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (s *scene) add(key string, data []byte) *scene {
	if s.files == nil {
		s.files, s.errs = map[string][]byte{}, map[string]error{}
	}
	s.keys = append(s.keys, key)
	s.files[key] = data
	return s
}

func (s *scene) objects() (objs []objstore.Object) {
	for _, key := range s.keys {
		objs = append(objs, objstore.Object{Key: key, Size: int64(len(s.files[key])), Modified: modified, Class: s.class})
	}
	return objs
}

func (s *scene) open(o objstore.Object) io.ReaderAt {
	s.opened = append(s.opened, o.Key)
	return &file{s, bytes.NewReader(s.files[o.Key]), s.errs[o.Key]}
}

type file struct {
	scene *scene
	r     *bytes.Reader
	err   error
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.scene.reads++
	if f.err != nil && f.scene.reads > f.scene.good {
		return 0, f.err
	}
	return f.r.ReadAt(p, off)
}

func (s *scene) build(r *Rules) (Result, error) {
	return r.Build(r.Collection(s.keys[0]), s.objects(), s.open)
}

// utm is a small raster in UTM zone 33N.
func utm() tiffwrite.Raster {
	r := tiffwrite.Raster{Width: 64, Height: 32, Keys: tiffwrite.Projected(32633)}
	r.NorthUp(500_000, 5_000_000, 10, 10)
	return r
}

func with(change func(*tiffwrite.Raster)) tiffwrite.Raster {
	r := utm()
	change(&r)
	return r
}

func TestRejects(t *testing.T) {
	key := func(id, v uint16) tiffwrite.Key { return tiffwrite.Key{ID: id, Value: v} }
	whole := bytesOf(t, utm())
	for _, tt := range []struct {
		name, yaml string
		data       []byte
		err        error
		code, want string // want is part of the message
	}{
		{"empty", "", nil, nil, CodeEmpty, "the file is empty"},
		{"text", "", []byte("<html>not found</html>"), nil, CodeNotTIFF, "rename it"},
		{"cut off", "", whole[:60], nil, CodeTruncated, "upload it again"},
		// A CRS or a place that the file does tell must not be made up for.
		{"CRS cut off", "assume_crs: 25832", tifftest.File(whole).Value(0, 34735, 1<<20), nil, CodeTruncated, "GeoKeyDirectoryTag"},
		{"place cut off", "", tifftest.File(whole).Value(0, 33550, 1<<20), nil, CodeTruncated, "ModelPixelScaleTag"},
		{"no pixels", "", append([]byte("II*\x00\x08\x00\x00\x00"), make([]byte, 6)...), nil, CodeMalformed, "gdal_translate"},
		{"bare", "", bytesOf(t, tiffwrite.Raster{Width: 8, Height: 8}), nil, CodeNoTransform, "the file has no geotransform"},
		{"GCPs", "", bytesOf(t, with(func(r *tiffwrite.Raster) {
			r.PixelScale, r.Tiepoints = nil, []float64{0, 0, 0, 1, 1, 0, 8, 0, 0, 2, 1, 0, 4, 8, 0, 3, 1, 0}
		})), nil, CodeNoTransform, "ground control points"},
		{"RPCs", "", bytesOf(t, with(func(r *tiffwrite.Raster) {
			r.PixelScale, r.Tiepoints, r.Tags = nil, nil, []tiffwrite.Tag{{ID: 50844, Value: make([]float64, 92)}}
		})), nil, CodeNoTransform, "rational polynomial"},
		{"pixel counts", "", bytesOf(t, with(func(r *tiffwrite.Raster) {
			r.PixelScale, r.Tiepoints = nil, nil
			r.Matrix = []float64{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}
		})), nil, CodeNoTransform, "no geotransform"},
		{"no CRS", "", bytesOf(t, with(func(r *tiffwrite.Raster) { r.Keys = nil })), nil, CodeNoCRS, "assume_crs"},
		{"no code", "assume_crs: 32633", bytesOf(t, with(func(r *tiffwrite.Raster) { r.Keys = []tiffwrite.Key{key(1024, 1)} })), nil,
			CodeUnsupportedCRS, "reproject"},
		{"user-defined without a definition", "assume_crs: 32633", bytesOf(t, with(func(r *tiffwrite.Raster) {
			r.Keys = []tiffwrite.Key{key(1024, 1), {ID: 1026, Value: "My grid"}, key(2048, 4326), key(3072, 32767)}
		})), nil, CodeUnsupportedCRS, "without a projection"},
		{"user-defined model", "", bytesOf(t, with(func(r *tiffwrite.Raster) {
			r.Keys = []tiffwrite.Key{key(1024, 32767), key(2048, 4326)}
		})), nil, CodeUnsupportedCRS, "without a definition"},
		{"the Moon", "assume_crs: 32633", bytesOf(t, with(func(r *tiffwrite.Raster) {
			r.Keys = []tiffwrite.Key{key(1024, 2), key(2048, 32767), {ID: 2049, Value: "GCS Name = Moon|Datum = D_Moon_2000|"}, key(2050, 32767),
				key(2056, 32767), {ID: 2057, Value: 1737400.}, {ID: 2058, Value: 1737400.}}
		})), nil, CodeNotEarth, "without_footprint"},
		{"geocentric", "", bytesOf(t, with(func(r *tiffwrite.Raster) { r.Keys = []tiffwrite.Key{key(1024, 3), key(2048, 4978)} })), nil,
			CodeUnsupportedCRS, "geocentric"},
		{"unknown code", "", bytesOf(t, with(func(r *tiffwrite.Raster) { r.Keys = tiffwrite.Projected(1) })), nil, CodeUnsupportedCRS, "EPSG:1"},
		{"off earth", "", bytesOf(t, with(func(r *tiffwrite.Raster) { r.NorthUp(1e9, 1e9, 10, 10) })), nil, CodeOffEarth, "geotransform"},
		{"no area", "", bytesOf(t, with(func(r *tiffwrite.Raster) { r.NorthUp(500_000, 5_000_000, 1e-9, 1e-9) })), nil,
			CodeNoTransform, "no area"},
		{"no time", "datetime: {fallback: reject}", whole, nil, CodeNoDatetime, "datetime.patterns"},
		{"denied", "", whole, fmt.Errorf("get: %w", fs.ErrPermission), CodeDenied, "grant read access"},
		{"archived", "", whole, fmt.Errorf("get: %w", objstore.ErrArchived), CodeArchived, "restore it"},
	} {
		s := (&scene{}).add("d/a.tif", tt.data)
		s.errs["d/a.tif"] = tt.err
		res, err := s.build(rulesOf(t, tt.yaml))
		if err != nil || len(res.Rejects) != 1 || len(res.Items) != 0 {
			t.Errorf("%s: %+v, %v; want a Reject", tt.name, res, err)
			continue
		}
		got := res.Rejects[0]
		if got.Code != tt.code || !strings.Contains(got.Message, tt.want) || got.Key != "d/a.tif" || res.Roles[0] != RoleReject {
			t.Errorf("%s: %+v, want code %s and %q", tt.name, got, tt.code, tt.want)
		}
		checkReject(t, res.Rejects[0])
	}
}

func TestErrorsOfReaders(t *testing.T) {
	twoReads := with(func(r *tiffwrite.Raster) { r.Metadata = strings.Repeat(" ", 40<<10) + gdalMetadata })
	for _, cause := range []error{
		fs.ErrNotExist, objstore.ErrPrecondition, errors.New("connection reset"),
		objstore.ErrNoStore, fmt.Errorf("get imagery/d/a.tif: %w", objstore.ErrNoStore),
		objstore.ErrCredentials, fmt.Errorf("get imagery/d/a.tif: %w", objstore.ErrCredentials),
		errors.Join(fs.ErrPermission, objstore.ErrCredentials), errors.Join(objstore.ErrNoStore, fs.ErrPermission, objstore.ErrArchived),
	} {
		for _, src := range []Source{photos, bucket} {
			for good := range 2 { // reads that succeed before
				s := sceneOf(t, "d/a.tif", twoReads)
				s.errs["d/a.tif"], s.good = cause, good
				res, err := s.build(rulesAt(t, "", src))
				if !errors.Is(err, cause) || !strings.HasPrefix(err.Error(), "read header of d/a.tif: ") || res.Roles != nil || s.reads != good+1 {
					t.Errorf("%v after %d of %d reads becomes %+v, %v", cause, good, s.reads, res, err)
				}
			}
		}
	}
}

// TestRefusals: what a refused or archived file says fits where it is, and what is said of it in the documentation.
func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		src   Source
		class string
		err   error
		want  string
	}{
		{photos, "", fs.ErrPermission, "the file may not be read, or is a link that leads out of the source; grant read access, or leave it out " +
			"with exclude in cairn.yaml; each refresh tries again"},
		{bucket, "", fs.ErrPermission, "the bucket refuses to have the file read, which takes s3:GetObject; kms:Decrypt where a KMS key " +
			"encrypts it; --request-payer where the requester pays; grant read access, or leave it out with exclude in cairn.yaml; " +
			"each refresh tries again"},
		{bucket, "DEEP_ARCHIVE", objstore.ErrArchived, "the file is archived (storage class DEEP_ARCHIVE); restore it with " +
			"aws s3api restore-object, or copy it to another storage class; each refresh tries again"},
		{bucket, "", objstore.ErrArchived, "the file is archived; restore it with aws s3api restore-object, or copy it to another storage " +
			"class; each refresh tries again"},
	} {
		s := sceneOf(t, "d/a.tif", utm())
		s.errs["d/a.tif"], s.class = fmt.Errorf("get: %w", tt.err), tt.class
		res, err := s.build(rulesAt(t, "", tt.src))
		if err != nil || len(res.Rejects) != 1 || res.Rejects[0].Message != tt.want || !res.Rejects[0].Retry {
			t.Errorf("%v: %+v, %v\nwant %s", tt.err, res.Rejects, err, tt.want)
		}
	}
}

// TestScene holds what is opened: rasters, each with as many reads as its header takes, and no sidecar.
func TestScene(t *testing.T) {
	r := rulesOf(t, "")
	s := sceneOf(t, "d/a.TIFF", utm().Optimized()).add("d/a.aux.xml", []byte("x")).add("d/a.jpg", []byte("x")).
		add("d/a.tfw", nil).add("d/a.tif", []byte("x")).add("d/a.tif.ovr", []byte("x"))
	res, err := s.build(r)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(res.Roles); got != "[asset sidecar sidecar sidecar reject sidecar]" {
		t.Errorf("roles are %s", got)
	}
	if len(res.Items) != 1 || res.Items[0].Collection != "d" || res.Items[0].ID != "a-"+hash8("d/a.TIFF") ||
		len(res.Rejects) != 1 || res.Rejects[0].Key != "d/a.tif" {
		t.Errorf("result is %+v", res)
	}
	if fmt.Sprint(s.opened) != "[d/a.TIFF d/a.tif]" || s.reads != 2 {
		t.Errorf("%v were opened and %d reads made", s.opened, s.reads)
	}

	s = (&scene{}).add("d/a.aux.xml", []byte("x")).add("d/a.tfw", []byte("x"))
	if res, err = s.build(r); err != nil || fmt.Sprint(res.Roles) != "[other other]" || s.opened != nil {
		t.Errorf("sidecars of nothing are %v, %v; %v were opened", res.Roles, err, s.opened)
	}
	if res, err = r.Build(Collection{}, nil, nil); err != nil || len(res.Roles) != 0 {
		t.Errorf("nothing becomes %+v, %v", res, err)
	}
}

func itemOf(t *testing.T, yaml, key string, r tiffwrite.Raster) *stac.Item {
	t.Helper()
	res, err := sceneOf(t, key, r).build(rulesOf(t, yaml))
	if err != nil || len(res.Items) != 1 {
		t.Fatalf("%s becomes %+v, %v", key, res, err)
	}
	checkItem(t, res.Items[0])
	return res.Items[0]
}

func TestProperties(t *testing.T) {
	it := itemOf(t, `
properties:
  constants: {platform: drone, mission: m, gsd: 5, "a:list": [1, x]}
  from_path:
    - '(?P<mission>S2[AB])?_(?P<sat__orbit_state>asc|desc)'
    - '/(?P<mission>[A-Z]+)(?P<none>0)?_'
`, "d/ABC_asc_\x01.tif", utm())
	for name, want := range map[string]any{
		"platform": "drone", "mission": "ABC", "sat:orbit_state": "asc", "gsd": int64(5), "none": nil,
	} {
		if got := it.Properties[name]; got != want {
			t.Errorf("%s is %#v, want %#v", name, got, want)
		}
	}
}

func TestCRSOfItems(t *testing.T) {
	key := func(id, v uint16) tiffwrite.Key { return tiffwrite.Key{ID: id, Value: v} }
	for _, tt := range []struct {
		name, yaml string
		keys       []tiffwrite.Key
		code       any
		gsd        any
	}{
		{"projected", "", tiffwrite.Projected(32633), "EPSG:32633", 10.},
		{"projected, and a geographic code", "", append(tiffwrite.Projected(32633), key(2048, 4326)), "EPSG:32633", 10.},
		{"projected, compound", "", append(tiffwrite.Projected(32633), key(4096, 5773)), "EPSG:32633", 10.},
		{"no model type", "", []tiffwrite.Key{key(2048, 4326), key(3072, 32633)}, "EPSG:32633", 10.},
		{"in feet", "", append(tiffwrite.Projected(32165), key(3076, 9003)), "EPSG:32165", 3.048006},
		{"in feet, though the code is in metres", "", append(tiffwrite.Projected(32633), key(3076, 9003)), nil, 3.048006},
		{"user-defined by its method", "", []tiffwrite.Key{key(1024, 1), key(2048, 4326), key(3072, 32767), key(3075, 1),
			{ID: 3081, Value: 0.}, {ID: 3080, Value: 15.5}, {ID: 3092, Value: 0.9996}, {ID: 3082, Value: 500_000.}}, nil, 10.},
		{"a UTM zone by its method", "", []tiffwrite.Key{key(1024, 1), key(2048, 4326), key(3072, 32767), key(3075, 1),
			{ID: 3081, Value: 0.}, {ID: 3080, Value: 15.}, {ID: 3092, Value: 0.9996}, {ID: 3082, Value: 500_000.}}, "EPSG:32633", 10.},
		{"Web Mercator", "", tiffwrite.Projected(3857), "EPSG:3857", nil},
		{"assumed", "assume_crs: EPSG:32632", nil, "EPSG:32632", 10.},
		{"assumed, but told", "assume_crs: EPSG:32632", tiffwrite.Projected(32633), "EPSG:32633", 10.},
	} {
		res, err := sceneOf(t, "a.tif", with(func(r *tiffwrite.Raster) { r.Keys = tt.keys })).build(rulesOf(t, tt.yaml))
		if err != nil || len(res.Items) != 1 {
			t.Errorf("%s: %+v, %v", tt.name, res, err)
			continue
		}
		p := res.Items[0].Properties
		if p["proj:code"] != tt.code || tt.gsd != nil && p["gsd"] != tt.gsd || tt.name == "Web Mercator" && p["gsd"] != nil {
			t.Errorf("%s: %v with a gsd of %v, want %s and %v", tt.name, p["proj:code"], p["gsd"], tt.code, tt.gsd)
		}
		if (p["proj:code"] == nil) != (p["proj:wkt2"] != nil && p["proj:projjson"] != nil) {
			t.Errorf("%s: definitions %v, %v beside the code %v", tt.name, p["proj:wkt2"], p["proj:projjson"], p["proj:code"])
		}
		checkItem(t, res.Items[0])
	}
	degrees := with(func(r *tiffwrite.Raster) {
		r.Keys = tiffwrite.Geographic(4326)
		r.NorthUp(10, 50, 0.01, 0.01)
	})
	if p := itemOf(t, "", "a.tif", degrees).Properties; p["proj:code"] != "EPSG:4326" || p["gsd"] != nil || p["cairn:datum_shift"] != nil {
		t.Errorf("properties are %v", p)
	}
}

func TestNodata(t *testing.T) {
	for _, tt := range []struct {
		dataType, text string
		want           any
	}{
		{"uint8", "0", 0.}, {"int16", "-9999", -9999.}, {"uint8", " 255 ", 255.}, {"float64", "1e-3", 0.001},
		{"float32", "-3.4028234663852886e+38", -math.MaxFloat32}, {"float32", "nan", "nan"}, {"float64", "-nan", "nan"},
		{"float64", "1.#QNAN", "nan"}, {"float32", "inf", "inf"}, {"float64", "-Infinity", "-inf"}, {"float64", "1e999", "inf"},
		{"uint8", "-9999", -9999.}, {"float64", "", nil}, {"int64", "-9223372036854775808", int64(math.MinInt64)},
		{"uint64", "18446744073709551615", uint64(math.MaxUint64)},
	} {
		if got := jsonNumber(geotiff.Band{DataType: tt.dataType}.NodataValue(tt.text)); got != tt.want {
			t.Errorf("nodata %q of %s is %#v, want %#v", tt.text, tt.dataType, got, tt.want)
		}
	}
}

func TestManyBands(t *testing.T) {
	wide := with(func(r *tiffwrite.Raster) { r.Bands = maxBands + 1 })
	if bands := itemOf(t, "", "a.tif", wide).Assets["data"].Bands; bands != nil {
		t.Errorf("%d bands are described", len(bands))
	}
	wide.Bands = maxBands
	if bands := itemOf(t, "", "a.tif", wide).Assets["data"].Bands; len(bands) != maxBands {
		t.Errorf("%d bands are described", len(bands))
	}
}

// FuzzBuild gives hostile bytes to the whole way from a file to the line of an Item.
func FuzzBuild(f *testing.F) {
	for _, r := range goldens() {
		f.Add(bytesOf(f, r), "d/2024/a.tif")
	}
	r := rulesOf(f, "assume_crs: 32633\nproperties: {from_path: '(?P<a__b>.+)'}")
	f.Fuzz(func(t *testing.T, data []byte, key string) {
		key = strings.TrimSuffix(key, "/") + ".tif"
		res, err := (&scene{}).add(key, data).build(r)
		if err != nil || len(res.Items)+len(res.Rejects) != 1 || len(res.Roles) != 1 {
			t.Fatalf("%+v, %v", res, err)
		}
		for _, reject := range res.Rejects {
			checkReject(t, reject)
		}
		for _, it := range res.Items {
			if _, err := it.Line(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestBuildCost bounds what a scan spends on each of a million files.
func TestBuildCost(t *testing.T) {
	build := buildCOG(t)
	if n := testing.AllocsPerRun(50, build); n > 150 {
		t.Errorf("Build of a COG makes %v allocations", n)
	}
}

func BenchmarkBuildCOG(b *testing.B) {
	build := buildCOG(b)
	b.ReportAllocs()
	for b.Loop() {
		build()
	}
}

// buildCOG returns a function that builds the Item of a COG in memory.
func buildCOG(t testing.TB) func() {
	raster := with(func(r *tiffwrite.Raster) { r.Width, r.Height = 4096, 4096 })
	s := sceneOf(t, "d/S2A_20240131T102030_B02.tif", raster.Optimized())
	r, objs := rulesOf(t, ""), s.objects()
	c := r.Collection(objs[0].Key)
	in := bytes.NewReader(s.files[objs[0].Key])
	return func() {
		if res, err := r.Build(c, objs, func(objstore.Object) io.ReaderAt { return in }); err != nil || len(res.Items) != 1 {
			t.Fatal(res, err)
		}
	}
}

func BenchmarkKeys(b *testing.B) {
	r := rulesOf(b, "")
	b.ReportAllocs()
	for b.Loop() {
		r.Kind("ortho/2024/tile_123_456.tif")
		r.SceneKey("ortho/2024/tile_123_456.tif")
		r.Collection("ortho/2024/tile_123_456.tif")
	}
}
