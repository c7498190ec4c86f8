package stac

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Bounds of a Summary, so that a manifest's rows stay small whatever the Items say.
const (
	maxTexts     = 128 // values of a property; the UTM zones of the globe are 120
	maxNumbers   = 16  // values of a property; above, its range
	maxText      = 256 // bytes of a text; a longer one counts as too many
	maxAssetKeys = 64
	maxBands     = 64 // of an asset; of a wider one, bands are not told
	maxRoles     = 8
)

// The properties that are summarised, where Items have them.
var (
	summarisedTexts   = []string{"proj:code", "platform", "constellation", "mission", "cairn:datetime_source"}
	summarisedNumbers = []string{"gsd"}
)

// What is summarised of the assets' bands.
const (
	dataType  = "data_type"
	bandCount = "cairn:band_count"
)

// Summary is a bounded, mergeable digest of Items, kept in manifest rows so that a Collection's extent, item_assets and
// summaries come from rows alone. The zero Summary is that of no Items. Adding Items and merging Summaries gives the same
// in whatever order: each part is a count, a minimum, a maximum, a union, or what all agree upon. It is a value: a copy is
// not changed with the original. Its JSON reads back as the same.
type Summary struct {
	Items int `json:"items,omitempty"`

	// Bounds in degrees. Longitudes are kept for each side of Greenwich, so that the overall box is known both as one that
	// ends at the antimeridian and as one that crosses it. A box that spans Greenwich, or the antimeridian, counts on
	// both sides.
	Latitudes *[2]float64 `json:"latitudes,omitempty"`
	West      *[2]float64 `json:"west,omitempty"`  // within [-180, 0]
	East      *[2]float64 `json:"east,omitempty"`  // within [0, 180]
	Wraps     bool        `json:"wraps,omitempty"` // a box crosses the antimeridian

	From *time.Time `json:"from,omitempty"` // UTC, the earliest of datetime, start_datetime and end_datetime
	To   *time.Time `json:"to,omitempty"`   // the latest

	Texts      map[string]set[string]  `json:"texts,omitempty"`
	Numbers    map[string]set[float64] `json:"numbers,omitempty"`
	Extensions *set[string]            `json:"extensions,omitempty"`

	// Assets is, by key, what all Items that have the asset agree upon.
	Assets     map[string]Asset `json:"assets,omitempty"`
	ManyAssets bool             `json:"many_assets,omitempty"` // more keys than are kept: none is
}

// Add counts the Item in. Times that are not RFC 3339 are left out.
func (s *Summary) Add(it *Item) {
	s.Items++
	s.addBox(it.BBox)
	for _, name := range []string{"datetime", "start_datetime", "end_datetime"} {
		text, _ := it.Properties[name].(string)
		if t, err := time.Parse(time.RFC3339, text); err == nil && t.UTC().Year() >= 0 && t.UTC().Year() <= 9999 {
			t = t.UTC()
			s.addInterval(&t, &t)
		}
	}
	for _, name := range summarisedTexts {
		s.addText(name, it.Properties[name])
	}
	for _, name := range summarisedNumbers {
		s.addNumber(name, it.Properties[name])
	}
	for _, uri := range it.Extensions {
		one := oneText(uri)
		s.addExtensions(&one)
	}
	for key, a := range it.Assets {
		s.addText("proj:code", a.Fields["proj:code"])
		for _, b := range a.Bands {
			s.addText(dataType, b.DataType)
		}
		if len(a.Bands) > 0 {
			s.addNumber(bandCount, float64(len(a.Bands)))
		}
		s.addAsset(key, definition(a))
	}
}

// Merge counts in the Items of o.
func (s *Summary) Merge(o Summary) {
	s.Items += o.Items
	s.Latitudes, s.West, s.East = span(s.Latitudes, o.Latitudes), span(s.West, o.West), span(s.East, o.East)
	s.Wraps = s.Wraps || o.Wraps
	s.addInterval(o.From, o.To)
	for name, texts := range o.Texts {
		s.Texts = mergeInto(s.Texts, name, texts, maxTexts)
	}
	for name, numbers := range o.Numbers {
		s.Numbers = mergeInto(s.Numbers, name, numbers, maxNumbers)
	}
	s.addExtensions(o.Extensions)
	s.dropAssets(o.ManyAssets)
	for key, a := range o.Assets {
		s.addAsset(key, a)
	}
}

func (s *Summary) addBox(b []float64) {
	switch len(b) {
	case 4:
	case 6:
		b = []float64{b[0], b[1], b[3], b[4]}
	default:
		return
	}
	for _, x := range b {
		if !finite(x) {
			return
		}
	}
	west, east := b[0]+0, b[2]+0 // +0 makes -0 zero
	s.Latitudes = span(s.Latitudes, &[2]float64{b[1] + 0, b[3] + 0})
	if west > east {
		s.Wraps = true
		s.East, s.West = span(s.East, &[2]float64{max(west, 0), 180}), span(s.West, &[2]float64{-180, min(east, 0)})
		if west < 0 {
			s.West = span(s.West, &[2]float64{west, 0})
		}
		if east > 0 {
			s.East = span(s.East, &[2]float64{0, east})
		}
		return
	}
	if west < 0 {
		s.West = span(s.West, &[2]float64{west, min(east, 0)})
	}
	if east > 0 || west >= 0 {
		s.East = span(s.East, &[2]float64{max(west, 0), east})
	}
}

