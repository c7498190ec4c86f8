package snapshot

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/cairn-stac/cairn/internal/stac"
)

// An extent is where and when an Item is: what queries are compared with, exactly.
type extent struct {
	box      *[4]float64 // west, south, east, north in degrees; west > east over the antimeridian; nil: no geometry
	from, to *time.Time  // both nil: no time
}

// extentOf reads the extent from an Item's line: its bbox, and start_datetime to end_datetime, else datetime.
func extentOf(line []byte) (extent, error) {
	var it struct {
		BBox       []float64 `json:"bbox"`
		Properties struct {
			Datetime *string `json:"datetime"`
			Start    *string `json:"start_datetime"`
			End      *string `json:"end_datetime"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(line, &it); err != nil {
		return extent{}, err
	}
	var e extent
	switch b := it.BBox; len(b) {
	case 0:
	case 4:
		e.box = &[4]float64{b[0], b[1], b[2], b[3]}
	case 6:
		e.box = &[4]float64{b[0], b[1], b[3], b[4]}
	default:
		return extent{}, fmt.Errorf("bbox of %d numbers", len(b))
	}
	p := it.Properties
	start, end := p.Start, p.End
	if start == nil || end == nil {
		start, end = p.Datetime, p.Datetime
	}
	if start == nil {
		return e, nil
	}
	from, err := time.Parse(time.RFC3339, *start)
	if err != nil {
		return extent{}, err
	}
	to, err := time.Parse(time.RFC3339, *end)
	if err != nil {
		return extent{}, err
	}
	e.from, e.to = &from, &to
	return e, nil
}

// boxesMeet tells whether two boxes share a point; touching is enough.
func boxesMeet(a, b [4]float64) bool {
	if a[1] > b[3] || b[1] > a[3] {
		return false
	}
	switch wa, wb := a[0] > a[2], b[0] > b[2]; {
	case wa && wb:
		return true // at the antimeridian
	case wa, wb:
		return a[0] <= b[2] || b[0] <= a[2]
	default:
		return a[0] <= b[2] && b[0] <= a[2]
	}
}

// meets tells whether e is within reach of the query's box and interval. What has no box, or no time, is never in one.
func (q *Query) meets(e extent) bool {
	if q.BBox != nil && (e.box == nil || !boxesMeet(*e.box, *q.BBox)) {
		return false
	}
	return q.meetsTime(e.from, e.to)
}

func (q *Query) meetsTime(from, to *time.Time) bool {
	if q.Start == nil && q.End == nil {
		return true
	}
	return from != nil && to != nil && (q.Start == nil || !to.Before(*q.Start)) && (q.End == nil || !from.After(*q.End))
}

// mayMeet tells whether one of the Items that s sums up may be within reach. Its bounds cover them all: latitudes, the
// longitudes on each side of Greenwich, and every time that an Item names.
func (q *Query) mayMeet(s *stac.Summary) bool {
	if q.BBox != nil {
		meets := false
		for _, side := range []*[2]float64{s.West, s.East} {
			if side != nil && s.Latitudes != nil {
				meets = meets || boxesMeet([4]float64{side[0], s.Latitudes[0], side[1], s.Latitudes[1]}, *q.BBox)
			}
		}
		if !meets {
			return false
		}
	}
	return q.meetsTime(s.From, s.To)
}
