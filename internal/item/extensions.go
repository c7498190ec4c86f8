package item

import (
	"math"
	"strings"
	"time"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/stac"
)

// An extension is one of STAC's whose properties may come from the config. Its schema takes no properties that it does not
// know, so that it is declared only where all of an Item are known and good.
type extension struct {
	uri    string
	fields map[string]check // by the name without the prefix
}

// A check tells whether a value is good.
type check func(v any) bool

// extensions are those that are known, by the prefix of their properties.
var extensions = map[string]extension{
	"eo": {stac.ExtEO, map[string]check{"cloud_cover": between(0, 100), "snow_cover": between(0, 100)}},
	"view": {stac.ExtView, map[string]check{
		"off_nadir": between(0, 90), "incidence_angle": between(0, 90), "azimuth": between(0, 360),
		"sun_azimuth": between(0, 360), "sun_elevation": between(-90, 90),
	}},
	"sat": {stac.ExtSat, map[string]check{
		"platform_international_designator": isText, "absolute_orbit": isCount, "relative_orbit": isCount,
		"orbit_state": func(v any) bool { return v == "ascending" || v == "descending" || v == "geostationary" },
		"anx_datetime": func(v any) bool {
			s, _ := v.(string)
			_, err := time.Parse(time.RFC3339, s)
			return err == nil
		},
	}},
}

func number(v any) float64 {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return math.NaN()
}

func between(low, high float64) check {
	return func(v any) bool { f := number(v); return low <= f && f <= high }
}

func isCount(v any) bool { f := number(v); return f >= 1 && f == math.Trunc(f) }

func isText(v any) bool { s, _ := v.(string); return s != "" }

// declared tells whether an Item with these properties may declare the extension of this prefix.
func (e extension) declared(properties map[string]any, prefix string) bool {
	any := false
	for name, v := range properties {
		if field, ok := strings.CutPrefix(name, prefix+":"); ok {
			any = true
			if good := e.fields[field]; good == nil || !good(v) {
				return false
			}
		}
	}
	return any
}

// propertyValue is the value of a property that a text of a file gives; ok is false for what that property cannot be.
func propertyValue(name, text string) (v any, ok bool) {
	v, ok = config.PropertyValue(name, text)
	prefix, field, _ := strings.Cut(name, ":")
	good := extensions[prefix].fields[field]
	if good == nil {
		return v, ok
	}
	if !good(v) && good(text) {
		v = text // that looks like a number
	}
	return v, ok && good(v)
}
