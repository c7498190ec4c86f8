package httpapi

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// params reads the query parameters of a request that has these and no others: a filter that was misspelt, or is not served,
// must not look as if it had been applied (OGC 17-069r4, requirement 8).
func params(r *http.Request, known ...string) (url.Values, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse("bad_parameter", "the query string is malformed: names and values must be percent-encoded")
	}
	for name, values := range q {
		if !slices.Contains(known, name) {
			return nil, refuse("bad_parameter", "parameter %q is unknown here; known are %s", name, strings.Join(known, ", "))
		}
		if len(values) > 1 {
			return nil, refuse("bad_parameter", "parameter %q is given %d times", name, len(values))
		}
	}
	return q, nil
}

// param parses one parameter; one that is absent is the zero value.
func param[T any](q url.Values, name string, parse func(string) (T, error)) (T, error) {
	var none T
	if !q.Has(name) {
		return none, nil
	}
	v, err := parse(q.Get(name))
	if err != nil {
		return none, refuse("bad_parameter", "parameter %q: %v", name, err)
	}
	return v, nil
}

// limitOf parses the number of things on a page, at least 1. What is above most is most.
func limitOf(q url.Values, usual, most int) (int, error) {
	n, err := param(q, "limit", func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if errors.Is(err, strconv.ErrRange) && n > 0 {
			err = nil
		}
		if err != nil || n < 1 {
			return 0, fmt.Errorf("expected a number from 1 to %d", most)
		}
		return min(n, most), nil
	})
	if n == 0 {
		n = usual
	}
	return n, err
}

// parseBBox parses west, south, east, north in degrees, west > east over the antimeridian; of six numbers, the third and the
// sixth are heights in between, which Items do not have (OGC 17-069r4, 7.15.3).
func parseBBox(s string) (*[4]float64, error) {
	fields := strings.Split(s, ",")
	if len(fields) != 4 && len(fields) != 6 {
		return nil, errors.New("expected 4 numbers west,south,east,north, or 6 with heights west,south,low,east,north,high")
	}
	var v [6]float64
	for i, f := range fields {
		n, err := strconv.ParseFloat(strings.TrimSpace(f), 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return nil, fmt.Errorf("expected a number instead of %q", f)
		}
		v[i] = n
	}
	box := [4]float64(v[:4])
	if len(fields) == 6 {
		if v[2] > v[5] {
			return nil, errors.New("the least height is above the greatest")
		}
		box = [4]float64{v[0], v[1], v[3], v[4]}
	}
	switch {
	case math.Abs(box[0]) > 180 || math.Abs(box[2]) > 180:
		return nil, errors.New("expected longitudes from -180 to 180")
	case math.Abs(box[1]) > 90 || math.Abs(box[3]) > 90:
		return nil, errors.New("expected latitudes from -90 to 90")
	case box[1] > box[3]:
		return nil, errors.New("south is north of north")
	}
	return &box, nil
}

// An interval of time, both ends in it; nil is open.
type interval struct{ start, end *time.Time }

var errDatetime = errors.New("expected an RFC 3339 time such as 2024-05-06T07:08:09Z, or two with a slash between them, " +
	`one of which may be ".." or empty`)

// parseDatetime parses an instant, or an interval that is open at one end at most (OGC 17-069r4, 7.15.4).
func parseDatetime(s string) (interval, error) {
	from, to, isInterval := strings.Cut(s, "/")
	if !isInterval {
		t, err := parseInstant(s)
		return interval{t, t}, err
	}
	var v interval
	for _, end := range []struct {
		text string
		at   **time.Time
	}{{from, &v.start}, {to, &v.end}} {
		if end.text == "" || end.text == ".." {
			continue
		}
		t, err := parseInstant(end.text)
		if err != nil {
			return interval{}, err
		}
		*end.at = t
	}
	switch {
	case v.start == nil && v.end == nil:
		return interval{}, errDatetime
	case v.start != nil && v.end != nil && v.start.After(*v.end):
		return interval{}, errors.New("the interval ends before it starts")
	}
	return v, nil
}

// instantShape is RFC 3339's, of which time.Parse takes a little more in some places and a little less in others.
var instantShape = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$`)

func parseInstant(s string) (*time.Time, error) {
	t, err := time.Parse(time.RFC3339, strings.ToUpper(s))
	if err != nil || !instantShape.MatchString(s) {
		return nil, errDatetime
	}
	t = t.UTC()
	return &t, nil
}
