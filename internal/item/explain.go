package item

import (
	"github.com/cairn-stac/cairn/internal/crs"
	"github.com/cairn-stac/cairn/internal/geotiff"
)

// An Explanation tells where the parts of an Item come from, for people.
type Explanation struct {
	Scene    bool         // several files of one scene, or the only one of them; else a raster by itself
	Time     Origin       // of datetime, or of start_datetime and end_datetime
	Rasters  []RasterInfo // of the Item, by key
	Sidecars []string     // the keys of the sidecars that were read and used
	Warnings []string     // of headers and sidecars, each beginning with the name of its file
}

// An Origin is where something was found.
type Origin struct {
	Rule  string // a word that is stable, as in cairn:datetime_source
	Where string // for people: the key of a sidecar, the name of a tag, a metadata item …; "" where Rule says it all
	Text  string // what stands there, as it stands; "" where that would say nothing
}

// RasterInfo is what was found of one raster of an Item.
type RasterInfo struct {
	Key    string
	Asset  string // key of its asset
	Header *geotiff.Header

	CRS             *crs.CRS        // nil where nothing gives one, as without_footprint allows
	CRSOrigin       Origin          // Rule: "header", "aux_xml", "prj" or "assume_crs"
	Transform       *geotiff.Affine // nil where there is none
	TransformOrigin Origin          // Rule: "header", "aux_xml", "world_file" or "gcps"
	NoFootprint     *Reject         // why there is no footprint, where the Item is without one
	Overviews, Mask string          // key of the .ovr, of the .msk beside it; "" where there is none
}
