package snapshot

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/stac"
)

var day = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// line is the JSON of an Item like those that scans write. An empty time is absent.
func line(collection, id string, box *[4]float64, datetime, start, end string) []byte {
	n := int(idHash(id))
	it := stac.Item{
		ID: id, Collection: collection, Extensions: []string{stac.ExtFile, stac.ExtProjection},
		Properties: map[string]any{"datetime": nil, "proj:code": "EPSG:32632", "cairn:datetime_source": "file_name"},
		Assets: map[string]stac.Asset{"data": {
			Href: "s3://imagery/" + collection + "/" + id + ".tif", Type: stac.TypeCOG, Roles: []string{"data"},
			Bands: []stac.Band{{Name: "b1", DataType: "uint16", Nodata: 0.0}, {Name: "b2", DataType: "uint16", Nodata: 0.0},
				{Name: "b3", DataType: "uint16", Nodata: 0.0}, {Name: "b4", DataType: "uint16", Nodata: 0.0}},
			Fields: map[string]any{"file:size": 100_000_000 + n%50_000_000, "proj:shape": []any{10980, 10980},
				"proj:transform": []any{10, 0, 300_000 + n%90*10, 0, -10, 5_000_000 + n%900*10}},
		}},
	}
	for name, at := range map[string]string{"datetime": datetime, "start_datetime": start, "end_datetime": end} {
		if at != "" {
			it.Properties[name] = at
		}
	}
	if b := box; b != nil {
		it.BBox = b[:]
		it.Geometry = &stac.Geometry{Polygons: [][][][2]float64{{{
			{b[0], b[1]}, {b[2], b[1]}, {b[2], b[3]}, {b[0], b[3]}, {b[0], b[1]}}}}}
	}
	text, err := it.Line()
	if err != nil {
		panic(err)
	}
	return text
}

// randomBox is a box anywhere; one in eight wraps.
func randomBox(rnd *rand.Rand) *[4]float64 {
	w, s := rnd.Float64()*340-180, rnd.Float64()*160-80
	b := &[4]float64{w, s, w + rnd.Float64()*20, s + rnd.Float64()*10}
	if rnd.IntN(8) == 0 {
		b[0], b[2] = 170+rnd.Float64()*10, -180+rnd.Float64()*10
	}
	return b
}

// makeScenes makes n scenes of one Item each, two hours apart, with keys and ids from number first on.
func makeScenes(collection string, first, n int) []Scene {
	rnd := rand.New(rand.NewPCG(uint64(first), 7))
	scenes := make([]Scene, n)
	for i := range scenes {
		id := fmt.Sprintf("tile_%07d", first+i)
		at := day.Add(time.Duration(first+i) * 2 * time.Hour)
		box := randomBox(rnd)
		scenes[i] = Scene{
			Key: collection + "/" + id + ".",
			Objects: []Object{{Role: Asset, Object: objstore.Object{Key: collection + "/" + id + ".tif",
				Size: rnd.Int64N(1 << 30), ETag: fmt.Sprintf("%016x%016x", rnd.Uint64(), rnd.Uint64()), Modified: at}}},
			Items: []Item{{ID: id, JSON: line(collection, id, box, at.Format(time.RFC3339), "", "")}},
		}
	}
	return scenes
}

// oddScenes have one of everything.
func oddScenes() []Scene {
	obj := func(key string, role Role, at time.Time) Object {
		return Object{Role: role, Object: objstore.Object{Key: key, Size: 12, ETag: "\x00\"é", Modified: at, Class: "GLACIER"}}
	}
	return []Scene{
		{Key: "c/a.", Objects: []Object{obj("c/a.tif", Rejected, day), obj("c/a.tfw", Sidecar, time.Time{})},
			Rejects: []Reject{{Key: "c/a.tif", Code: "archived", Message: "It is archived.\nRestore it.", Retry: true}}},
		{Key: "c/b.", Objects: []Object{obj("c/b.tif", Sidecar, day.Add(123456789))}},
		{Key: "c/c_", Objects: []Object{obj("c/c_1.tif", Asset, day), obj("c/c_2.tif", Asset, day)},
			Items: []Item{{ID: "c_1", JSON: line("c", "c_1", nil, "", "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z")},
				{ID: "c_2", JSON: line("c", "c_2", &[4]float64{179, -1, -179, 1}, "2020-06-01T00:00:00.5Z", "", "")}}},
		{Key: "c/d.", Objects: []Object{obj("c/d.tif", Rejected, day)},
			Rejects: []Reject{{Key: "c/d.tif", Code: "not_tiff", Message: "It is no TIFF."}}},
	}
}

// putPart writes a Part of scenes and gives its row.
func putPart(t testing.TB, s objstore.Store, collection string, fence uint64, scenes []Scene) Row {
	t.Helper()
	body, row, err := EncodePart(scenes)
	if err != nil {
		t.Fatal(err)
	}
	row.Collection, row.Fingerprint = collection, "f"+row.Hash
	row.Part = PartKey(collection, fence, row.Hash)
	if len(scenes) > 0 {
		row.Start = scenes[0].Key
		row.End = scenes[len(scenes)-1].Key + "~"
	}
	if _, err := s.Put(context.Background(), row.Part, body, objstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	return row
}
