package fidelity

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/stac"
	"github.com/cairn-stac/cairn/internal/stac/stactest"
)

// What reading a raster's header may cost, whatever it is.
const (
	maxReads = 6
	maxBytes = 4 << 20
)

// A tally counts the files of a field, and keeps its differences.
type tally struct {
	agree           int
	differ, excused []string
}

// TestFidelity makes an Item or a Reject of every file of a corpus and holds it against GDAL, field by field.
func TestFidelity(t *testing.T) {
	dir, whole, rows := readTruth(t)
	r, lenient := newRules(t, dir, ""), newRules(t, dir, "without_footprint: item\n")
	tallies := make([]tally, len(fields))
	used := map[int]bool{}
	var slowest *subject
	var took time.Duration
	earth, items, reads := 0, 0, 0
	summaries := map[item.Collection]stac.Summary{}
	for _, row := range rows {
		s := study(t, r, lenient, dir, row)
		if s.reads > maxReads || s.bytes > maxBytes {
			t.Errorf("%s took %d reads of %d bytes", s.File, s.reads, s.bytes)
		}
		if s.made != nil {
			c := r.Collection(s.File)
			summary := summaries[c]
			summary.Add(s.made)
			summaries[c] = summary
		}
		reads, took = reads+s.reads, took+s.took
		if slowest == nil || s.took > slowest.took {
			slowest = s
		}
		if s.onEarth() && s.transform() != nil {
			earth++
			if s.item != nil {
				items++
			}
		}
		for i, f := range fields {
			switch v := f.compare(s); {
			case !v.compared:
			case v.differ == "":
				tallies[i].agree++
			default:
				if e := excuseFor(s.File, f.name); e >= 0 {
					used[e] = true
					tallies[i].excused = append(tallies[i].excused, fmt.Sprintf("%s: %s (%s)", s.File, v.differ, excuses[e].reason))
				} else {
					tallies[i].differ = append(tallies[i].differ, s.File+": "+v.differ)
				}
			}
		}
	}
	t.Logf("%s\n%s", dir, report(tallies))
	t.Logf("%d files, %.2f reads each; %d of %d that have a transform and a CRS of the Earth became Items", len(rows),
		float64(reads)/float64(len(rows)), items, earth)
	t.Logf("%v in all, %v at most (%s)", took.Round(time.Millisecond), slowest.took.Round(time.Microsecond), slowest.File)
	for c, summary := range summaries {
		info := r.Info(c)
		summary.Apply(&info)
		data, err := json.Marshal(info)
		if err != nil {
			t.Error(err)
		}
		stactest.Validate(t, data)
	}
	if !stactest.Available() {
		t.Log("the schemas of STAC are not here, so that no Item was validated")
	}
	if 100*items < 99*earth {
		t.Errorf("only %d of %d files that have a transform and a CRS of the Earth became Items", items, earth)
	}
	for i, f := range fields {
		c := tallies[i]
		for _, d := range c.differ {
			t.Errorf("%s: %s", f.name, d)
		}
		if whole && c.agree+len(c.differ)+len(c.excused) == 0 {
			t.Errorf("%s: not one file has it", f.name)
		}
	}
	for i, e := range excuses {
		if !used[i] && contains(rows, e.file) {
			t.Errorf("%s of %s needs no excuse any more", e.field, e.file)
		}
	}
}

// report is a table of the fields, with every excused difference and its reason.
func report(tallies []tally) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "field\tfiles\tagree\tdiffer\tGDAL's own\t\n")
	for i, f := range fields {
		c := tallies[i]
		files := c.agree + len(c.differ) + len(c.excused)
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t\n", f.name, files, c.agree, len(c.differ), len(c.excused))
	}
	w.Flush()
	for i, f := range fields {
		for _, d := range tallies[i].excused {
			fmt.Fprintf(&b, "\n%s: %s", f.name, d)
		}
	}
	return b.String()
}

// excuseFor is the index of the excuse for a field of a file, -1 where there is none.
func excuseFor(file, field string) int {
	for i, e := range excuses {
		if strings.HasSuffix(file, e.file) && e.field == field {
			return i
		}
	}
	return -1
}

func contains(rows []truth, file string) bool {
	for _, row := range rows {
		if strings.HasSuffix(row.File, file) {
			return true
		}
	}
	return false
}