// span covers both; a nil one is empty.
func span(a, b *[2]float64) *[2]float64 {
	switch {
	case a == nil:
		return b
	case b == nil, a[0] <= b[0] && b[1] <= a[1]:
		return a
	}
	return &[2]float64{min(a[0], b[0]), max(a[1], b[1])}
}

func (s *Summary) addInterval(from, to *time.Time) {
	if from != nil && (s.From == nil || from.Before(*s.From)) {
		s.From = from
	}
	if to != nil && (s.To == nil || to.After(*s.To)) {
		s.To = to
	}
}

func oneText(text string) set[string] {
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "")
		return set[string]{Bounds: &[2]string{text, text}}
	}
	return set[string]{Values: []string{text}}
}

func (s *Summary) addText(name string, v any) {
	if text, _ := v.(string); text != "" {
		s.Texts = mergeInto(s.Texts, name, oneText(text), maxTexts)
	}
}

func (s *Summary) addNumber(name string, v any) {
	if x, ok := number(v); ok {
		s.Numbers = mergeInto(s.Numbers, name, set[float64]{Values: []float64{x}}, maxNumbers)
	}
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// number is the finite number that a property holds; never -0.
func number(v any) (float64, bool) {
	var x float64
	switch v := v.(type) {
	case float64:
		x = v
	case int:
		x = float64(v)
	case int64:
		x = float64(v)
	case json.Number:
		var err error
		if x, err = v.Float64(); err != nil {
			return 0, false
		}
	default:
		return 0, false
	}
	return x + 0, finite(x)
}

func (s *Summary) addExtensions(uris *set[string]) {
	if uris == nil {
		return
	}
	if s.Extensions == nil {
		s.Extensions = uris
	} else if all, changed := s.Extensions.merge(*uris, maxTexts); changed {
		s.Extensions = &all
	}
}

func (s *Summary) addAsset(key string, a Asset) {
	old, found := s.Assets[key]
	s.dropAssets(len(key) > maxText || !found && len(s.Assets) == maxAssetKeys)
	switch {
	case s.ManyAssets:
	case !found:
		s.Assets = with(s.Assets, key, a)
	default:
		if common, changed := agree(old, a); changed {
			s.Assets = with(s.Assets, key, common)
		}
	}
}

func (s *Summary) dropAssets(many bool) {
	if many {
		s.Assets, s.ManyAssets = nil, true
	}
}

// definition is what Items may have in common of an asset: its bounded texts and its bands without their statistics.
func definition(a Asset) Asset {
	d := Asset{Title: short(a.Title), Type: short(a.Type)}
	if n := len(a.Roles); 0 < n && n <= maxRoles && !slices.ContainsFunc(a.Roles, func(r string) bool { return len(r) > maxText }) {
		d.Roles = slices.Clone(a.Roles)
	}
	if len(a.Bands) == 0 || len(a.Bands) > maxBands {
		return d
	}
	d.Bands = make([]Band, len(a.Bands))
	for i, b := range a.Bands {
		d.Bands[i] = Band{
			Name: short(b.Name), Description: short(b.Description), DataType: short(b.DataType), Unit: short(b.Unit),
			Scale: clone(b.Scale), Offset: clone(b.Offset), CommonName: short(b.CommonName),
		}
		if text, ok := b.Nodata.(string); ok && short(text) != "" {
			d.Bands[i].Nodata = text
		} else if x, ok := number(b.Nodata); ok {
			d.Bands[i].Nodata = x
		}
	}
	return d
}

func clone(x *float64) *float64 {
	if x == nil || !finite(*x) {
		return nil
	}
	y := *x + 0
	return &y
}

func short(s string) string {
	if len(s) > maxText {
		return ""
	}
	return s
}

// agree is what two definitions have in common, and whether that is less than a.
func agree(a, b Asset) (common Asset, changed bool) {
	common = a
	changed = same(&common.Title, b.Title)
	changed = same(&common.Type, b.Type) || changed
	if !slices.Equal(a.Roles, b.Roles) {
		common.Roles, changed = nil, changed || a.Roles != nil
	}
	if len(a.Bands) != len(b.Bands) {
		common.Bands, changed = nil, changed || a.Bands != nil
		return common, changed
	}
	common.Bands = slices.Clone(a.Bands)
	for i := range common.Bands {
		x, y := &common.Bands[i], b.Bands[i]
		for _, c := range []bool{
			same(&x.Name, y.Name), same(&x.Description, y.Description), same(&x.DataType, y.DataType),
			same(&x.Unit, y.Unit), sameNodata(&x.Nodata, y.Nodata), samePtr(&x.Scale, y.Scale), samePtr(&x.Offset, y.Offset),
			same(&x.CommonName, y.CommonName),
		} {
			changed = changed || c
		}
	}
	return common, changed
}

// same empties a where b is another, and tells whether that changed it.
func same[T comparable](a *T, b T) bool {
	var none T
	if *a == b || *a == none {
		return false
	}
	*a = none
	return true
}

// sameNodata takes what a manifest may hold, comparable or not.
func sameNodata(a *any, b any) bool {
	if *a == nil || reflect.DeepEqual(*a, b) {
		return false
	}
	*a = nil
	return true
}

func samePtr(a **float64, b *float64) bool {
	if *a == nil || b != nil && **a == *b {
		return false
	}
	*a = nil
	return true
}
