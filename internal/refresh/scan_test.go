package refresh

import (
	"testing"

	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// Of a scene that lost its only readable rasters, the sidecars are lost too; not while one is left.
func TestDeniedBands(t *testing.T) {
	object := func(key string, role snapshot.Role) snapshot.Object {
		return snapshot.Object{Object: objstore.Object{Key: key}, Role: role}
	}
	old := snapshot.Scene{Objects: []snapshot.Object{object("a_B1.tif", snapshot.Asset), object("a_B2.tif", snapshot.Asset), object("a_thumb.jpg", snapshot.Sidecar)}}
	now := snapshot.Scene{Objects: old.Objects}
	for i, want := range []int{1, 3} {
		now.Rejects = append(now.Rejects, snapshot.Reject(item.NewReject(old.Objects[i].Key, item.CodeDenied, "it may not be read")))
		if c := compare([]snapshot.Scene{old}, []snapshot.Scene{now}); c.Denied != want || c.Held != 3 || c.Dropped != 0 {
			t.Errorf("with %d denied: %+v", i+1, c)
		}
	}
}

func TestDuplicateIDsAreRejects(t *testing.T) {
	scene := func(key string, ids ...string) *task {
		t := &task{key: key, done: true, scene: snapshot.Scene{Key: key}}
		for _, id := range ids {
			t.scene.Objects = append(t.scene.Objects, snapshot.Object{Object: objstore.Object{Key: key + id}, Role: snapshot.Asset})
			t.scene.Items = append(t.scene.Items, snapshot.Item{ID: id})
		}
		return t
	}
	work := []*task{scene("a.", "1", "2"), scene("b.", "3", "2", "4"), scene("c.", "2")}
	rejectDuplicates(work)
	for i, want := range [][2]int{{2, 0}, {2, 1}, {0, 1}} {
		sc := work[i].scene
		if len(sc.Items) != want[0] || len(sc.Rejects) != want[1] {
			t.Errorf("scene %s has %d items, %d rejects; want %v", sc.Key, len(sc.Items), len(sc.Rejects), want)
		}
	}
	b := work[1].scene
	if b.Items[1].ID != "4" || b.Objects[1].Role != snapshot.Rejected || b.Rejects[0].Key != "b.2" || b.Rejects[0].Code != "duplicate_id" || !b.Rejects[0].Retry {
		t.Errorf("scene b. is %+v", b)
	}

	// A scene of several rasters goes as a whole.
	bands := scene("d_", "5")
	bands.scene.Objects = append(bands.scene.Objects, snapshot.Object{Object: objstore.Object{Key: "d_B2.tif"}, Role: snapshot.Asset})
	work = []*task{scene("e.", "5"), bands}
	rejectDuplicates(work)
	if d := work[1].scene; len(d.Items) != 0 || len(d.Rejects) != 2 || d.Objects[1].Role != snapshot.Rejected {
		t.Errorf("scene d_ is %+v", d)
	}
}
