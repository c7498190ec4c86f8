package item

import (
	"maps"
	"slices"

	"github.com/cairn-stac/cairn/internal/config"
)

// properties are what the config says of an Item: what patterns find in the keys of its rasters, fields of its metadata files,
// GDAL's metadata, and constants; of a property that several give, the first of these.
func (r *Rules) properties(g group, fields func() ([]fieldSet, error), x *Explanation) (map[string]any, error) {
	cfg := r.cfg.Properties
	p := make(map[string]any, 8+len(cfg.Constants))
	for _, m := range g.rasters {
		for _, re := range cfg.FromPath {
			for i, match := range re.FindStringSubmatch(m.object.Key) {
				name := config.PropertyName(re.SubexpNames()[i])
				if text := clean(match, maxText); name != "" && text != "" && p[name] == nil {
					p[name] = text
				}
			}
		}
	}
	take := func(key, name, text string) {
		v, ok := propertyValue(name, text)
		if !ok {
			x.warn(key, "%q is no value of %s; left out", text, name)
			return
		}
		p[name] = v
	}
	if len(cfg.FromSidecar) > 0 {
		files, err := fields()
		if err != nil {
			return nil, err
		}
		for _, name := range slices.Sorted(maps.Keys(cfg.FromSidecar)) {
			for _, f := range files {
				if text, ok := f.join(cfg.FromSidecar[name]); ok && p[name] == nil {
					take(f.key, name, text)
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.FromMetadata)) {
		for _, m := range g.rasters {
			if p[name] != nil {
				break
			}
			if text, ok := joinMetadata(m.metadata(), cfg.FromMetadata[name]); ok {
				take(m.object.Key, name, text)
			}
		}
	}
	for name, v := range cfg.Constants {
		if p[name] == nil {
			p[name] = v
		}
	}
	return p, nil
}
