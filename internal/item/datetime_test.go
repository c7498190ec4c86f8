package item

import (
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/sidecar"
)

func noFields() ([]fieldSet, error) { return nil, nil }

// told is a span as "start/end source", or "start source" for an instant.
func told(s span, ok bool, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case !ok:
		return "none"
	case s.start.Equal(s.end):
		return s.start.Format(time.RFC3339) + " " + s.origin.Rule
	}
	return s.start.Format(time.RFC3339) + "/" + s.end.Format(time.RFC3339) + " " + s.origin.Rule
}

func TestTimeOfKey(t *testing.T) {
	r := rulesOf(t, "datetime: {fallback: reject}")
	for key, want := range map[string]string{
		// file names
		"20240131.tif":               "2024-01-31T00:00:00Z file_name",
		"a_20240131_b.tif":           "2024-01-31T00:00:00Z file_name",
		"a_2024-01-31.tif":           "2024-01-31T00:00:00Z file_name",
		"a_2024_01_31_b.tif":         "2024-01-31T00:00:00Z file_name",
		"2024.01.31.tif":             "2024-01-31T00:00:00Z file_name",
		"20240131T102030.tif":        "2024-01-31T10:20:30Z file_name",
		"20240131t1020Z.tif":         "2024-01-31T10:20:00Z file_name",
		"20240131_102030_ssc1.tif":   "2024-01-31T10:20:30Z file_name",
		"20240131-102030.tif":        "2024-01-31T10:20:30Z file_name",
		"20240131102030.tif":         "2024-01-31T10:20:30Z file_name",
		"202401311020.tif":           "2024-01-31T10:20:00Z file_name",
		"20240131T102030123.tif":     "2024-01-31T10:20:30Z file_name",
		"2024-01-31T10:20:30Z.tif":   "2024-01-31T10:20:30Z file_name",
		"2024-01-31_10-20-30.tif":    "2024-01-31T10:20:30Z file_name",
		"2024-01-31T10-20.tif":       "2024-01-31T10:20:00Z file_name",
		"20240131_256060.tif":        "2024-01-31T00:00:00Z file_name", // no time of day
		"20240131_1020.tif":          "2024-01-31T00:00:00Z file_name", // perhaps a tile
		"tile_99999999_20240131.tif": "2024-01-31T00:00:00Z file_name",
		"20200229.tif":               "2020-02-29T00:00:00Z file_name",
		"S2A_MSIL2A_20240131T102030_N0510_T32TQM_20240131T150000.tif": "2024-01-31T10:20:30Z file_name",
		"LC08_L2SP_233087_20210101_20210303_02_T1.tif":                "2021-01-01T00:00:00Z file_name",
		// what missions have in their names
		"S1A_IW_GRDH_1SDV_20210101T101411_20210101T101436_035999_04379A_3E2B.tif":      "2021-01-01T10:14:11Z/2021-01-01T10:14:36Z file_name",
		"s1a-iw-grd-vv-20210101t101411-20210101t101436-035999-04379a-001.tif":          "2021-01-01T10:14:11Z/2021-01-01T10:14:36Z file_name",
		"S5P_OFFL_L2__NO2____20210101T101411_20210101T115541_16700_01.tif":             "2021-01-01T10:14:11Z/2021-01-01T11:55:41Z file_name",
		"20190803T154559_20190803T154611_T18TWL_B4.tif":                                "2019-08-03T15:45:59Z file_name", // Earth Engine: processing
		"T33UVP_20210101T101411_B02_10m.tif":                                           "2021-01-01T10:14:11Z file_name",
		"20210101T101411_20210301T000000.tif":                                          "2021-01-01T10:14:11Z file_name", // no pass
		"20210101T101411_20200101T000000.tif":                                          "2021-01-01T10:14:11Z file_name",
		"20210101_20210310_x.tif":                                                      "2021-01-01T00:00:00Z file_name",
		"LC08_L2SP_193024_20210101_20210310_02_T1_SR_B4.TIF":                           "2021-01-01T00:00:00Z file_name",
		"LC81360302014162LGN00.tif":                                                    "2014-06-11T00:00:00Z file_name",
		"L71226098_09820011112_B10.TIF":                                                "2001-11-12T00:00:00Z file_name",
		"MOD09GA.A2022025.h18v04.061.2022027034029.tif":                                "2022-01-25T00:00:00Z file_name",
		"VNP13A1.A2020366.h18v04.001.tif":                                              "2020-12-31T00:00:00Z file_name",
		"HLS.S30.T33UVP.2021001T101411.v2.0.B02.tif":                                   "2021-01-01T10:14:11Z file_name",
		"MOD13Q1.006__250m_16_days_NDVI_doy2022025_aid0001.tif":                        "2022-01-25T00:00:00Z file_name",
		"ndvi_2022025.tif":                                                             "2022-01-25T00:00:00Z file_name",
		"20210101_101411_12_2212_3B_AnalyticMS.tif":                                    "2021-01-01T10:14:11Z file_name",
		"m_3807511_ne_18_060_20181104.tif":                                             "2018-11-04T00:00:00Z file_name",
		"m_3008501_ne_16_1_20110815_20111005.tif":                                      "2011-08-15T00:00:00Z file_name",
		"OR_ABI-L2-MCMIPC-M6_G16_s20220121200212_e20220121202585_c20220121203050.tif":  "2022-01-12T12:00:21Z/2022-01-12T12:02:58Z file_name",
		"AST_L1T_00305032000040446_20150409135350_78838.tif":                           "2000-05-03T04:04:46Z file_name",
		"S3A_OL_1_EFR____20200703T154217_20200703T154517_20200704T201053_0179_060.tif": "2020-07-03T15:42:17Z/2020-07-03T15:45:17Z file_name",
		"SkySat_20170831T195552Z_RGB.tif":                                              "2017-08-31T19:55:52Z file_name",
		"CBERS_4_MUX_20171121_057_094_L2_BAND5.tif":                                    "2017-11-21T00:00:00Z file_name",
		// no dates
		"m_3807511_ne_18_060.tif": "none", "ndvi_2022366.tif": "none", "ndvi_2022000.tif": "none", "x2022025.tif": "none", "ndvi_1822025.tif": "none",
		"1612137600.tif": "none", "1612137600123.tif": "none", "tile_12345678.tif": "none", "193024.tif": "none", "tile_2052025.tif": "none",
		"20240132.tif": "none", "20241301.tif": "none", "20230229.tif": "none", "18991231.tif": "none", "21000101.tif": "none",
		"120240131.tif": "none", "202401310.tif": "none", "2024-13-01.tif": "none", "2024-01_31.tif": "none", "2024-1-31.tif": "none",
		"2024-01-311.tif": "none", "12024-01-31.tif": "none", "2024.tif": "none", "dem_2019.tif": "none", "202401.tif": "none",
		"2024-01.tif": "none", "": "none", "2024-01-3": "none", "2024-01-": "none", "2024": "none",
		// directories
		"2024/01/31/a.tif":                "2024-01-31T00:00:00Z path",
		"x/2024/01/31/12/a.tif":           "2024-01-31T00:00:00Z path",
		"x/20240131/a.tif":                "2024-01-31T00:00:00Z path",
		"x/2024-01-31/y/a.tif":            "2024-01-31T00:00:00Z path",
		"x/2024/20230131/a.tif":           "2023-01-31T00:00:00Z path", // the deepest
		"S2A_20240131T102030.SAFE/B2.tif": "2024-01-31T10:20:30Z path",
		"2024/a.tif":                      "2024-01-01T00:00:00Z/2024-12-31T23:59:59Z path",
		"2024/02/a.tif":                   "2024-02-01T00:00:00Z/2024-02-29T23:59:59Z path",
		"2024-02/a.tif":                   "2024-02-01T00:00:00Z/2024-02-29T23:59:59Z path",
		"202402/a.tif":                    "2024-02-01T00:00:00Z/2024-02-29T23:59:59Z path",
		"202402/03/a.tif":                 "2024-02-03T00:00:00Z path",
		"2024/02/tiles/a.tif":             "2024-02-01T00:00:00Z/2024-02-29T23:59:59Z path",
		"2024/13/a.tif":                   "2024-01-01T00:00:00Z/2024-12-31T23:59:59Z path",
		"2024/031/a.tif":                  "2024-01-31T00:00:00Z path",
		"MOD09GA/year=2024/doy=060/a.tif": "2024-02-29T00:00:00Z path",
		"2023/366/a.tif":                  "2023-01-01T00:00:00Z/2023-12-31T23:59:59Z path",
		"MOD09GA.A2022025/a.tif":          "2022-01-25T00:00:00Z path",
		"S1A_IW_20210101T101411_20210101T101436_3E2B/vv.tif": "2021-01-01T10:14:11Z/2021-01-01T10:14:36Z path",
		"2024/02/30/a.tif":                "2024-02-01T00:00:00Z/2024-02-29T23:59:59Z path",
		"year=2024/month=02/day=03/a.tif": "2024-02-03T00:00:00Z path",
		"date=2024-02-03/a.tif":           "2024-02-03T00:00:00Z path",
		"1234/a.tif":                      "none", "x/a.tif": "none", "2024x/a.tif": "none", "//a.tif": "none", "12/31/a.tif": "none",
	} {
		if got := told(r.spanOf([]witness{{key: key}}, noFields)); got != want {
			t.Errorf("time of %q is %s, want %s", key, got, want)
		}
	}
}

