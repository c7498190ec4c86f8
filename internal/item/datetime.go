package item

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/geotiff"
)

// What an Item says of where its time comes from (cairn:datetime_source).
const (
	fromConfig   = "config"        // a pattern of the config, on the key
	fromMetadata = "metadata"      // GDAL's ACQUISITIONDATETIME
	fromFileName = "file_name"     // a date in the file's name
	fromPath     = "path"          // a date in the directories
	fromTag      = "tiff_datetime" // TIFFTAG_DATETIME, often the time of processing
	fromModified = "last_modified" // the Object's time of modification
)

// A span is when a raster was taken: an instant, where start and end are the same, or an interval of whole seconds, both
// ends in it.
type span struct {
	start, end time.Time
	source     string
}

// spanOf finds the time of a raster in the first of the places that tells one. It never asks the clock.
func (r *Rules) spanOf(key string, modified time.Time, h *geotiff.Header) (span, bool) {
	for _, re := range r.cfg.Datetime.Patterns {
		if s, ok := matchTime(re, key); ok {
			return s, true
		}
	}
	for _, m := range h.Metadata {
		if m.Sample < 0 && strings.EqualFold(m.Name, "ACQUISITIONDATETIME") {
			if t, ok := parseTime(m.Value); ok {
				return span{t, t, fromMetadata}, true
			}
		}
	}
	dir, name := "", key
	if i := strings.LastIndexByte(key, '/'); i >= 0 {
		dir, name = key[:i], key[i+1:]
	}
	if t, ok := dateIn(name); ok {
		return span{t, t, fromFileName}, true
	}
	if s, ok := dateInPath(dir); ok {
		return s, true
	}
	if t, ok := parseTime(h.DateTime); ok {
		return span{t, t, fromTag}, true
	}
	if modified = modified.UTC().Truncate(time.Second); r.cfg.Datetime.Fallback == config.FallbackModified &&
		!modified.IsZero() && modified.Year() >= 1 && modified.Year() <= 9999 {
		return span{modified, modified, fromModified}, true
	}
	return span{}, false
}

// matchTime searches a pattern of the config in the key. A match that is no calendar date counts as none.
func matchTime(re *regexp.Regexp, key string) (span, bool) {
	match := re.FindStringSubmatch(key)
	if match == nil {
		return span{}, false
	}
	read := func(prefix string) (start, end time.Time, units int, ok bool) {
		var v [len(config.TimeUnits)]int
		for i, unit := range config.TimeUnits {
			g := re.SubexpIndex(prefix + unit)
			if g < 0 || match[g] == "" {
				break
			}
			n, err := strconv.Atoi(match[g])
			if err != nil {
				return start, end, 0, false
			}
			v[i] = n
			units++
		}
		start, end, ok = period(v, units)
		return start, end, units, ok && v[0] >= 1000 && v[0] <= 9999
	}
	if start, end, units, ok := read(""); ok {
		if units >= 3 {
			end = start // a day is told by its begin, as most catalogs do
		}
		return span{start, end, fromConfig}, true
	}
	start, _, _, ok1 := read(config.StartGroups)
	_, end, _, ok2 := read(config.EndGroups)
	return span{start, end, fromConfig}, ok1 && ok2 && !end.Before(start)
}

