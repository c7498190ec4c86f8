package item

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/sidecar"
	"github.com/cairn-stac/cairn/internal/stac"
)

const (
	worldFile = "10\n0\n0\n-10\n500005\n4999995\n"
	auxFile   = `<PAMDataset>
  <SRS>EPSG:32632</SRS>
  <GeoTransform>600000, 5, 0, 4000000, 0, -5</GeoTransform>
  <Metadata><MDI key="ACQUISITIONDATETIME">2020-02-03 04:05:06</MDI></Metadata>
  <PAMRasterBand band="1">
    <Description>elevation</Description><UnitType>m</UnitType><Offset>7</Offset><Scale>3</Scale>
    <NoDataValue>42</NoDataValue>
    <Metadata><MDI key="STATISTICS_MINIMUM">1</MDI><MDI key="STATISTICS_MAXIMUM">9</MDI></Metadata>
  </PAMRasterBand>
</PAMDataset>`
	auxGCPs = `<PAMDataset><GCPList Projection="EPSG:4326"><GCP Pixel="0" Line="0" X="1" Y="2"/><GCP Pixel="64" Line="0" X="2" Y="2"/>
<GCP Pixel="0" Line="32" X="1" Y="1"/></GCPList></PAMDataset>`
)

var utm32 = `PROJCS["WGS_1984_UTM_Zone_32N",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],` +
	`PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",500000.0],` +
	`PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",9.0],PARAMETER["Scale_Factor",0.9996],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]`