func TestTimeFromConfig(t *testing.T) {
	r := rulesOf(t, `
datetime:
  fallback: reject
  patterns:
    - 'y(?P<year>\d+)(?:m(?P<month>\d\d))?(?:d(?P<day>\d\d))?(?:h(?P<hour>\d\d))?'
    - '(?P<start_year>\d{4})(?P<start_month>\d\d)?-(?P<end_year>\d{4})(?P<end_month>\d\d)?'
    - 'D(?P<start_year>\d{4})_(?P<start_month>\d\d)_(?P<start_day>\d\d)to(?P<end_year>\d{4})_(?P<end_month>\d\d)_(?P<end_day>\d\d)'
`)
	for key, want := range map[string]string{
		"y2024.tif":                   "2024-01-01T00:00:00Z/2024-12-31T23:59:59Z config",
		"y2024m02.tif":                "2024-02-01T00:00:00Z/2024-02-29T23:59:59Z config",
		"y2024m02d03.tif":             "2024-02-03T00:00:00Z config",
		"y2024m02d03h04.tif":          "2024-02-03T04:00:00Z config",
		"y1745.tif":                   "1745-01-01T00:00:00Z/1745-12-31T23:59:59Z config",
		"y24.tif":                     "none",
		"y99999999999999999999.tif":   "none",
		"y2024m13.tif":                "none",
		"y2024m13_20200101.tif":       "2020-01-01T00:00:00Z file_name",
		"dir/y2024/20200101.tif":      "2024-01-01T00:00:00Z/2024-12-31T23:59:59Z config",
		"2019-2021.tif":               "2019-01-01T00:00:00Z/2021-12-31T23:59:59Z config",
		"201903-201904.tif":           "2019-03-01T00:00:00Z/2019-04-30T23:59:59Z config",
		"2021-2019.tif":               "none",
		"D2019_01_01to2019_01_31.tif": "2019-01-01T00:00:00Z/2019-01-31T23:59:59Z config",
		"D2019_01_01to2019_02_31.tif": "2019-01-01T00:00:00Z file_name",
	} {
		if got := told(r.spanOf([]witness{{key: key}}, noFields)); got != want {
			t.Errorf("time of %q is %s, want %s", key, got, want)
		}
	}
}

