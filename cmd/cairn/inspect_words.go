package main

import (
	"cmp"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/cairn-stac/cairn/internal/crs"
	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/stac"
)

// What the rules of an item.Origin are called.
var (
	timeRules = map[string]string{
		"config":        "by a pattern of the config",
		"sidecar":       "from a sidecar",
		"metadata":      "from the file's metadata",
		"file_name":     "from the file's name",
		"path":          "from the folders' names",
		"tiff_datetime": "from the file's DateTime tag",
		"last_modified": "when the file was last modified; nothing better is known",
	}
	placeRules = map[string]string{
		"header":     "from the file",
		"aux_xml":    "from the .aux.xml beside it",
		"prj":        "from the .prj beside it",
		"world_file": "from the world file beside it",
		"gcps":       "from ground control points",
		"assume_crs": "as assume_crs in the config says",
	}
)

// originText says by which rule something was found, where, and in which text.
func originText(rules map[string]string, o item.Origin) string {
	text := cmp.Or(rules[o.Rule], o.Rule)
	if where := strings.TrimPrefix(o.Where, "GDAL metadata "); where != "" && o.Rule != "tiff_datetime" {
		text += ", " + printable(where)
	}
	if o.Text != "" {
		text += ": " + quoted(o.Text)
	}
	return text
}

// crsOriginText is originText for a CRS: how a file says it is told in words, which no file wrote.
func crsOriginText(o item.Origin) string {
	words := o.Text
	o.Text = ""
	return joined(": ", originText(placeRules, o), printable(words))
}

// quoted is a text of a file in quotation marks, and not all of it where it is long.
func quoted(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}

func itemText(o *outcome) string {
	return fmt.Sprintf("%s in collection %s", printable(o.ID), printable(o.Collection))
}

func timeText(o *outcome) string { return when(o) + ", " + originText(timeRules, o.why.Time) }

// when is the time of an Item, or its interval.
func when(o *outcome) string {
	if at, ok := o.Properties["datetime"].(string); ok {
		return at
	}
	return fmt.Sprintf("%v to %v", o.Properties["start_datetime"], o.Properties["end_datetime"])
}

// gridSize tells how many pixels there are.
func gridSize(h *geotiff.Header) string { return fmt.Sprintf("%d x %d pixels", h.Width, h.Height) }