// period is the first and the last second of a year, month, day …, of which the first units are told.
func period(v [len(config.TimeUnits)]int, units int) (start, end time.Time, ok bool) {
	if units == 0 {
		return start, end, false
	}
	for i := units; i < 3; i++ {
		v[i] = 1
	}
	start = time.Date(v[0], time.Month(v[1]), v[2], v[3], v[4], v[5], 0, time.UTC)
	if start.Year() != v[0] || int(start.Month()) != v[1] || start.Day() != v[2] ||
		start.Hour() != v[3] || start.Minute() != v[4] || start.Second() != v[5] {
		return start, end, false // time.Date makes 31 April the first of May
	}
	switch units {
	case 1:
		end = start.AddDate(1, 0, 0)
	case 2:
		end = start.AddDate(0, 1, 0)
	case 3:
		end = start.AddDate(0, 0, 1)
	case 4:
		end = start.Add(time.Hour)
	case 5:
		end = start.Add(time.Minute)
	default:
		end = start.Add(time.Second)
	}
	return start, end.Add(-time.Second), true
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

// dateIn finds the first whole date in a name: 20240131, 2024-01-31, 2024_01_31 or 2024.01.31, not within a longer run of
// digits, with a time of day if one follows (20240131T103020, 20240131_103020, 20240131103020, 2024-01-31T10:30:20).
func dateIn(name string) (time.Time, bool) {
	for i := 0; i < len(name); {
		n := digits(name[i:])
		if n == 0 {
			i++
			continue
		}
		if t, ok := dateAt(name[i:], n); ok {
			return t, true
		}
		i += n
	}
	return time.Time{}, false
}

// dateAt reads a date at the beginning of s, which has n digits there.
func dateAt(s string, n int) (time.Time, bool) {
	switch n {
	case 14, 12:
		return date(s[:4], s[4:6], s[6:8], s[8:n])
	case 8:
		return dateAndClock(s[:4], s[4:6], s[6:8], s[8:])
	case 4:
		const whole = len("2024-01-31")
		if len(s) < whole || !strings.Contains("-_.", s[4:5]) || s[7] != s[4] || digits(s[5:]) != 2 || digits(s[8:]) != 2 {
			return time.Time{}, false
		}
		return dateAndClock(s[:4], s[5:7], s[8:10], s[whole:])
	}
	return time.Time{}, false
}

// dateAndClock reads a date with the time of day that follows it, if one does.
func dateAndClock(year, month, day, rest string) (time.Time, bool) {
	if m := clockPattern.FindStringSubmatch(rest); m != nil {
		if t, ok := date(year, month, day, strings.Join(m[1:], "")); ok {
			return t, true
		}
	}
	return date(year, month, day, "")
}

// clockPattern is a time of day after a date: T and four or six digits, another separator and six, or with separators in it.
// Milliseconds may follow.
var clockPattern = regexp.MustCompile(`^(?:[Tt](\d\d)(\d\d)(\d\d)?|[_ -](\d\d)(\d\d)(\d\d)|` +
	`[Tt_ ](\d\d)[:-](\d\d)(?:[:-](\d\d))?)(?:\d{3})?(?:\D|$)`)

// digits is the number of digits that s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// dateInPath finds a date in the directories, the deepest first: one in a single level, or in levels of their own for year,
// month and day (2024/01/31, year=2024/month=01). Years and months alone give an interval.
func dateInPath(dir string) (span, bool) {
	levels := strings.Split(dir, "/")
	for i, level := range levels {
		levels[i] = level[strings.IndexByte(level, '=')+1:]
	}
	for i := len(levels) - 1; i >= 0; i-- {
		if t, ok := dateIn(levels[i]); ok {
			return span{t, t, fromPath}, true
		}
		for first := max(0, i-2); first <= i; first++ {
			if s, ok := calendar(levels[first : i+1]); ok {
				return s, true
			}
		}
	}
	return span{}, false
}

var calendarPattern = regexp.MustCompile(`^((?:19|20)\d\d)(?:[-_./]?(\d\d))?(?:/(\d\d))?$`)

// calendar reads levels that are a year, a year and a month, or a date.
func calendar(levels []string) (span, bool) {
	m := calendarPattern.FindStringSubmatch(strings.Join(levels, "/"))
	if m == nil {
		return span{}, false
	}
	var v [len(config.TimeUnits)]int
	units := 0
	for units < 3 && m[1+units] != "" {
		v[units], _ = strconv.Atoi(m[1+units])
		units++
	}
	start, end, ok := period(v, units)
	if units == 3 {
		end = start
	}
	return span{start, end, fromPath}, ok
}

// The forms in which files tell times; "2021:06:08 23:28:52" is TIFF's own (TIFF 6.0, DateTime).
var timePattern = regexp.MustCompile(`^(\d{4})[:/.-](\d\d?)[:/.-](\d\d?)` +
	`(?:[ T]+(\d\d?):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?)?\s*(?:Z|UTC|GMT|([+-])(\d\d):?(\d\d))?$`)

// parseTime reads a time of a file. One without a zone is taken as UTC.
func parseTime(s string) (time.Time, bool) {
	s = strings.Trim(s, " \t\r\n\x00")
	if s == "" || len(s) > 64 {
		return time.Time{}, false
	}
	m := timePattern.FindStringSubmatch(s)
	if m == nil {
		if digits(s) < 8 {
			return time.Time{}, false
		}
		return dateIn(s)
	}
	clock := ""
	if m[4] != "" {
		clock = m[4] + m[5] + m[6]
		if len(m[4]) == 1 {
			clock = "0" + clock
		}
	}
	t, ok := date(m[1], m[2], m[3], clock)
	if ok && m[7] != "" {
		hours, _ := strconv.Atoi(m[8])
		minutes, _ := strconv.Atoi(m[9])
		if hours > 14 || minutes > 59 {
			return time.Time{}, false
		}
		offset := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
		if m[7] == "+" {
			offset = -offset
		}
		t = t.Add(offset)
	}
	return t, ok
}

// set writes the time into an Item's properties (STAC 1.1.0, common metadata: date and time).
func (s span) set(properties map[string]any) {
	properties["cairn:datetime_source"] = s.source
	if s.start.Equal(s.end) {
		properties["datetime"] = s.start.Format(time.RFC3339)
		return
	}
	properties["datetime"] = nil
	properties["start_datetime"] = s.start.Format(time.RFC3339)
	properties["end_datetime"] = s.end.Format(time.RFC3339)
}
