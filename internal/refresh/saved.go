package refresh

import (
	"context"
	"fmt"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// save keeps the scenes that an interrupted scan has finished for whoever scans the Shard next, together with those that it had taken
// over. Scenes with a vanished Object are left to be read again.
func (s *scan) save(ctx context.Context, work []*task) error {
	var scenes []snapshot.Scene
	for _, t := range work {
		if t.done && t.vanished+t.ignored == 0 {
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
		return fmt.Errorf("save what was scanned: %w", err)
	}
	rec := scanRecord{At: s.worker.Now(), Listing: s.shard.Fingerprint, Row: &row, Saved: s.run}
	return s.worker.putWork(ctx, snapshot.ScanKey(s.shard.Scan), rec, objstore.PutOptions{})
}