func TestParseTime(t *testing.T) {
	for s, want := range map[string]string{
		"2021:06:08 23:28:52":            "2021-06-08T23:28:52Z",
		"2021:06:08 23:28:52\x00":        "2021-06-08T23:28:52Z",
		" 2021-06-08T23:28:52Z ":         "2021-06-08T23:28:52Z",
		"2021-06-08T23:28:52.123+02:00":  "2021-06-08T21:28:52Z",
		"2021-06-08 23:28:52-0330":       "2021-06-09T02:58:52Z",
		"2021/06/08 9:28":                "2021-06-08T09:28:00Z",
		"2021:6:8":                       "2021-06-08T00:00:00Z",
		"2021-06-08 23:28:52 UTC":        "2021-06-08T23:28:52Z",
		"20210608T232852":                "2021-06-08T23:28:52Z",
		"20210608":                       "2021-06-08T00:00:00Z",
		"20210608T232852.123Z":           "2021-06-08T23:28:52Z",
		"20210608T232852+0100":           "2021-06-08T22:28:52Z",
		"20210608 23:28:52-03:30":        "2021-06-09T02:58:52Z",
		"20210608T2328520100":            "",
		"20210608 to 20210610":           "",
		"2021:06:08 23:28:52 local":      "",
		"0000:00:00 00:00:00":            "",
		"2021:06:31 00:00:00":            "",
		"2021:06:08 25:00:00":            "",
		"2021:06:08 00:00:00+25:00":      "",
		"1601:01:01 00:00:00":            "",
		"2021":                           "",
		"yesterday":                      "",
		"":                               "",
		strings.Repeat("2021:06:08 ", 9): "",
	} {
		got, ok := parseTime(s)
		if formatted := got.Format(time.RFC3339); ok != (want != "") || ok && formatted != want {
			t.Errorf("parseTime(%q) = %s, %v; want %q", s, formatted, ok, want)
		}
	}
}

