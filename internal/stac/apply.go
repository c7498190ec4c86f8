package stac

import (
	"slices"
	"strings"
	"time"
)

// The extent of a Collection whose Items have no place: STAC wants one.
var globe = []float64{-180, -90, 180, 90}

// Apply fills the Extent, Summaries, ItemAssets and Extensions of a Collection of these Items. Where they have no place or
// no time the extent is the globe or open, for the schema takes no empty one. Extensions that c has already stay.
func (s Summary) Apply(c *Collection) {
	c.Extent = Extent{BBoxes: [][]float64{s.box()}, Intervals: [][2]*time.Time{{s.From, s.To}}}
	c.Summaries, c.ItemAssets = s.summaries(), s.itemAssets()
	c.Extensions = s.extensions(c)
}

// box covers all Items: west, south, east, north, with west > east only where an Item crosses the antimeridian itself.
// Otherwise a box over Greenwich is given, even if one over the antimeridian were narrower: fewer readers know those.
func (s Summary) box() []float64 {
	west, east := s.West, s.East
	switch {
	case s.Latitudes == nil:
		return slices.Clone(globe)
	case west == nil:
		west = east
	case east == nil:
		east = west
	}
	w, e := west[0], east[1]
	if s.Wraps {
		if w, e = east[0], west[1]; w <= e { // all the way round
			w, e = -180, 180
		}
	}
	return []float64{w, s.Latitudes[0], e, s.Latitudes[1]}
}

func (s Summary) summaries() map[string]any {
	all := map[string]any{}
	for name, texts := range s.Texts {
		if len(texts.Values) > 0 {
			all[name] = texts.Values
		}
	}
	for name, numbers := range s.Numbers {
		if r := numbers.Bounds; r != nil {
			all[name] = map[string]any{"minimum": r[0], "maximum": r[1]}
		} else if len(numbers.Values) > 0 {
			all[name] = numbers.Values
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// itemAssets leaves out assets of which fewer than two members are known, as the schema wants.
func (s Summary) itemAssets() map[string]Asset {
	var all map[string]Asset
	for key, a := range s.Assets {
		if !slices.ContainsFunc(a.Bands, func(b Band) bool { return b.told() }) {
			a.Bands = nil
		}
		known := 0
		for _, k := range []bool{a.Title != "", a.Type != "", len(a.Roles) > 0, len(a.Bands) > 0} {
			if k {
				known++
			}
		}
		if known >= 2 {
			all = with(all, key, a)
		}
	}
	return all
}

// told tells whether a band of a definition says anything.
func (b Band) told() bool {
	return b.Name != "" || b.Description != "" || b.DataType != "" || b.Unit != "" || b.Nodata != nil || b.scaled()
}

func (b Band) scaled() bool { return b.Scale != nil || b.Offset != nil }

// extensions are those of the Items whose fields the Collection has too, and its own.
func (s Summary) extensions(c *Collection) []string {
	used := map[string]bool{}
	note := func(field string) {
		if prefix, _, ok := strings.Cut(field, ":"); ok {
			used[prefix] = true
		}
	}
	for name := range c.Summaries {
		note(name)
	}
	for _, a := range c.ItemAssets {
		if slices.ContainsFunc(a.Bands, Band.scaled) {
			note("raster:scale")
		}
		if slices.ContainsFunc(a.Bands, func(b Band) bool { return b.CommonName != "" }) {
			note("eo:common_name")
		}
	}
	all := slices.Clone(c.Extensions)
	if s.Extensions != nil {
		for _, uri := range s.Extensions.Values {
			if used[fieldPrefix(uri)] {
				all = append(all, uri)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// fieldPrefix is what stands before the colon in the fields of an extension; "" if that is not known.
func fieldPrefix(uri string) string {
	rest, ok := strings.CutPrefix(uri, "https://stac-extensions.github.io/")
	name, _, _ := strings.Cut(rest, "/")
	switch {
	case !ok:
		return ""
	case name == "projection":
		return "proj"
	}
	return name
}
