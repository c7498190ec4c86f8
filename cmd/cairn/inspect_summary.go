package main

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/cairn-stac/cairn/internal/item"
)

// A frequency tells how often each text occurred.
type frequency map[string]int

const (
	mostTexts = 1000 // are told apart, so that a million files that all differ do not fill the memory
	mostRows  = 20   // are shown
)

// add counts a text; one too many is left to the rest, which has no name.
func (f frequency) add(text string) {
	if f[text] == 0 && len(f) >= mostTexts {
		text = ""
	}
	f[text]++
}

// write lists the texts below a heading, the most frequent first.
func (f frequency) write(s sheet, heading string, explain func(text string) string) {
	if len(f) == 0 {
		return
	}
	fmt.Fprintf(s.w, "\n%s\n", heading)
	rest := f[""]
	texts := slices.SortedFunc(maps.Keys(f), func(a, b string) int { return cmp.Or(cmp.Compare(f[b], f[a]), cmp.Compare(a, b)) })
	for i, text := range slices.DeleteFunc(texts, func(text string) bool { return text == "" }) {
		if i < mostRows {
			s.row(f[text], explain(text))
		} else {
			rest += f[text]
		}
	}
	if rest > 0 {
		s.row(rest, "others")
	}
}

// An inspectSummary counts what files would become.
type inspectSummary struct {
	items, rasters, rejected, sidecars, ignored, warnings int
	rejects, crs, layouts, times                          frequency
}

func newInspectSummary() inspectSummary {
	return inspectSummary{rejects: frequency{}, crs: frequency{}, layouts: frequency{}, times: frequency{}}
}

// add counts the files of a scene that are wanted. An Item counts where any of its files is.
func (s *inspectSummary) add(l look) {
	var seen []*outcome
	for _, f := range l.files {
		switch {
		case !f.wanted:
		case f.role == item.RoleAsset:
			s.rasters++
			if !slices.Contains(seen, f.outcome) {
				seen = append(seen, f.outcome)
			}
			for _, r := range f.outcome.why.Rasters {
				if r.Key == f.key {
					s.crs.add(crsName(r.CRS))
					s.layouts.add(offset.ReplaceAllString(cogText(r.Header), "$1 …"))
				}
			}
		case f.role == item.RoleReject:
			s.rejected++
			s.rejects.add(f.Reject.Code)
		case f.role == item.RoleSidecar:
			s.sidecars++
		default:
			s.ignored++
		}
	}
	for _, o := range seen {
		s.items++
		s.times.add(o.why.Time.Rule)
		s.warnings += min(1, len(o.why.Warnings))
	}
}

// offset is what differs between verdicts of the same kind.
var offset = regexp.MustCompile(`\b(offset|at) \d+`)

// write writes the summary.
func (s *inspectSummary) write(to sheet) {
	s.rejects.write(to, "Rejects", func(code string) string { return code + ": " + meaning(code) })
	s.crs.write(to, "Coordinate reference systems of rasters", verbatim)
	s.layouts.write(to, "Layout of rasters", verbatim)
	s.times.write(to, "Times of items", func(rule string) string { return cmp.Or(timeRules[rule], rule) })

	fmt.Fprintf(to.w, "\n%s", count(s.items, "item"))
	if s.rasters != s.items {
		fmt.Fprintf(to.w, " of %s", count(s.rasters, "raster"))
	}
	if s.warnings > 0 {
		fmt.Fprintf(to.w, " (%s with warnings)", number(s.warnings))
	}
	fmt.Fprintf(to.w, ", %s, %s, %s ignored\n", count(s.rejected, "reject"), count(s.sidecars, "sidecar"), number(s.ignored))
}

func verbatim(text string) string { return text }

// meaning says what a code of Rejects stands for, and what to do.
func meaning(code string) string {
	for _, c := range item.RejectCodes {
		if c.Code == code {
			return c.Meaning + " What to do: " + c.Advice + "."
		}
	}
	return "The file could not be read, so nothing is known of it."
}

// none tells whether there was no file at all.
func (s *inspectSummary) none() bool { return s.rasters+s.rejected+s.sidecars+s.ignored == 0 }
