package item

import (
	"maps"
	"slices"
	"strings"

	"github.com/cairn-stac/cairn/internal/stac"
)

// dataAsset is the key of the asset that the raster of an Item is, if it is the only one.
const dataAsset = "data"

// uses are the STAC extensions that an Item uses.
type uses map[string]bool

func (u uses) extensions(properties map[string]any) []string {
	u[stac.ExtFile], u[stac.ExtProjection] = true, true
	for prefix, e := range extensions {
		if e.declared(properties, prefix) {
			u[e.uri] = true
		}
	}
	return slices.Sorted(maps.Keys(u))
}

// asset describes a raster of an Item.
func (r *Rules) asset(m *raster, key string, g group, used uses) stac.Asset {
	h := m.header
	a := stac.Asset{
		Href:  r.assets.href(m.object.Key),
		Type:  stac.TypeGeoTIFF,
		Roles: []string{roleOf(m.token)},
		Fields: map[string]any{
			"file:size":  m.object.Size,
			"proj:shape": []any{h.Height, h.Width},
		},
	}
	if t := m.place.transform; t != nil {
		a.Fields["proj:transform"] = []float64{t.DX, t.RX, t.X0, t.RY, t.DY, t.Y0}
	}
	if h.COG.Valid {
		a.Type = stac.TypeCOG
	}
	a.Bands = bandsOf(m)
	if token, _ := cutQualifiers(m.token); g.scene != "" && len(a.Bands) == 1 {
		a.Bands[0].Name = token
		if mission := missionOf(productOf(g.scene)); mission != nil && r.cfg.CommonNames {
			a.Bands[0].CommonName = mission.common[token]
		}
	}
	for _, band := range a.Bands {
		if band.Scale != nil || band.Offset != nil {
			used[stac.ExtRaster] = true
		}
		if band.CommonName != "" {
			used[stac.ExtEO] = true
		}
	}
	return a
}

// productOf is what the product is called whose files are a scene.
func productOf(scene string) string {
	dir, name := split(scene[:len(scene)-1])
	if scene[len(scene)-1] == '/' {
		return productName(dir + "/" + name)
	}
	return name
}

// roleOf is the role of a raster by what it is called in its scene (STAC 1.1.0, best practices, "List of Asset Roles").
func roleOf(token string) string {
	switch token, _ := cutQualifiers(token); token {
	case "TCI":
		return "visual"
	case "PVI":
		return "overview"
	}
	return "data"
}

// addFiles makes assets of the metadata files and pictures that belong to an Item.
func (b *builder) addFiles(it *stac.Item, g group, files []int) {
	for _, i := range files {
		o := b.objects[i]
		kind, n := b.rules.sidecar(o.Key)
		a := stac.Asset{Href: b.rules.assets.href(o.Key), Type: mediaType(o.Key), Fields: map[string]any{"file:size": o.Size}}
		start := len(g.scene)
		if start == 0 { // of a raster by itself: what follows its stem
			start = n + 1
		}
		key := strings.TrimLeft(o.Key[start:], "._/")
		if kind == metadata {
			a.Roles = []string{"metadata"}
			if g.scene == "" {
				key = "metadata." + key
			}
		} else {
			a.Roles = []string{"overview"}
			if isThumbnail(o.Key[:n], o.Size) {
				a.Roles = []string{"thumbnail"}
				if _, taken := it.Assets["thumbnail"]; !taken {
					key = "thumbnail"
				}
			} else if g.scene == "" {
				key = "overview." + key
			}
		}
		if _, taken := it.Assets[key]; taken {
			_, key = split(o.Key)
		}
		it.Assets[key] = a
	}
}

// maxThumbnail is how large a picture may be, in bytes, to be a thumbnail by its size.
const maxThumbnail = 256 << 10

// isThumbnail tells whether a picture is for lists of Items: by its name, or else its size.
func isThumbnail(stem string, size int64) bool {
	switch name := strings.ToLower(stem[strings.LastIndexAny(stem, "/")+1:]); {
	case strings.HasSuffix(name, "thumb_large"), strings.HasSuffix(name, "browse"):
		return false
	case strings.Contains(name, "thumb"):
		return true
	}
	return size <= maxThumbnail
}

var mediaTypes = map[string]string{
	".json": stac.TypeJSON, ".xml": "application/xml", ".txt": "text/plain", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png",
}

func mediaType(key string) string { return mediaTypes[strings.ToLower(key[stemEnd(key):])] }
