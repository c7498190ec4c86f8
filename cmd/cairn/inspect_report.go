package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/cairn-stac/cairn/internal/item"
)

// A reporter writes what inspect sees: lines of JSON, or all there is to say of a single file, or a few lines a file and a
// summary.
type reporter struct {
	out   *bufio.Writer
	json  *json.Encoder // nil: for people
	alone bool          // there is a single file
	live  bool          // somebody looks on
	sheet sheet
	sum   inspectSummary
}

func newReporter(to io.Writer, asJSON bool) *reporter {
	out := bufio.NewWriter(to)
	width, live := sheetWidth(to)
	r := &reporter{out: out, live: live, sheet: sheet{out, width}, sum: newInspectSummary()}
	if asJSON {
		r.json = json.NewEncoder(out)
		r.json.SetEscapeHTML(false)
	}
	return r
}

// look writes what there is to say of a scene. Errors are those of writing.
func (r *reporter) look(l look) error {
	r.sum.add(l)
	write := r.brief
	switch {
	case r.json != nil:
		write = r.lines
	case r.alone:
		write = r.whole
	}
	if err := write(l); err != nil {
		return err
	}
	if r.live {
		return r.out.Flush()
	}
	_, err := r.out.Write(nil) // tells whether anything could not be written
	return err
}

// end writes the summary, where there is one.
func (r *reporter) end() error {
	if r.json == nil && !r.alone {
		r.sum.write(r.sheet)
	}
	return r.out.Flush()
}

// lines writes a line of JSON a file.
func (r *reporter) lines(l look) error {
	for _, f := range l.files {
		if !f.reported() {
			continue
		}
		if err := r.json.Encode(f); err != nil {
			return err
		}
	}
	return nil
}

// brief writes a few lines for each Item and each Reject.
func (r *reporter) brief(l look) error {
	shown := map[*outcome]bool{}
	for _, f := range l.files {
		switch {
		case !f.reported():
		case f.outcome == nil:
			fmt.Fprintln(r.out, printable(f.File))
			r.rejected(f)
		case !shown[f.outcome]:
			shown[f.outcome] = true
			fmt.Fprintln(r.out, printable(f.File))
			r.briefItem(f.outcome)
		}
	}
	return nil
}

func (r *reporter) briefItem(o *outcome) {
	first := o.why.Rasters[0]
	r.sheet.line("item", "%s", itemText(o))
	if len(o.why.Rasters) > 1 {
		r.sheet.line("scene", "%s", sceneText(o))
	}
	r.sheet.line("raster", "%s, %s", gridSize(first.Header), bandsText(first.Header))
	r.sheet.line("layout", "%s", cogText(first.Header))
	r.sheet.line("crs", "%s%s", crsName(first.CRS), gsdText(o))
	if c := first.CRS; c != nil && c.Approximate() {
		r.sheet.line("", "%s", shiftText(c))
	}
	r.sheet.line("bbox", "%s", bboxText(o))
	r.sheet.line("time", "%s", timeText(o))
	r.warnings(o.why.Warnings)
}

func (r *reporter) warnings(texts []string) {
	const most = 10
	for i, text := range texts {
		if i == most {
			r.sheet.line("", "and %s", count(len(texts)-i, "more warning"))
			break
		}
		r.sheet.line("warning", "%s", printable(text))
	}
}

// rejected says why a file does not become an Item, or a part of one.
func (r *reporter) rejected(f inspected) {
	if f.role == item.RoleReject {
		r.sheet.line("reject", "%s: %s", f.Reject.Code, printable(f.Reject.Message))
		return
	}
	r.sheet.line(f.Reject.Code, "%s", f.Reject.Message)
}