// TestGeoreferencing holds which of the places that may tell one gives transform and CRS, and what is read for it. It is what
// GDAL 3.10 does, but for the .prj, and for what in an .aux.xml would hide the file's own transform or CRS and gives none instead.
func TestGeoreferencing(t *testing.T) {
	bare := func(change func(*tiffwrite.Raster)) tiffwrite.Raster {
		return with(func(r *tiffwrite.Raster) {
			r.Keys, r.PixelScale, r.Tiepoints = nil, nil, nil
			if change != nil {
				change(r)
			}
		})
	}
	gcps := func(r *tiffwrite.Raster) {
		r.Keys, r.Tiepoints = tiffwrite.Geographic(4326), []float64{0, 0, 0, 10, 50, 0, 64, 0, 0, 11, 50, 0, 0, 32, 0, 10, 49, 0, 64, 32, 0, 11, 49, 0}
	}
	north := func(x, y, d float64) geotiff.Affine { return geotiff.Affine{X0: x, DX: d, Y0: y, DY: -d} }
	for _, tt := range []struct {
		name      string
		raster    tiffwrite.Raster
		sidecars  map[string]string
		transform geotiff.Affine
		rule      string // of the transform, and where
		code      int
		system    string
		read      string // keys, besides the raster
	}{
		{"its own", utm(), nil, north(500_000, 5_000_000, 10), "header", 32633, "header", ""},
		{"its own, and a world file", utm(), map[string]string{"a.tfw": worldFile, "a.prj": utm32}, north(500_000, 5_000_000, 10), "header", 32633, "header", ""},
		{"its own, and an .aux.xml", utm(), map[string]string{"a.tif.aux.xml": auxFile}, north(600_000, 4_000_000, 5), "aux_xml a.tif.aux.xml", 32632,
			"aux_xml a.tif.aux.xml", "a.tif.aux.xml"},
		{"its own, and an .aux.xml of its stem", utm(), map[string]string{"a.aux.xml": auxFile}, north(500_000, 5_000_000, 10), "header", 32633, "header", ""},
		{"an .aux.xml alone", bare(nil), map[string]string{"a.tif.aux.xml": auxFile, "a.tfw": worldFile}, north(600_000, 4_000_000, 5),
			"aux_xml a.tif.aux.xml", 32632, "aux_xml a.tif.aux.xml", "a.tif.aux.xml"},
		{"its own, and points in the .aux.xml", utm(), map[string]string{"a.tif.aux.xml": auxGCPs}, north(500_000, 5_000_000, 10), "header", 32633, "header",
			"a.tif.aux.xml"},
		{"its own, and an .aux.xml that counts pixels", utm(), map[string]string{"a.tif.aux.xml": "<PAMDataset><GeoTransform>0,1,0,0,0,1</GeoTransform></PAMDataset>"},
			north(500_000, 5_000_000, 10), "header", 32633, "header", "a.tif.aux.xml"},
		{"a CRS in the .aux.xml", utm(), map[string]string{"a.tif.aux.xml": "<PAMDataset><SRS>EPSG:32632</SRS></PAMDataset>"},
			north(500_000, 5_000_000, 10), "header", 32632, "aux_xml a.tif.aux.xml", "a.tif.aux.xml"},
		{"a world file and a .prj", bare(nil), map[string]string{"a.tfw": worldFile, "a.prj": utm32}, north(500_000, 5_000_000, 10), "world_file a.tfw", 32632,
			"prj a.prj", "a.tfw a.prj"},
		{"in capitals", bare(nil), map[string]string{"a.TFW": worldFile, "a.PRJ": utm32}, north(500_000, 5_000_000, 10), "world_file a.TFW", 32632,
			"prj a.PRJ", "a.TFW a.PRJ"},
		{"a .wld", bare(nil), map[string]string{"a.wld": worldFile, "a.prj": utm32}, north(500_000, 5_000_000, 10), "world_file a.wld", 32632,
			"prj a.prj", "a.wld a.prj"},
		{"a broken .tfw and a .tifw", bare(nil), map[string]string{"a.tfw": "x", "a.tifw": worldFile, "a.prj": utm32}, north(500_000, 5_000_000, 10),
			"world_file a.tifw", 32632, "prj a.prj", "a.tfw a.tifw a.prj"},
		{"a world file before points", bare(gcps), map[string]string{"a.tfw": worldFile}, north(500_000, 5_000_000, 10), "world_file a.tfw", 0, "", "a.tfw"},
		{"points", bare(gcps), nil, geotiff.Affine{}, "gcps", 4326, "header", ""},
		{"points in the .aux.xml", bare(gcps), map[string]string{"a.tif.aux.xml": auxGCPs}, geotiff.Affine{}, "gcps a.tif.aux.xml", 4326,
			"aux_xml a.tif.aux.xml", "a.tif.aux.xml"},
		{"a broken .aux.xml", utm(), map[string]string{"a.tif.aux.xml": "<PAMDataset"}, north(500_000, 5_000_000, 10), "header", 32633, "header", "a.tif.aux.xml"},
		{"an unknown CRS in the .aux.xml", utm(), map[string]string{"a.tif.aux.xml": "<PAMDataset><SRS>BOGUS</SRS></PAMDataset>"},
			north(500_000, 5_000_000, 10), "header", 32633, "header", "a.tif.aux.xml"},
		{"a bare one in another's place", bare(func(r *tiffwrite.Raster) { r.PixelScale, r.Tiepoints = utm().PixelScale, utm().Tiepoints }),
			map[string]string{"b.prj": utm32}, north(500_000, 5_000_000, 10), "header", 32631, "assume_crs", ""},
	} {
		s := sceneOf(t, "a.tif", tt.raster)
		for name, text := range tt.sidecars {
			s.add(name, []byte(text))
		}
		res, err := s.build(rulesOf(t, "assume_crs: 32631\nwithout_footprint: item"))
		if err != nil || len(res.Items) != 1 {
			t.Errorf("%s: %+v, %v", tt.name, res, err)
			continue
		}
		checkItem(t, res.Items[0])
		x := res.Explanations[0]
		got := x.Rasters[0]
		where := func(o Origin) string { return strings.TrimSpace(o.Rule + " " + o.Where) }
		if got.Transform == nil && tt.transform != (geotiff.Affine{}) || got.Transform != nil && *got.Transform != tt.transform || where(got.TransformOrigin) != tt.rule {
			t.Errorf("%s: transform %+v of %+v", tt.name, got.Transform, got.TransformOrigin)
		}
		if tt.code != 0 && (got.CRS == nil || got.CRS.Code != tt.code || where(got.CRSOrigin) != tt.system) {
			t.Errorf("%s: CRS %+v of %+v", tt.name, got.CRS, got.CRSOrigin)
		}
		if read := strings.Join(s.opened[1:], " "); read != tt.read {
			t.Errorf("%s: %q were read, want %q", tt.name, read, tt.read)
		}
		if it := res.Items[0]; (tt.rule == "gcps") && (it.Assets["data"].Fields["proj:transform"] != nil || it.Geometry == nil ||
			it.Properties["cairn:footprint_source"] != "gcps" || fmt.Sprint(it.BBox) != "[10 49 11 50]") {
			t.Errorf("%s: %+v", tt.name, it)
		}
		if broken := strings.Contains(tt.name, "broken") || strings.Contains(tt.name, "unknown"); broken != (len(x.Warnings) > 0) {
			t.Errorf("%s: warnings %q", tt.name, x.Warnings)
		}
	}
}