// bandsText tells how many bands there are, of which types.
func bandsText(h *geotiff.Header) string {
	var types []string
	for _, b := range h.Bands {
		if t := typeText(b); !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	return count(len(h.Bands), "band") + " of " + strings.Join(types, ", ")
}

// typeText is a band's type, with its bits where it does not fill it.
func typeText(b geotiff.Band) string {
	if n := len(b.DataType) - len(strings.TrimLeft(b.DataType, "abcdefghijklmnopqrstuvwxyz")); b.DataType[n:] == strconv.Itoa(b.Bits) || b.DataType[0] == 'c' {
		return b.DataType
	}
	return fmt.Sprintf("%s (%s)", b.DataType, count(b.Bits, "bit"))
}

// cogText is the verdict on the layout.
func cogText(h *geotiff.Header) string {
	switch {
	case !h.COG.Valid:
		return "not cloud optimized: " + h.COG.Reason
	case h.COG.Remark != "":
		return "cloud optimized (COG), but " + h.COG.Remark
	}
	return "cloud optimized (COG)"
}

// fileText tells of the container.
func fileText(h *geotiff.Header) string {
	kind, order := "TIFF", "little-endian"
	if h.BigTIFF {
		kind = "BigTIFF"
	}
	if h.BigEndian {
		order = "big-endian"
	}
	text := kind + ", " + order
	if h.Pages > 1 {
		text += fmt.Sprintf(", %d images, of which the first counts", h.Pages)
	}
	return text
}

// layoutText tells how pixels are stored.
func layoutText(h *geotiff.Header) string {
	text := fmt.Sprintf("tiles of %d x %d pixels", h.BlockWidth, h.BlockHeight)
	switch {
	case !h.Tiled && h.BlockHeight >= h.Height:
		text = "one strip"
	case !h.Tiled:
		text = "strips of " + plural(int(h.BlockHeight), "row", "rows")
	}
	if h.Planar && len(h.Bands) > 1 {
		text += ", each band by itself"
	}
	text += ", " + compressionText(h.Compression)
	const ycbcr = 6
	if h.Photometric == ycbcr {
		text += " (YCbCr)"
	}
	return text
}

// compressions are the values of the tag Compression: TIFF 6.0 section 7, TIFF technical notes, and libtiff's registered ones.
var compressions = map[uint16]string{
	1: "not compressed", 2: "CCITT RLE", 3: "CCITT fax group 3", 4: "CCITT fax group 4", 5: "LZW", 6: "JPEG of the old kind",
	7: "JPEG", 8: "deflate", 32773: "PackBits", 32946: "deflate", 34661: "JBIG", 34712: "JPEG 2000", 34887: "LERC", 34892: "lossy JPEG",
	34925: "LZMA", 50000: "Zstandard", 50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL",
}

func compressionText(n uint16) string {
	if name, ok := compressions[n]; ok {
		return name
	}
	return fmt.Sprintf("compression %d", n)
}

// overviewsText lists the overviews of a raster; "" where there are none.
func overviewsText(h *geotiff.Header, beside string) string {
	var sizes []string
	for _, s := range h.Overviews {
		sizes = append(sizes, fmt.Sprintf("%d x %d", s.Width, s.Height))
	}
	text := listed(sizes, 8)
	if beside != "" {
		text = joined("; ", text, "in "+printable(path.Base(beside)))
	}
	return text
}

// maskText tells where the mask of a raster is; "" where there is none.
func maskText(h *geotiff.Header, beside string) string {
	switch {
	case beside != "":
		return "in " + printable(path.Base(beside))
	case h.HasMask:
		return "in the file"
	}
	return ""
}

// crsName names a CRS in short.
func crsName(c *crs.CRS) string {
	switch {
	case c == nil:
		return "none"
	case c.Code == 0:
		return joined(": ", "user-defined", definitionText(c))
	}
	return fmt.Sprintf("EPSG:%d (%s)", c.Code, printable(c.Name))
}

// definitionText tells of what a user-defined CRS is made.
func definitionText(c *crs.CRS) string {
	base, conversion := c.PROJJSON(), "geographic"
	if bound := inner(base, "source_crs"); bound != nil { // with a shift to WGS 84
		base = bound
	}
	if m := inner(base, "conversion"); m != nil {
		conversion = nameOf(inner(m, "method"))
		base = inner(base, "base_crs")
	}
	datum := cmp.Or(nameOf(inner(base, "datum")), nameOf(inner(base, "datum_ensemble")))
	if datum != "" {
		datum = "on " + datum
	}
	return printable(joined(" ", conversion, datum))
}

func inner(m map[string]any, name string) map[string]any {
	o, _ := m[name].(map[string]any)
	return o
}

func nameOf(m map[string]any) string {
	name, _ := m["name"].(string)
	return name
}

// unitText names the unit of a CRS's coordinates.
func unitText(c *crs.CRS) string {
	switch u := c.UnitMetres; {
	case c.Geographic:
		return "degrees"
	case u == 1:
		return "metres"
	case u == 1000:
		return "kilometres"
	case u == 0.3048:
		return "feet"
	case math.Abs(u-1200./3937) < 1e-9:
		return "US survey feet"
	default:
		return "units of " + decimal(u) + " m"
	}
}

// shiftText tells how well a CRS's datum is related to WGS 84; "" where it is WGS 84.
func shiftText(c *crs.CRS) string {
	switch a := c.Accuracy; {
	case a == 0:
		return ""
	case a < 0:
		return "no shift from its datum to WGS 84 is known, so the footprint may be some hundred metres off"
	case a >= 999:
		return "shifted from its datum to WGS 84, nobody knows how well"
	case c.Approximate():
		return fmt.Sprintf("shifted from its datum to WGS 84 to no better than %s m", decimal(a))
	default:
		return fmt.Sprintf("shifted from its datum to WGS 84, good to %s m", decimal(a))
	}
}

// gridText tells where a geotransform puts the pixels, in the unit of c where it is known.
func gridText(t *geotiff.Affine, c *crs.CRS) string {
	unit := ""
	if c != nil {
		unit = " " + unitText(c)
	}
	text := fmt.Sprintf("corner at %s, %s; pixels of %s%s", decimal(t.X0), decimal(t.Y0), pixelSize(t), unit)
	switch turned := math.Atan2(t.RY, t.DX) * 180 / math.Pi; {
	case t.RX != 0 || t.RY != 0:
		text += fmt.Sprintf(", rows turned by %.3g degrees", turned)
	case t.DX < 0:
		text += ", columns from east to west"
	}
	if t.RX == 0 && t.RY == 0 && t.DY > 0 {
		text += ", rows from south to north"
	}
	return text
}

// pixelSize is the size of a pixel in the unit of the CRS.
func pixelSize(t *geotiff.Affine) string {
	return decimal(math.Hypot(t.DX, t.RY)) + " x " + decimal(math.Hypot(t.RX, t.DY))
}

// bboxText gives the bounding box of an Item, and says what is odd about its footprint, or why there is none.
func bboxText(o *outcome) string {
	b := o.BBox
	if len(b) != 4 {
		text := "none"
		if r := o.why.Rasters[0].NoFootprint; r != nil {
			text += ": " + printable(r.Message)
		}
		return text
	}
	text := fmt.Sprintf("%.5f, %.5f, %.5f, %.5f", b[0], b[1], b[2], b[3])
	round := b[0] <= -180 && b[2] >= 180
	switch {
	case b[0] > b[2]:
		text += " (across the antimeridian)"
	case round && (b[3] >= 90 || b[1] <= -90):
		var poles []string
		if b[3] >= 90 {
			poles = append(poles, "north")
		}
		if b[1] <= -90 {
			poles = append(poles, "south")
		}
		text += fmt.Sprintf(" (all the way round the Earth, to the %s pole)", strings.Join(poles, " and the "))
	case round:
		text += " (all the way round the Earth)"
	}
	return text
}

// footprintText tells of what the geometry of an Item consists, which has one.
func footprintText(o *outcome) string {
	points := 0
	for _, polygon := range o.Geometry.Polygons {
		for _, ring := range polygon {
			points += len(ring) - 1
		}
	}
	text := fmt.Sprintf("a polygon of %d corners", points)
	if n := len(o.Geometry.Polygons); n > 1 {
		text = fmt.Sprintf("%d polygons that meet at the antimeridian, of %d corners", n, points)
	}
	if r := o.why.Rasters[0]; r.Transform == nil && r.TransformOrigin.Rule == "gcps" {
		text += ", round the ground control points"
	}
	return text
}

// gsdText gives the size of a pixel on the ground, where the Item tells it.
func gsdText(o *outcome) string {
	if gsd, ok := o.Properties["gsd"].(float64); ok {
		return ", pixels of " + decimal(gsd) + " m"
	}
	return ""
}

// decimal writes a number with up to 12 digits, which is enough for people.
func decimal(f float64) string {
	short, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 12, 64), 64)
	if a := math.Abs(short); err != nil || a != 0 && (a < 1e-9 || a >= 1e15) {
		return strconv.FormatFloat(f, 'g', 12, 64)
	}
	return strconv.FormatFloat(short, 'f', -1, 64)
}

