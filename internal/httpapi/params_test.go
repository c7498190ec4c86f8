package httpapi

import (
	"math"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseBBox(t *testing.T) {
	for text, want := range map[string]*[4]float64{
		"1,2,3,4":         {1, 2, 3, 4},
		" 1, 2,3.5 ,4e0":  {1, 2, 3.5, 4},
		"170,-10,-170,10": {170, -10, -170, 10},
		"-180,-90,180,90": {-180, -90, 180, 90},
		"1,2,0,3,4,9":     {1, 2, 3, 4},
		"5,5,5,5":         {5, 5, 5, 5},
		"":                nil,
		"1,2,3":           nil,
		"1,2,3,4,5":       nil,
		"1,2,3,4,5,6,7":   nil,
		"1,2,3,x":         nil,
		"1,2,3,":          nil,
		"1,4,3,2":         nil,
		"1,2,9,3,4,0":     nil,
		"NaN,2,3,4":       nil,
		"1,2,inf,4":       nil,
		"1,2,181,4":       nil,
		"1,-91,3,4":       nil,
		"[1,2,3,4]":       nil,
	} {
		got, err := parseBBox(text)
		if !reflect.DeepEqual(got, want) || (err == nil) != (want != nil) {
			t.Errorf("parseBBox(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParseDatetime(t *testing.T) {
	at := func(s string) *time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		v = v.UTC()
		return &v
	}
	a, b := "2024-01-02T03:04:05Z", "2024-02-02T03:04:05.25Z"
	for text, want := range map[string]interval{
		a:                                {at(a), at(a)},
		"2024-01-02t03:04:05z":           {at(a), at(a)},
		"2024-01-02T05:04:05+02:00":      {at(a), at(a)},
		a + "/" + b:                      {at(a), at(b)},
		a + "/" + a:                      {at(a), at(a)},
		"../" + b:                        {nil, at(b)},
		"/" + b:                          {nil, at(b)},
		a + "/..":                        {at(a), nil},
		a + "/":                          {at(a), nil},
		"":                               {},
		"..":                             {},
		"../..":                          {},
		"/":                              {},
		"/..":                            {},
		b + "/" + a:                      {},
		a + "/" + b + "/" + b:            {},
		"2024-01-02":                     {},
		"2024-01-02T03:04:05":            {},
		"2024-01-02 03:04:05Z":           {},
		"2024-01-02T03:04:05,5Z":         {},
		"2024-01-02T3:04:05Z":            {},
		"2024-02-30T03:04:05Z":           {},
		"2024-01-02T03:04:05 02:00":      {},
		"last week":                      {},
		a + "/last week":                 {},
		strings.Repeat("2", 1<<10) + "/": {},
	} {
		got, err := parseDatetime(text)
		if !reflect.DeepEqual(got, want) || (err == nil) != (want != interval{}) {
			t.Errorf("parseDatetime(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestLimit(t *testing.T) {
	for text, want := range map[string]int{
		"1": 1, "10": 10, "100": 100, "101": 100, "99999999999999999999999": 100,
		"0": 0, "-1": 0, "-99999999999999999999999": 0, "": 0, "1.5": 0, "ten": 0, "1e3": 0,
	} {
		got, err := limitOf(url.Values{"limit": {text}}, 10, 100)
		if err == nil && got != want || (err == nil) != (want != 0) {
			t.Errorf("limit %q = %d, %v; want %d", text, got, err, want)
		}
	}
	if got, err := limitOf(url.Values{}, 10, 100); got != 10 || err != nil {
		t.Errorf("no limit = %d, %v", got, err)
	}
}

func FuzzParseBBox(f *testing.F) {
	for _, s := range []string{"1,2,3,4", "170,-10,-170,10", "1,2,0,3,4,9", "0x1p4,1,2,3", "1_0,2,3,4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := parseBBox(s)
		if (b == nil) != (err != nil) {
			t.Fatalf("%v, %v", b, err)
		}
		if b != nil && !(math.Abs(b[0]) <= 180 && math.Abs(b[2]) <= 180 && -90 <= b[1] && b[1] <= b[3] && b[3] <= 90) {
			t.Errorf("parseBBox(%q) = %v", s, *b)
		}
	})
}

func FuzzParseDatetime(f *testing.F) {
	for _, s := range []string{"2024-01-02T03:04:05Z", "2024-01-02T03:04:05+02:00/..", "../2024-01-02t03:04:05.123z", "/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := parseDatetime(s)
		if (v == interval{}) != (err != nil) {
			t.Fatalf("%v, %v", v, err)
		}
		if v.start != nil && v.end != nil && v.start.After(*v.end) {
			t.Errorf("parseDatetime(%q) = %v to %v", s, v.start, v.end)
		}
	})
}