// TestBandsOfSidecars: what the .aux.xml says of bands goes before what the file says, as in GDAL.
func TestBandsOfSidecars(t *testing.T) {
	r := with(func(r *tiffwrite.Raster) { r.Nodata, r.Metadata = "1", gdalMetadata })
	s := sceneOf(t, "a.tif", r).add("a.tif.aux.xml", []byte(auxFile))
	res, err := s.build(rulesOf(t, ""))
	if err != nil || len(res.Items) != 1 {
		t.Fatalf("%+v, %v", res, err)
	}
	it := res.Items[0]
	b := it.Assets["data"].Bands[0]
	if b.Description != "elevation" || b.Name != "elevation" || b.Unit != "m" || *b.Scale != 3 || *b.Offset != 7 || b.Nodata != 42. ||
		b.Statistics["minimum"] != 1. || b.Statistics["maximum"] != 9. || b.Statistics["mean"] != 812.25 {
		t.Errorf("the band is %+v, scale %v, offset %v", b, *b.Scale, *b.Offset)
	}
	if it.Properties["datetime"] != "2020-02-03T04:05:06Z" {
		t.Errorf("the time is %v", it.Properties["datetime"])
	}
}

// TestUnitOfHeights: as in GDAL, bands without a unit of their own have that of a compound CRS's heights.
func TestUnitOfHeights(t *testing.T) {
	for _, tt := range []struct {
		keys []tiffwrite.Key
		want string
	}{
		{append(tiffwrite.Projected(32633), tiffwrite.Key{ID: 4096, Value: uint16(5773)}), "metre"},
		{append(tiffwrite.Projected(32615), tiffwrite.Key{ID: 4096, Value: uint16(6360)}), "US survey foot"},
		{tiffwrite.Projected(7405), "metre"},
		{append(tiffwrite.Geographic(4326), tiffwrite.Key{ID: 4096, Value: uint16(4979)}), ""},
		{tiffwrite.Projected(32633), ""},
	} {
		r := with(func(r *tiffwrite.Raster) { r.Keys = tt.keys })
		if tt.keys[0].Value == uint16(2) {
			r.NorthUp(10, 50, 0.1, 0.1)
		}
		res, err := sceneOf(t, "a.tif", r).build(rulesOf(t, ""))
		if err != nil || len(res.Items) != 1 {
			t.Fatalf("%v: %+v, %v", tt.keys, res, err)
		}
		if b := res.Items[0].Assets["data"].Bands[0]; b.Unit != tt.want {
			t.Errorf("%v: the unit is %q; want %q", tt.keys, b.Unit, tt.want)
		}
	}
}

// TestErrorsOfSidecars: a sidecar that must not be read is a Reject, so that it is tried again and people see it; its raster is none.
func TestErrorsOfSidecars(t *testing.T) {
	for _, cause := range []error{fs.ErrPermission, objstore.ErrArchived} {
		for _, key := range []string{"a.tif.aux.xml", "a_MTL.txt"} {
			s := sceneOf(t, "a.tif", utm()).add("a.tif.aux.xml", []byte(auxFile))
			if key == "a_MTL.txt" {
				s = files(t, map[string]any{"a_B1.tif": utm(), "a_B2.tif": []byte("broken"), key: mtl})
			}
			s.errs[key] = fmt.Errorf("get: %w", cause)
			res, err := s.build(rulesOf(t, ""))
			if err != nil || len(res.Items) != 1 || len(res.Explanations[0].Warnings) != 1 {
				t.Errorf("%s, %v: %+v, %v", key, cause, res, err)
				continue
			}
			n := len(res.Rejects) - 1
			if res.Rejects[n].Key != key || !res.Rejects[n].Retry || res.Roles[len(res.Roles)-1] != RoleReject || res.Of[len(res.Of)-1] != -1 {
				t.Errorf("%s, %v: rejects are %+v, roles %v", key, cause, res.Rejects, res.Roles)
			}
			checkReject(t, res.Rejects[n])
		}
	}
	for _, cause := range []error{fs.ErrNotExist, objstore.ErrPrecondition, objstore.ErrNoStore, errors.Join(objstore.ErrCredentials, fs.ErrPermission)} {
		s := sceneOf(t, "a.tif", utm()).add("a.tif.aux.xml", []byte(auxFile))
		s.errs["a.tif.aux.xml"] = cause
		if res, err := s.build(rulesOf(t, "")); !errors.Is(err, cause) || !strings.HasPrefix(err.Error(), "read sidecar a.tif.aux.xml: ") || res.Roles != nil {
			t.Errorf("%v: %+v, %v", cause, res, err)
		}
	}
	s := sceneOf(t, "a.tif", utm()).add("a.tif.aux.xml", make([]byte, sidecar.MaxBytes+1))
	if res, err := s.build(rulesOf(t, "")); err != nil || len(res.Items) != 1 || len(s.opened) != 1 || len(res.Explanations[0].Warnings) != 1 {
		t.Errorf("a huge one: %v were opened, %+v, %v", s.opened, res, err)
	}
}