// listed puts the first few of a list in a line.
func listed(items []string, most int) string {
	if n := len(items); n > most {
		return strings.Join(items[:most], ", ") + fmt.Sprintf(" and %d more", n-most)
	}
	return strings.Join(items, ", ")
}

// joined puts together what is not empty.
func joined(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), sep)
}

// sceneText lists the rasters of a scene by their assets.
func sceneText(o *outcome) string {
	var assets []string
	for _, r := range o.why.Rasters {
		assets = append(assets, r.Asset)
	}
	return count(len(assets), "raster") + ": " + printable(listed(assets, 24))
}

// bandText tells of a band what the header and the Item say.
func bandText(h geotiff.Band, b stac.Band) string {
	parts := []string{typeText(h)}
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if h.ColorInterp != "" && h.ColorInterp != "undefined" {
		add("%s", h.ColorInterp)
	}
	if b.Name != "" && b.Name != h.ColorInterp {
		add("%s", quoted(b.Name))
	}
	if b.Description != "" && b.Description != b.Name {
		add("%s", quoted(b.Description))
	}
	if b.Nodata != nil {
		add("nodata %v", b.Nodata)
	}
	if b.Scale != nil || b.Offset != nil {
		scale, offset := 1., 0.
		if b.Scale != nil {
			scale = *b.Scale
		}
		if b.Offset != nil {
			offset = *b.Offset
		}
		add("value = %s x pixel + %s", decimal(scale), decimal(offset))
	}
	if b.Unit != "" {
		add("in %s", printable(b.Unit))
	}
	for _, s := range []string{"minimum", "maximum", "mean", "stddev", "valid_percent"} {
		if v, ok := b.Statistics[s].(float64); ok {
			add("%s %s", s, decimal(v))
		}
	}
	return strings.Join(parts, ", ")
}

// assetText tells of an asset.
func assetText(name string, a stac.Asset) string {
	text := printable(name) + ", " + printable(a.Type)
	if len(a.Roles) > 0 {
		text += " (" + printable(strings.Join(a.Roles, ", ")) + ")"
	}
	return text
}

// keysText tells what a file without a usable CRS says of one.
func keysText(g *geotiff.GeoKeys) string {
	if g == nil {
		return "none"
	}
	var parts []string
	for _, t := range []string{g.Citation, g.ProjectedCitation, g.GeodeticCitation} {
		if t != "" && !slices.Contains(parts, quoted(t)) {
			parts = append(parts, quoted(t))
		}
	}
	if len(parts) == 0 {
		return "none that can be used"
	}
	return "none that can be used: " + strings.Join(parts, ", ")
}
