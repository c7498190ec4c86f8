package item

import "math"

// A group is the rasters of one Item.
type group struct {
	id      string
	scene   string // key of the scene, of several rasters; "" for a raster by itself
	rasters []*raster
}

// maxScene is how many rasters a scene may have. Instruments have some hundred bands; more files with such names are something
// else.
const maxScene = 512

// groups are the Items to be made, in the order of their first rasters: one of the good rasters that are called like the bands
// of a scene, and one of each other good raster. Files that are called like bands but lie apart are none of one scene, as
// sheet_A1 and sheet_B1 of a map: then each is by itself.
func (b *builder) groups() []group {
	var bands []*raster
	for _, m := range b.rasters {
		if m.token != "" && m.problem == nil {
			bands = append(bands, m)
		}
	}
	if len(bands) > maxScene || lieApart(bands) {
		bands = nil
	}
	var out []group
	for _, m := range b.rasters {
		switch {
		case m.problem != nil:
		case m.token == "" || bands == nil:
			out = append(out, group{b.rules.ID(b.collection, m.object.Key), "", []*raster{m}})
		case m == bands[0]:
			scene := b.rules.SceneKey(m.object.Key)
			out = append(out, group{b.rules.sceneID(b.collection, scene), scene, bands})
		}
	}
	return out
}

// lieApart tells whether any of the rasters has less than half of its outline's box in common with the first: bands of one
// scene differ by the size of their pixels and the margins that these make.
func lieApart(rasters []*raster) bool {
	var first *[4]float64
	for _, m := range rasters {
		if m.place.problem != nil {
			continue
		}
		box := m.place.outline.BBox
		if first == nil {
			first = &box
		} else if common := sharedArea(*first, box); common < min(area(*first), area(box))/2 {
			return true
		}
	}
	return false
}

func area(b [4]float64) float64 { return width(b) * (b[3] - b[1]) }

// width of a box in degrees; one over the antimeridian has west > east.
func width(b [4]float64) float64 {
	if b[0] > b[2] {
		return b[2] + 360 - b[0]
	}
	return b[2] - b[0]
}

// sharedArea is the area that two boxes have in common, in square degrees.
func sharedArea(a, b [4]float64) float64 {
	high := min(a[3], b[3]) - max(a[1], b[1])
	wide := 0.
	for _, turn := range [...]float64{-360, 0, 360} {
		west := b[0] + turn
		wide = max(wide, math.Min(a[0]+width(a), west+width(b))-math.Max(a[0], west))
	}
	return max(high, 0) * wide
}
