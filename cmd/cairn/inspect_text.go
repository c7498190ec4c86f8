package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cairn-stac/cairn/internal/crs"
	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/item"
)

// writeReport tells people what a file would become.
func writeReport(w io.Writer, f inspected) error {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-10s %s\n", name, fmt.Sprintf(format, args...))
	}
	fmt.Fprintln(w, printable(f.File))
	if f.Reject != nil {
		line("reject", "%s: %s", f.Reject.Code, printable(f.Reject.Message))
		return nil
	}
	var it struct {
		ID         string         `json:"id"`
		Collection string         `json:"collection"`
		BBox       []float64      `json:"bbox"`
		Properties map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(f.Item, &it); err != nil {
		return fmt.Errorf("item of %s: %w", f.File, err)
	}
	line("item", "%s in collection %s", it.ID, it.Collection)
	if h := f.header; h != nil {
		line("raster", "%d x %d pixels, %s, %s", h.Width, h.Height, bandsText(h.Bands), size(f.size))
		line("layout", "%s", layoutText(h))
	}
	line("crs", "%s", crsText(it.Properties))
	line("bbox", "%s", bboxText(it.BBox))
	line("time", "%s", timeText(it.Properties))
	if f.header != nil {
		for _, w := range f.header.Warnings {
			line("warning", "%s", printable(w))
		}
	}
	return nil
}

func bandsText(bands []geotiff.Band) string {
	var types []string
	for _, b := range bands {
		if !slices.Contains(types, b.DataType) {
			types = append(types, b.DataType)
		}
	}
	return count(len(bands), "band") + " of " + strings.Join(types, ", ")
}

func layoutText(h *geotiff.Header) string {
	text := "cloud optimized (COG)"
	if !h.COG.Valid {
		text = "not cloud optimized: " + h.COG.Reason
	}
	if n := len(h.Overviews); n > 0 {
		text += ", " + count(n, "overview")
	}
	return text
}

func crsText(p map[string]any) string {
	code, _ := p["proj:code"].(string)
	var n int
	if _, err := fmt.Sscanf(code, "EPSG:%d", &n); err == nil {
		if c, err := crs.ByCode(n); err == nil {
			code += " (" + c.Name + ")"
		}
	}
	if gsd, ok := p["gsd"].(float64); ok {
		code += fmt.Sprintf(", pixels of %.3g m", gsd)
	}
	if p["cairn:datum_shift"] != nil {
		code += "; no shift from its datum to WGS 84 is known, so the footprint may be some hundred metres off"
	}
	return code
}

func bboxText(b []float64) string {
	if len(b) != 4 {
		return "none"
	}
	text := fmt.Sprintf("%.5f, %.5f, %.5f, %.5f", b[0], b[1], b[2], b[3])
	if b[0] > b[2] {
		text += " (across the antimeridian)"
	}
	return text
}

// timeSources says in words where a time comes from.
var timeSources = map[string]string{
	"config":        "by a pattern of the config",
	"metadata":      "from ACQUISITIONDATETIME in the file",
	"file_name":     "from the file's name",
	"path":          "from the folders' names",
	"tiff_datetime": "from the file's DateTime tag",
	"last_modified": "when the file was last modified; nothing better is known",
}

func timeText(p map[string]any) string {
	when, ok := p["datetime"].(string)
	if !ok {
		when = fmt.Sprintf("%v to %v", p["start_datetime"], p["end_datetime"])
	}
	if source, ok := p["cairn:datetime_source"].(string); ok {
		text, known := timeSources[source]
		if !known {
			text = source
		}
		when += ", " + text
	}
	return when
}

// An inspectSummary counts what the files of a folder would become.
type inspectSummary struct {
	items, sidecars, ignored int
	rejects                  map[string]int // by code
}

func (s *inspectSummary) add(f inspected) {
	switch {
	case f.Item != nil:
		s.items++
	case f.role == item.RoleSidecar:
		s.sidecars++
	case f.role == item.RoleOther:
		s.ignored++
	default:
		if s.rejects == nil {
			s.rejects = map[string]int{}
		}
		s.rejects[f.Reject.Code]++
	}
}

func (s *inspectSummary) write(w io.Writer) {
	n := 0
	for _, c := range s.rejects {
		n += c
	}
	fmt.Fprintf(w, "\n%s, %s", count(s.items, "item"), count(n, "reject"))
	if n > 0 {
		fmt.Fprintf(w, " (%s)", tally(s.rejects))
	}
	fmt.Fprintf(w, ", %s, %s ignored\n", count(s.sidecars, "sidecar"), number(s.ignored))
}

// none tells whether there was no file at all.
func (s *inspectSummary) none() bool {
	return s.items+s.sidecars+s.ignored+len(s.rejects) == 0
}
