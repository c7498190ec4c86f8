package item

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A stamp is a time that stands in a text: an instant, or both ends of an interval.
type stamp struct {
	start, end time.Time
	text       string // where it stands
}

// stampIn finds the time in a name. What the names of missions say in their own ways goes first; then the first whole date:
// 20240131, 2024-01-31, 2024_01_31 or 2024.01.31, not within a longer run of digits, with the time of day if one follows
// (20240131T103020, 20240131_103020, 20240131103020, 2024-01-31T10:30:20), and with the end of an interval if that follows;
// then a day of the year: A2024031, 2024031.
func stampIn(name string) (stamp, bool) {
	for _, form := range missionForms {
		if s, ok := form.find(name); ok {
			return s, true
		}
	}
	for i := 0; i < len(name); {
		n := digits(name[i:])
		if n == 0 {
			i++
			continue
		}
		if t, length, exact, ok := dateAt(name[i:], n); ok {
			if exact {
				if end, more, ok := endAt(name[i+length:], t); ok {
					return stamp{t, end, name[i : i+length+more]}, true
				}
			}
			return stamp{t, t, name[i : i+length]}, true
		}
		i += n
	}
	return dayOfYear.find(name)
}

// date is a calendar date with a year in which rasters are taken: tile numbers and the like seldom look like one.
func date(year, month, day, clock string) (time.Time, bool) {
	num := func(s string) int { n, _ := strconv.Atoi(s); return n } // of digits only
	v := [...]int{num(year), num(month), num(day), 0, 0, 0}
	for i := 3; len(clock) >= 2; i++ {
		v[i], clock = num(clock[:2]), clock[2:]
	}
	t, _, ok := period(v, len(v))
	return t, ok && v[0] >= 1900 && v[0] <= 2099
}

// dateAt reads a date, and the time of day after it, at the beginning of s, which has n digits there. exact tells that the
// time is one to the second.
func dateAt(s string, n int) (t time.Time, length int, exact, ok bool) {
	switch n {
	case 14, 12:
		t, ok = date(s[:4], s[4:6], s[6:8], s[8:n])
		return t, n, n == 14, ok
	case 8:
		return withClock(s[:4], s[4:6], s[6:8], s, 8)
	case 4:
		const whole = len("2024-01-31")
		if len(s) < whole || !strings.Contains("-_.", s[4:5]) || s[7] != s[4] || digits(s[5:]) != 2 || digits(s[8:]) != 2 {
			return t, 0, false, false
		}
		return withClock(s[:4], s[5:7], s[8:10], s, whole)
	}
	return t, 0, false, false
}

// withClock reads a date that is n bytes of s, with the time of day that follows it, if one does.
func withClock(year, month, day, s string, n int) (t time.Time, length int, exact, ok bool) {
	if m := clockPattern.FindStringSubmatchIndex(s[n:]); m != nil {
		clock, end := "", 0
		for i := 2; i < len(m); i += 2 {
			if m[i] >= 0 {
				clock += s[n+m[i] : n+m[i+1]]
				end = m[i+1]
			}
		}
		if t, ok := date(year, month, day, clock); ok {
			return t, n + end, len(clock) == 6, true
		}
	}
	t, ok = date(year, month, day, "")
	return t, n, false, ok
}

// clockPattern is a time of day after a date: T and four or six digits, another separator and six, or with separators in it.
// Milliseconds may follow.
var clockPattern = regexp.MustCompile(`^(?:[Tt](\d\d)(\d\d)(\d\d)?|[_ -](\d\d)(\d\d)(\d\d)|` +
	`[Tt_ ](\d\d)[:-](\d\d)(?:[:-](\d\d))?)(?:\d{3})?(?:\D|$)`)

// longestPass is how long an interval in a name may be: missions tell begin and end of what they took without a break.
const longestPass = 24 * time.Hour

// tilePattern is a tile of Sentinel-2's. Before it Google Earth Engine has the time of processing, not the end of anything.
var tilePattern = regexp.MustCompile(`^_T\d\d[A-Z]{3}(?:_|$)`)

// endAt reads the end of an interval that began at start: another time to the second, "_" or "-" before it.
func endAt(s string, start time.Time) (end time.Time, length int, ok bool) {
	if len(s) < 1 || s[0] != '_' && s[0] != '-' {
		return end, 0, false
	}
	end, length, exact, ok := dateAt(s[1:], digits(s[1:]))
	if !ok || !exact || !end.After(start) || end.Sub(start) > longestPass || tilePattern.MatchString(s[1+length:]) {
		return end, 0, false
	}
	return end, 1 + length, true
}

// A form is a way to write times: its groups are year, month, day or doy (the day of the year), hour, minute and second, and the
// same with end_ in front.
type form struct {
	pattern pattern
	hint    string // is in every name that matches
}