const mtl = `GROUP = LANDSAT_METADATA_FILE
  GROUP = IMAGE_ATTRIBUTES
    SPACECRAFT_ID = "LANDSAT_8"
    SENSOR_ID = "OLI_TIRS"
    DATE_ACQUIRED = 2021-01-01
    SCENE_CENTER_TIME = "10:01:02.1234560Z"
    CLOUD_COVER = 12.34
    SUN_ELEVATION = 17.5
    SUN_AZIMUTH = "not told"
  END_GROUP = IMAGE_ATTRIBUTES
END_GROUP = LANDSAT_METADATA_FILE
END
`

func TestLandsat(t *testing.T) {
	const p = "d/LC08_L2SP_193024_20210101_20210310_02_T1_"
	landsat := func() *scene {
		return files(t, map[string]any{
			p + "SR_B4.TIF": at(30, 0), p + "ST_B10.TIF": at(30, 0), p + "QA_PIXEL.TIF": at(30, 0),
			p + "MTL.txt": mtl, p + "MTL.json": "{broken", p + "ANG.txt": "x", p + "thumb_small.jpeg": "x", p + "thumb_large.jpeg": "x",
		})
	}
	s := landsat()
	res, err := s.build(rulesOf(t, ""))
	if err != nil || len(res.Items) != 1 {
		t.Fatalf("%+v, %v", res, err)
	}
	it := res.Items[0]
	checkItem(t, it)
	if slices.Contains(it.Extensions, stac.ExtEO) {
		t.Errorf("an extension that nobody asked for: %v", it.Extensions)
	}
	if it.ID != "LC08_L2SP_193024_20210101_20210310_02_T1" || it.Properties["datetime"] != "2021-01-01T10:01:02Z" ||
		it.Properties["cairn:datetime_source"] != "sidecar" || it.Properties["eo:cloud_cover"] != nil {
		t.Errorf("%s has %v", it.ID, it.Properties)
	}
	for key, role := range map[string]string{"SR_B4": "data", "ST_B10": "data", "QA_PIXEL": "data", "MTL.txt": "metadata", "MTL.json": "metadata",
		"ANG.txt": "metadata", "thumbnail": "thumbnail", "thumb_large.jpeg": "overview"} {
		if a, ok := it.Assets[key]; !ok || a.Roles[0] != role || a.Type == "" {
			t.Errorf("%s is %+v", key, a)
		}
	}
	if b := it.Assets["ST_B10"].Bands[0]; b.Name != "ST_B10" || b.CommonName != "" || it.Assets["QA_PIXEL"].Bands[0].CommonName != "" || len(it.Assets) != 8 {
		t.Errorf("ST_B10 is %+v, of %d assets", b, len(it.Assets))
	}
	x := res.Explanations[0]
	if len(s.opened) != 5 || fmt.Sprint(x.Sidecars) != "["+p+"MTL.txt]" || len(x.Warnings) != 1 || x.Time.Text != "2021-01-01T10:01:02.1234560Z" {
		t.Errorf("%v were opened; %+v", s.opened, x)
	}

	s = landsat()
	res, err = s.build(rulesOf(t, `
datetime: {patterns: '_(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)_'}
properties:
  from_sidecar:
    eo:cloud_cover: IMAGE_ATTRIBUTES.CLOUD_COVER
    view:sun_elevation: SUN_ELEVATION
    view:sun_azimuth: SUN_AZIMUTH
    platform: SPACECRAFT_ID
    instruments: SENSOR_ID
    nowhere: NOWHERE
`))
	if err != nil || len(res.Items) != 1 {
		t.Fatalf("%+v, %v", res, err)
	}
	it = res.Items[0]
	checkItem(t, it)
	if p := it.Properties; p["eo:cloud_cover"] != 12.34 || p["view:sun_elevation"] != 17.5 || p["view:sun_azimuth"] != nil || p["platform"] != "LANDSAT_8" ||
		fmt.Sprint(p["instruments"]) != "[OLI_TIRS]" || p["nowhere"] != nil || p["cairn:datetime_source"] != "config" {
		t.Errorf("properties are %v", p)
	}
	if w := res.Explanations[0].Warnings; len(w) != 2 || !strings.Contains(strings.Join(w, " "), `"not told" is no value of view:sun_azimuth`) {
		t.Errorf("warnings are %q", w)
	}
	s = landsat()
	if _, err = s.build(rulesOf(t, `datetime: {patterns: '_(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)_'}`)); err != nil || len(s.opened) != 3 {
		t.Errorf("%v were opened where nothing is wanted of them, %v", s.opened, err)
	}
}

