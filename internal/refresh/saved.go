package refresh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// savedKey is where an interrupted Scan keeps the row of the scenes that it finished; their Part lies beside it.
func savedKey(run string, fence uint64, ref string) string {
	return workKey(run, fence, "saved/"+ref+".json")
}

// save keeps the finished scenes for the next try. Those with a vanished Object are left to be read again.
func (s *scan) save(ctx context.Context, work []*task) error {
	var scenes []snapshot.Scene
	for _, t := range work {
		if t.done && !t.kept && t.vanished+t.ignored == 0 {
			scenes = append(scenes, t.scene)
		}
	}
	if len(scenes) == 0 {
		return nil
	}
	body, row, err := snapshot.EncodePart(scenes)
	if err != nil {
		return fmt.Errorf("encode saved scenes of shard %s: %w", s.ref, err)
	}
	row.Part = workKey(s.run, s.fence, fmt.Sprintf("saved/%s-%s.ndjson.zst", s.ref, row.Hash))
	if _, err := s.worker.Catalog.Put(ctx, row.Part, body, objstore.PutOptions{Relaxed: true}); err != nil {
		return err
	}
	return s.worker.putWork(ctx, savedKey(s.run, s.fence, s.ref), row, objstore.PutOptions{})
}

// resume gives tasks the results that an interrupted Scan saved.
func (s *scan) resume(ctx context.Context, work []*task) error {
	var row snapshot.Row
	err := getJSON(ctx, s.worker.Catalog, savedKey(s.run, s.fence, s.ref), &row)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	scenes, err := snapshot.ReadPart(ctx, s.worker.Catalog, row)
	if err != nil {
		return err
	}
	saved := make(map[string]snapshot.Scene, len(scenes))
	for _, sc := range scenes {
		saved[sc.Key] = sc
	}
	for _, t := range work {
		if sc, ok := saved[t.key]; ok && !t.done && sameObjects(sc, t.objects) {
			t.scene, t.done = sc, true
		}
	}
	return nil
}