var missionForms = []form{
	// GOES-R: NOAA, product definition and user's guide, volume 5, appendix A; tenths of a second follow
	{lazily(`_s(?P<year>\d{4})(?P<doy>\d{3})(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)\d` +
		`_e(?P<end_year>\d{4})(?P<end_doy>\d{3})(?P<end_hour>\d\d)(?P<end_minute>\d\d)(?P<end_second>\d\d)\d_`), "_s"},
	// ASTER: the time of production follows; NASA LP DAAC, ASTER naming conventions
	{lazily(`AST_[A-Z0-9]+_00[34](?P<month>\d\d)(?P<day>\d\d)(?P<year>\d{4})(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)_`), "AST_"},
	// Landsat before its Collections: path and row before the day
	{lazily(`(?:^|[^A-Za-z0-9])L[COTEM][1-9]\d{6}(?P<year>\d{4})(?P<doy>\d{3})[A-Z]{3}\d\d`), "L"},
	{lazily(`(?:^|[^A-Za-z0-9])L[4-7]\d{7}_\d{3}(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)`), "L"},
}

// dayOfYear is how MODIS, VIIRS, HLS and AppEEARS write a day: A2024031, 2024031T101112, doy2024031, and the time of a granule
// after it; and the bare 2024031.
var dayOfYear = form{lazily(`(?:^|[^A-Za-z0-9])(?:A|doy)?(?P<year>(?:19[789]|20[0-4])\d)(?P<doy>\d{3})` +
	`(?:T(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d))?(?:[^A-Za-z0-9]|$)`), ""}

// find reads the time from a name that has the form.
func (f form) find(name string) (stamp, bool) {
	if !strings.Contains(name, f.hint) {
		return stamp{}, false
	}
	re := f.pattern()
	m := re.FindStringSubmatchIndex(name)
	if m == nil {
		return stamp{}, false
	}
	first, last := len(name), 0
	read := func(prefix string) (time.Time, bool) {
		num := func(unit string, otherwise int) int {
			i := re.SubexpIndex(prefix + unit)
			if i < 0 || m[2*i] < 0 {
				return otherwise
			}
			first, last = min(first, m[2*i]), max(last, m[2*i+1])
			n, _ := strconv.Atoi(name[m[2*i]:m[2*i+1]])
			return n
		}
		v := [...]int{num("year", 0), num("month", 1), num("day", 1), num("hour", 0), num("minute", 0), num("second", 0)}
		t, _, ok := period(v, len(v))
		day := t.AddDate(0, 0, num("doy", 1)-1)
		return day, ok && day.Year() == v[0] && v[0] >= 1900 && v[0] <= 2099
	}
	start, ok := read("")
	if !ok {
		return stamp{}, false
	}
	s := stamp{start: start, end: start}
	if re.SubexpIndex("end_year") >= 0 {
		if end, ok := read("end_"); ok && end.After(start) {
			s.end = end
		}
	}
	s.text = name[first:last]
	return s, true
}

// digits is the number of digits that s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// stampInPath finds a time in the directories, the deepest first: one in a single level, or in levels of their own for year,
// month and day or for year and day of the year (2024/01/31, year=2024/month=01, 2024/031). Years and months alone give an
// interval.
func stampInPath(dir string) (stamp, bool) {
	levels := strings.Split(dir, "/")
	for i, level := range levels {
		levels[i] = level[strings.IndexByte(level, '=')+1:]
	}
	for i := len(levels) - 1; i >= 0; i-- {
		if s, ok := stampIn(levels[i]); ok {
			return s, true
		}
		for first := max(0, i-2); first <= i; first++ {
			if s, ok := calendar(strings.Join(levels[first:i+1], "/")); ok {
				return s, true
			}
		}
	}
	return stamp{}, false
}

var (
	calendarPattern = regexp.MustCompile(`^((?:19|20)\d\d)(?:[-_./]?(\d\d))?(?:/(\d\d))?$`)
	yearAndDay      = form{lazily(`^(?P<year>(?:19|20)\d\d)/(?P<doy>\d{3})$`), "/"}
)

// calendar reads levels that are a year, a year and a month, or a date.
func calendar(levels string) (stamp, bool) {
	if s, ok := yearAndDay.find(levels); ok {
		return s, true
	}
	m := calendarPattern.FindStringSubmatch(levels)
	if m == nil {
		return stamp{}, false
	}
	var v [6]int
	units := 0
	for units < 3 && m[1+units] != "" {
		v[units], _ = strconv.Atoi(m[1+units])
		units++
	}
	start, end, ok := period(v, units)
	if units == 3 {
		end = start
	}
	return stamp{start, end, levels}, ok
}
