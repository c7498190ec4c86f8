package item

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/cairn-stac/cairn/internal/config"
)

// ScannerVersion is raised with every change to what Build makes of the same file, or to what keys mean. It makes the next
// Run scan everything again.
const ScannerVersion = 3

// Shaping is a hash of whatever shapes Items and roles apart from the Objects themselves: the scanner's version, and just
// those parts of the config and the Source. A new title leaves it as it is.
func (r *Rules) Shaping() string {
	ids := map[string]string{"": r.root.ID}
	for prefix, c := range r.listed {
		ids[prefix] = c.ID
	}
	shape, err := json.Marshal(struct {
		Version          int
		Depth            int
		IDs              map[string]string
		Include, Exclude []config.Glob
		Datetime         config.Datetime
		Properties       config.Properties
		Scenes           config.Scenes
		CommonNames      bool
		AssumeCRS        int
		WithoutFootprint config.WithoutFootprint
		Href             string
	}{
		ScannerVersion, r.cfg.Collections.Depth, ids, r.cfg.Include, r.cfg.Exclude, r.cfg.Datetime, r.cfg.Properties,
		r.cfg.Scenes, r.cfg.CommonNames, r.cfg.AssumeCRS, r.cfg.WithoutFootprint, r.assets.before + config.KeyPlaceholder + r.assets.after,
	})
	if err != nil {
		// Every part is text, a number or a constant that config made sure of.
		panic(fmt.Sprintf("encode what shapes items: %v", err))
	}
	sum := sha256.Sum256(shape)
	return hex.EncodeToString(sum[:16])
}
