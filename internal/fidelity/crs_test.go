package fidelity

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// code compares the EPSG code where the file names it.
func code(s *subject) verdict {
	if s.item == nil || s.Kind != "epsg" || s.EPSG == 0 {
		return none // the truth has this kind for other authorities too
	}
	got := s.item.Properties["proj:code"]
	return judge(got == fmt.Sprintf("EPSG:%d", s.EPSG), got, s.EPSG)
}

// recognised compares the EPSG code that GDAL finds for a definition. Cairn may leave it a definition, but may call it nothing
// else.
func recognised(s *subject) verdict {
	want := ""
	switch {
	case s.item == nil || s.Kind != "autoid" && s.Kind != "match90":
		return none
	case s.AutoID != 0:
		want = fmt.Sprintf("EPSG:%d", s.AutoID)
	case len(s.Match) > 0:
		want, _ = s.Match[0].(string)
	}
	if !strings.HasPrefix(want, "EPSG:") {
		return none // Esri's
	}
	got := s.item.Properties["proj:code"]
	return judge(got == nil || got == want, got, want)
}

// defined compares files whose CRS is defined rather than named, in GDAL and in the Item.
func defined(compare func(s *subject, definition map[string]any) verdict) func(*subject) verdict {
	return raster(func(s *subject, _ asset) verdict {
		definition, ok := s.item.Properties["proj:projjson"].(map[string]any)
		if s.GDAL.CRS == nil || s.Kind == "epsg" && s.EPSG != 0 {
			return none
		}
		if !ok {
			// Named by Cairn, in which case the bounds tell whether rightly.
			return judge(s.item.Properties["proj:code"] != nil, s.item.Properties, s.GDAL.CRS)
		}
		if source, ok := definition["source_crs"].(map[string]any); ok {
			definition = source // with a shift to WGS 84 bound to it
		}
		return compare(s, definition)
	})
}

// method compares the projection method by a name that GDAL's WKT 1 and PROJJSON share.
func method(s *subject) verdict {
	return defined(func(s *subject, definition map[string]any) verdict {
		got, _ := find(definition, "conversion", "method", "name").(string)
		return judge(methodName(got) == methodName(s.GDAL.CRS.Method), got, s.GDAL.CRS.Method)
	})(s)
}

var (
	variants  = regexp.MustCompile(`(?i)\(.*?\)|variant [a-c]|azimuth (center|natural origin)| two point natural origin`)
	notLetter = regexp.MustCompile(`[^a-z0-9]`)
)

// sameMethods are names of GDAL's WKT 1 and what PROJ calls the method.
var sameMethods = map[string]string{
	"mercator1sp": "mercator", "mercator2sp": "mercator", "popularvisualisationpseudomercator": "mercator",
	"equirectangular": "equidistantcylindrical", "cylindricalequalarea": "lambertcylindricalequalarea",
	"lambertconformalconic1sp": "lambertconicconformal", "lambertconformalconic2sp": "lambertconicconformal",
	"lambertconicconformal1sp": "lambertconicconformal", "lambertconicconformal2sp": "lambertconicconformal",
	"albersconicequalarea": "albersequalarea", "polyconic": "americanpolyconic",
	"obliquemercator": "hotineobliquemercator", "swissobliquecylindrical": "hotineobliquemercator",
	"modifiedazimuthalequidistant": "azimuthalequidistant", "polarstereographic": "stereographic",
}

func methodName(s string) string {
	s = notLetter.ReplaceAllString(strings.ToLower(variants.ReplaceAllString(strings.ReplaceAll(s, "_", " "), "")), "")
	s = strings.TrimSuffix(s, "spherical")
	if name, ok := sameMethods[s]; ok {
		return name
	}
	return s
}

