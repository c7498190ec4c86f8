package sidecar_test

import (
	"maps"
	"math"
	"reflect"
	"runtime/metrics"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/sidecar"
)

// bounded runs parse and holds what it allocates to a multiple of what it reads.
func bounded(t *testing.T, b []byte, parse func()) {
	before := heapAllocs()
	parse()
	if got := heapAllocs() - before; got > 1<<20+400*uint64(len(b)) {
		t.Fatalf("%d bytes allocated for a file of %d", got, len(b))
	}
}

// heapAllocs is how many bytes the program has allocated so far, to a few KiB.
func heapAllocs() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func FuzzPAM(f *testing.F) {
	f.Add([]byte(gdalPAM))
	f.Add([]byte("\xff\xfe<\x00a\x00/\x00>\x00"))
	f.Add([]byte(`<GeodataXform><SpatialReference><WKT>x</WKT></SpatialReference></GeodataXform>`))
	f.Add([]byte(`<PAMDataset><GCPList Projection="x"><GCP Pixel="1e308" Line="-1e308" X="3" Y="4" Z="nan"/></GCPList></PAMDataset>`))
	f.Add([]byte(`<a><PAMRasterBand band="65535"><NoDataValue le_hex_equiv="000000000000F8FF">1</NoDataValue></PAMRasterBand></a>`))
	f.Add([]byte("<a>" + strings.Repeat("<b c='d'>", 40)))
	f.Add([]byte("<!DOCTYPE a [<!ENTITY b '" + strings.Repeat("&b;", 50) + "'>]><a><SRS>&b;</SRS></a>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p sidecar.PAM
		var err error
		bounded(t, b, func() { p, err = sidecar.ParsePAM(b) })
		if err != nil {
			if !reflect.DeepEqual(p, sidecar.PAM{}) {
				t.Fatalf("%v beside %+v", err, p)
			}
			return
		}
		if a := p.Transform; a != nil && !finite(a.X0, a.DX, a.RX, a.Y0, a.RY, a.DY) {
			t.Fatalf("transform %v", *a)
		}
		for _, g := range p.GCPs {
			if !finite(g.Col, g.Row, g.X, g.Y, g.Z) {
				t.Fatalf("ground control point %v", g)
			}
		}
		for _, m := range p.Metadata {
			if m.Sample < -1 || m.Sample > 65535 || m.Value == "" || !utf8.ValidString(m.Name+m.Domain+m.Value) {
				t.Fatalf("item %+v", m)
			}
		}
		for band, text := range p.Nodata {
			if band < 0 || geotiff.Band.NodataValue(geotiff.Band{DataType: "float32"}, text) == nil {
				t.Fatalf("nodata %q of band %d", text, band)
			}
		}
	})
}

func FuzzWorldFile(f *testing.F) {
	for _, text := range []string{"10\n0\n0\n-10\n500005\n4999995\n", "10,5\r\n0\r\n0\r\n-10,5\r\n1\r\n2", "1e308\n0\n0\n1\n-1e308\n0\n",
		"1\n2\n2\n4\n0\n0\n", "\xff\xfe1\x00", "1.#QNAN\n1\n1\n1\n1\n1", "-inf\n1\n1\n1\n1\n1", "1e\n.\n-\n1\n1\n1"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var a geotiff.Affine
		var err error
		bounded(t, b, func() { a, err = sidecar.ParseWorldFile(b) })
		if err == nil && (!finite(a.X0, a.DX, a.RX, a.Y0, a.RY, a.DY) || a.DX == 0 && a.RX == 0 || a.DY == 0 && a.RY == 0) {
			t.Fatalf("transform %v", a)
		}
	})
}

func FuzzFields(f *testing.F) {
	for _, text := range []string{mtlText, mtlJSON, mtlXML, `{"a": [1, {"b": null}], "a": "\ud800"}`, "[[[[1]]]]",
		"A = (1, (2,\n 3)) <m>\nB = {\"x\ny\"}",
		"BEGIN_GROUP = A\n b = ( 1, );\nEND_GROUP\nEND;", "/* = */ A = 'b", "=\n = \nA=", "<a b='c'>x<d/>y</a>",
		"\xfe\xff\x00A\x00=\x00b", "A = \xe9",
		strings.Repeat("GROUP = A\n", 40), strings.Repeat("{\"a\":", 40), "A=\n\"\nB=1\"\nC=\n("} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var fields sidecar.Fields
		var err error
		bounded(t, b, func() { fields, err = sidecar.ParseFields(b) })
		if err != nil && fields != nil {
			t.Fatalf("%v beside %v", err, fields)
		}
		for path, value := range fields {
			if got, ok := fields.Find(path); !ok || got != value || path == "" || value == "" || !utf8.ValidString(path+value) {
				t.Fatalf("%q: %q, found %q", path, value, got)
			}
		}
		if again, _ := sidecar.ParseFields(b); !maps.Equal(again, fields) {
			t.Fatalf("read again: %v, then %v", fields, again)
		}
	})
}

func finite(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}