// TestOrderOfTimes takes the sources away one by one, from the first to the last.
func TestOrderOfTimes(t *testing.T) {
	pattern := "datetime: {patterns: ['_y(?P<year>\\d{4})']}"
	modified := time.Date(2001, 2, 3, 4, 5, 6, 789, time.FixedZone("", 3600))
	h := &geotiff.Header{DateTime: "2002:01:01 00:00:00", Metadata: []geotiff.Meta{
		{Name: "ACQUISITIONDATETIME", Sample: 0, Value: "2009-01-01 00:00:00"}, // of a band
		{Name: "AcquisitionDateTime", Domain: "IMAGERY", Sample: -1, Value: "2003-01-01 00:00:00"},
	}}
	files := []fieldSet{{key: "a_MTL.txt", fields: sidecar.Fields{"A.DATE_ACQUIRED": "2007-01-01", "A.SCENE_CENTER_TIME": "10:11:12.5Z"}}}
	key := "20050101/20040101_y2006.tif"
	for _, step := range []struct {
		want string
		then func()
	}{
		{"2006-01-01T00:00:00Z/2006-12-31T23:59:59Z config", func() { pattern = "" }},
		{"2007-01-01T10:11:12Z sidecar", func() { delete(files[0].fields, "A.SCENE_CENTER_TIME") }},
		{"2003-01-01T00:00:00Z metadata", func() { h.Metadata[1].Value = "?" }},
		{"2004-01-01T00:00:00Z file_name", func() { key = "20050101/x.tif" }},
		{"2005-01-01T00:00:00Z path", func() { key = "x.tif" }},
		{"2002-01-01T00:00:00Z tiff_datetime", func() { h.DateTime = "0000:00:00 00:00:00" }},
		{"2001-02-03T03:05:06Z last_modified", func() { modified = time.Time{} }},
		{"none", func() { modified = time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"none", func() { modified = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"2001-01-01T00:00:00Z last_modified", func() { pattern = "datetime: {fallback: reject}" }},
		{"none", func() {}},
	} {
		w := []witness{{key, modified, h.Metadata, h.DateTime}}
		fields := func() ([]fieldSet, error) { return files, nil }
		if got := told(rulesOf(t, pattern).spanOf(w, fields)); got != step.want {
			t.Errorf("time is %s, want %s", got, step.want)
		}
		step.then()
	}
}

// Of the rasters of a scene the first that tells a time counts, but the latest time of modification.
func TestTimesOfScenes(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2001, 1, n, 0, 0, 0, 0, time.UTC) }
	for _, tt := range []struct {
		rasters []witness
		want    string
	}{
		{[]witness{{"x_B1.tif", day(2), nil, ""}, {"x_B2.tif", day(3), nil, ""}, {"x_B3.tif", day(1), nil, ""}}, "2001-01-03T00:00:00Z last_modified"},
		{[]witness{{"x_B1.tif", day(2), nil, ""}, {"x_B2.tif", day(3), nil, "2002:01:01 00:00:00"}, {"x_B3.tif", day(3), nil, "2003:01:01 00:00:00"}},
			"2002-01-01T00:00:00Z tiff_datetime"},
	} {
		if got := told(rulesOf(t, "").spanOf(tt.rasters, noFields)); got != tt.want {
			t.Errorf("time of %v is %s, want %s", tt.rasters, got, tt.want)
		}
	}
}

func FuzzTime(f *testing.F) {
	f.Add("2024/01/31/S2_20240131T102030.tif", "2021:06:08 23:28:52")
	f.Add("year=2024/2024-01-31_10-20-30", "2021-06-08T23:28:52.123+02:00")
	r := rulesOf(f, `
datetime:
  fallback: reject
  patterns: ['(?P<start_year>\d+)-(?P<end_year>\d+)', '_(?P<year>\d+)_(?P<month>\d+)']
`)
	f.Fuzz(func(t *testing.T, key, tag string) {
		h := &geotiff.Header{DateTime: tag}
		h.Metadata = []geotiff.Meta{{Name: "ACQUISITIONDATETIME", Sample: -1, Value: tag}}
		s, ok, err := r.spanOf([]witness{{key, time.Time{}, h.Metadata, tag}}, noFields)
		if !ok || err != nil {
			return
		}
		properties := map[string]any{}
		s.set(properties)
		for _, name := range []string{"datetime", "start_datetime", "end_datetime"} {
			text, _ := properties[name].(string)
			if text == "" {
				continue
			}
			if back, err := time.Parse("2006-01-02T15:04:05Z", text); err != nil || back.Year() < 1000 {
				t.Errorf("%s of %q and %q is %q: %v", name, key, tag, text, err)
			}
		}
		if s.end.Before(s.start) {
			t.Errorf("%q and %q end before they start: %v", key, tag, s)
		}
	})
}