func TestPropertiesOfMetadata(t *testing.T) {
	r := with(func(r *tiffwrite.Raster) {
		r.Metadata = `<GDALMetadata><Item name="SATELLITEID" domain="IMAGERY">WV02</Item><Item name="CLOUDCOVER" domain="IMAGERY">3.5</Item>
<Item name="CLOUDCOVER" domain="OTHER">7</Item><Item name="CloudCover" sample="0">9</Item><Item name="DAY">2020-01-02</Item>
<Item name="PLACE">here</Item><Item name="PLACE" domain="OTHER">there</Item><Item name="TIME">03:04</Item></GDALMetadata>`
	})
	res, err := sceneOf(t, "a.tif", r).add("a.json", []byte(`{"a": {"cover": 101}, "b": "text", "when": "2019-01-01"}`)).build(rulesOf(t, `
datetime: {from_metadata: [NONE, DAY+TIME]}
properties:
  constants: {mission: m, platform: constant}
  from_metadata: {"eo:cloud_cover": "imagery:CLOUDCOVER", platform: SATELLITEID, b: DAY, place: PLACE}
  from_sidecar: {"eo:snow_cover": cover, b: b}
`))
	if err != nil || len(res.Items) != 1 {
		t.Fatalf("%+v, %v", res, err)
	}
	p := res.Items[0].Properties
	if p["eo:cloud_cover"] != 3.5 || p["eo:snow_cover"] != nil || p["platform"] != "WV02" || p["mission"] != "m" || p["b"] != "text" || p["place"] != "here" ||
		p["datetime"] != "2020-01-02T03:04:00Z" || p["cairn:datetime_source"] != "metadata" {
		t.Errorf("properties are %v", p)
	}
	if a := res.Items[0].Assets["metadata.json"]; a.Type != stac.TypeJSON || a.Roles[0] != "metadata" {
		t.Errorf("assets are %+v", res.Items[0].Assets)
	}
	checkItem(t, res.Items[0])
}

// TestOriginOfTimes: the explanation says where a time stands.
func TestOriginOfTimes(t *testing.T) {
	for key, want := range map[string]Origin{
		"x/S1A_20210101T101411_20210101T101436_b.tif": {fromFileName, "", "20210101T101411_20210101T101436"},
		"x/a_2024-01-31_10-20-30.tif":                 {fromFileName, "", "2024-01-31_10-20-30"},
		"x/MOD.A2022025.h18.tif":                      {fromFileName, "", "2022025"},
		"year=2024/month=02/a.tif":                    {fromPath, "", "2024/02"},
		"y1999/a.tif":                                 {fromConfig, `y(?P<year>\d+)`, "y1999"},
		"a.tif":                                       {fromTag, "tag DateTime", "2021:06:08 23:28:52"},
	} {
		r := with(func(r *tiffwrite.Raster) { r.DateTime = "2021:06:08 23:28:52" })
		res, err := sceneOf(t, key, r).build(rulesOf(t, `datetime: {patterns: 'y(?P<year>\d+)'}`))
		if err != nil || len(res.Explanations) != 1 || res.Explanations[0].Time != want {
			t.Errorf("%s: %+v, %v; want %+v", key, res.Explanations, err, want)
		}
	}
}