// find is the member of nested objects.
func find(v any, path ...string) any {
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// geodetic is the geographic CRS of a definition.
func geodetic(definition map[string]any) any {
	if base := definition["base_crs"]; base != nil {
		return base
	}
	return definition
}

// ellipsoid compares the axes in metres.
func ellipsoid(s *subject) verdict {
	return defined(func(s *subject, definition map[string]any) verdict {
		got := find(geodetic(definition), "datum", "ellipsoid")
		if got == nil {
			got = find(geodetic(definition), "datum_ensemble", "ellipsoid")
		}
		if len(s.GDAL.CRS.Ellipsoid) != 3 {
			return none
		}
		a, rf := metres(find(got, "semi_major_axis")), metres(find(got, "inverse_flattening"))
		if a == 0 {
			a = metres(find(got, "radius"))
		}
		if b := metres(find(got, "semi_minor_axis")); b != 0 && b != a {
			rf = a / (a - b)
		}
		wantA, _ := s.GDAL.CRS.Ellipsoid[1].(float64)
		wantRF, _ := s.GDAL.CRS.Ellipsoid[2].(float64)
		return judge(math.Abs(a-wantA) < 1e-3 && math.Abs(flattening(rf)-flattening(wantRF)) < 1e-9, got, s.GDAL.CRS.Ellipsoid)
	})(s)
}

// unit compares the length of the unit of a projected CRS in metres.
func unit(s *subject) verdict {
	return defined(func(s *subject, definition map[string]any) verdict {
		axes, _ := find(definition, "coordinate_system", "axis").([]any)
		if s.GDAL.CRS.UnitFactor == 0 || !strings.Contains(s.GDAL.CRS.Type, "projected") || len(axes) == 0 {
			return none
		}
		got := 0.
		switch u := find(axes[0], "unit").(type) {
		case string: // metre is the only length that PROJJSON has a word for
			got = 1
		case map[string]any:
			got, _ = u["conversion_factor"].(float64)
		}
		return judge(math.Abs(got-s.GDAL.CRS.UnitFactor) < 1e-9*s.GDAL.CRS.UnitFactor, got, s.GDAL.CRS.UnitFactor)
	})(s)
}

func flattening(inverse float64) float64 {
	if inverse == 0 || math.IsInf(inverse, 0) {
		return 0
	}
	return 1 / inverse
}

// metres is a PROJJSON quantity in metres, degrees or as it is: a number, or a value with its unit.
func metres(v any) float64 {
	if f, ok := v.(float64); ok {
		return f
	}
	value, _ := find(v, "value").(float64)
	factor, ok := find(v, "unit", "conversion_factor").(float64)
	if !ok {
		return value
	}
	if find(v, "unit", "type") == "AngularUnit" {
		factor *= 180 / math.Pi
	}
	return value * factor
}

// parameters compares those of the projection by name, where the truth has them. One that is missing is 0, a scale 1.
func parameters(s *subject) verdict {
	return defined(func(s *subject, definition map[string]any) verdict {
		if s.GDAL.CRS.Parameters == nil {
			return none
		}
		list, _ := find(definition, "conversion", "parameters").([]any)
		got := map[string]float64{}
		for _, p := range list {
			name, _ := find(p, "name").(string)
			m, _ := p.(map[string]any)
			value := metres(m["value"])
			if factor, ok := find(p, "unit", "conversion_factor").(float64); ok {
				value *= factor
				if find(p, "unit", "type") == "AngularUnit" {
					value *= 180 / math.Pi
				}
			}
			got[parameterName(name)] = value
		}
		for name, w := range s.GDAL.CRS.Parameters {
			v, ok := got[parameterName(name)]
			if !ok && strings.Contains(name, "cale") {
				v = 1
			}
			if math.Abs(v-w) > 1e-6*max(1, math.Abs(w)) {
				return judge(false, got, s.GDAL.CRS.Parameters)
			}
		}
		return verdict{compared: true}
	})(s)
}

// parameterName makes one of the names that mean the same in methods that differ by the place of their origin.
func parameterName(s string) string {
	words := strings.Fields(strings.ToLower(s))
	words = slices.DeleteFunc(words, func(w string) bool {
		return w == "of" || w == "natural" || w == "false" || w == "at" || w == "projection" || w == "centre" || w == "origin"
	})
	return strings.Join(words, " ")
}