// TestExtensions: an extension is declared just where its schema takes all of the Item's properties of its prefix.
func TestExtensions(t *testing.T) {
	for _, tt := range []struct {
		properties map[string]any
		want       string
	}{
		{map[string]any{"eo:cloud_cover": 0.}, "eo"}, {map[string]any{"eo:cloud_cover": int64(100)}, "eo"}, {map[string]any{"eo:cloud_cover": 100.1}, ""},
		{map[string]any{"eo:cloud_cover": "1"}, ""}, {map[string]any{"eo:cloud_cover": 1., "eo:other": 1.}, ""}, {map[string]any{"eo": 1.}, ""},
		{map[string]any{"view:off_nadir": 90., "view:sun_elevation": -90.}, "view"}, {map[string]any{"view:off_nadir": 91.}, ""},
		{map[string]any{"view:sun_azimuth": 360.}, "view"}, {map[string]any{"view:moon_azimuth": 1.}, ""},
		{map[string]any{"sat:orbit_state": "ascending", "sat:relative_orbit": int64(1)}, "sat"}, {map[string]any{"sat:orbit_state": "asc"}, ""},
		{map[string]any{"sat:absolute_orbit": 1.5}, ""}, {map[string]any{"sat:anx_datetime": "2020-01-01T00:00:00Z"}, "sat"},
		{map[string]any{"sat:platform_international_designator": "2015-028A"}, "sat"}, {map[string]any{"landsat:wrs_path": "193"}, ""},
	} {
		var got []string
		for prefix, e := range extensions {
			if e.declared(tt.properties, prefix) {
				got = append(got, prefix)
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%v declares %v, want %q", tt.properties, got, tt.want)
		}
	}
}

func TestWithoutFootprint(t *testing.T) {
	for name, change := range map[string]func(*tiffwrite.Raster){
		"no CRS":       func(r *tiffwrite.Raster) { r.Keys = nil },
		"no transform": func(r *tiffwrite.Raster) { r.PixelScale, r.Tiepoints = nil, nil },
		"off earth":    func(r *tiffwrite.Raster) { r.NorthUp(1e9, 1e9, 10, 10) },
		"unknown CRS":  func(r *tiffwrite.Raster) { r.Keys = tiffwrite.Projected(1) },
	} {
		res, err := sceneOf(t, "a.tif", with(change)).build(rulesOf(t, "without_footprint: item"))
		if err != nil || len(res.Items) != 1 {
			t.Errorf("%s: %+v, %v", name, res, err)
			continue
		}
		it := res.Items[0]
		checkItem(t, it)
		if it.Geometry != nil || it.BBox != nil || it.Properties["datetime"] == nil || res.Explanations[0].Rasters[0].NoFootprint == nil {
			t.Errorf("%s: %+v", name, it)
		}
	}
}

// FuzzScene gives hostile sidecars to a scene of two bands and a raster by itself, whose Items stay what can be written.
func FuzzScene(f *testing.F) {
	f.Add([]byte(auxFile), []byte(worldFile), []byte(utm32), []byte(mtl))
	f.Add([]byte(auxGCPs), []byte("1,5 0 0 -1 0 0"), []byte("EPSG:4326"), []byte(`{"CLOUD_COVER": [1, {"x": 2}], "DATE_ACQUIRED": "2020-01-01"}`))
	f.Add([]byte("\xff\xfe<\x00"), []byte{}, []byte("GEOGCS["), []byte("<a b='1'/>"))
	band, bare := bytesOf(f, at(30, 0)), bytesOf(f, tiffwrite.Raster{Width: 8, Height: 8, Bands: 3})
	r := rulesOf(f, `
without_footprint: item
datetime: {from_sidecar: [when, DATE_ACQUIRED+SCENE_CENTER_TIME], from_metadata: T}
properties:
  from_sidecar: {"eo:cloud_cover": CLOUD_COVER, gsd: x, instruments: b, "a": a}
  from_metadata: {"view:off_nadir": A, created: B}
`)
	f.Fuzz(func(t *testing.T, aux, world, prj, fields []byte) {
		s := (&scene{}).add("x.B1.tif", band).add("x.B1.tif.aux.xml", aux).add("x.B2.tif", bare).add("x.B2.tfw", world).add("x.B2.prj", prj).
			add("x.json", fields).add("x.tif", bare).add("x.tif.aux.xml", aux).add("x.tfw", world).add("x.prj", prj)
		res, err := s.build(r)
		if err != nil || len(res.Items)+len(res.Rejects) == 0 {
			t.Fatalf("%+v, %v", res, err)
		}
		for i, it := range res.Items {
			line, err := it.Line()
			if err != nil {
				t.Fatal(err)
			}
			if back, err := stac.DecodeItem(line); err != nil || len(back.Assets) != len(it.Assets) {
				t.Errorf("%s reads back as %v", line, err)
			}
			if len(res.Explanations[i].Rasters) == 0 {
				t.Errorf("%s is not explained", it.ID)
			}
		}
		for _, reject := range res.Rejects {
			checkReject(t, reject)
		}
	})
}
