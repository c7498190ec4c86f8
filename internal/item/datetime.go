package item

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/geotiff"
)

// What an Item says of where its time comes from (cairn:datetime_source).
const (
	fromConfig   = "config"        // a pattern of the config, on the key
	fromSidecar  = "sidecar"       // a field of a metadata file
	fromMetadata = "metadata"      // GDAL's ACQUISITIONDATETIME, or an item that the config names
	fromFileName = "file_name"     // a date in the file's name
	fromPath     = "path"          // a date in the directories
	fromTag      = "tiff_datetime" // TIFFTAG_DATETIME, often the time of processing
	fromModified = "last_modified" // the Object's time of modification
)

// A span is when a raster was taken: an instant, where start and end are the same, or an interval of whole seconds, both
// ends in it.
type span struct {
	start, end time.Time
	origin     Origin
}

// A witness is a raster that may tell when it was taken.
type witness struct {
	key      string
	modified time.Time
	metadata []geotiff.Meta
	datetime string // TIFFTAG_DATETIME
}

// spanOf finds the time of the rasters of an Item in the first of the places that tells one, and there in the first raster.
// fields gives what the Item's metadata files say; it is called when nothing before them told a time. spanOf never asks the
// clock.
func (r *Rules) spanOf(rasters []witness, fields func() ([]fieldSet, error)) (s span, ok bool, err error) {
	for _, w := range rasters {
		for _, re := range r.cfg.Datetime.Patterns {
			if s, ok := matchTime(re, w.key); ok {
				return s, true, nil
			}
		}
	}
	files, err := fields()
	if err != nil {
		return s, false, err
	}
	if s, ok := r.timeInFields(files); ok {
		return s, true, nil
	}
	for _, w := range rasters {
		if s, ok := r.timeInMetadata(w.metadata); ok {
			return s, true, nil
		}
	}
	for _, w := range rasters {
		dir, name := split(w.key)
		if found, ok := stampIn(name); ok {
			return found.span(fromFileName), true, nil
		} else if found, ok := stampInPath(dir); ok {
			return found.span(fromPath), true, nil
		}
	}
	for _, w := range rasters {
		if t, ok := parseTime(w.datetime); ok {
			return span{t, t, Origin{fromTag, "tag DateTime", clean(w.datetime, maxText)}}, true, nil
		}
	}
	latest := time.Time{}
	for _, w := range rasters {
		if w.modified.After(latest) {
			latest = w.modified
		}
	}
	latest = latest.UTC().Truncate(time.Second)
	ok = r.cfg.Datetime.Fallback == config.FallbackModified && !latest.IsZero() && latest.Year() >= 1 && latest.Year() <= 9999
	return span{latest, latest, Origin{Rule: fromModified}}, ok, nil
}

func (s stamp) span(rule string) span { return span{s.start, s.end, Origin{Rule: rule, Text: s.text}} }

// split parts a key after its last "/", which is in neither part.
func split(key string) (dir, name string) {
	i := strings.LastIndexByte(key, '/')
	return key[:max(i, 0)], key[i+1:]
}

// landsatTime is where Landsat's MTL has the time, to the second.
var landsatTime = config.Field{"DATE_ACQUIRED", "SCENE_CENTER_TIME"}

func (r *Rules) timeInFields(files []fieldSet) (span, bool) {
	for _, wanted := range append(slices.Clip(r.cfg.Datetime.FromSidecar), landsatTime) {
		for _, file := range files {
			if text, ok := file.join(wanted); ok {
				if t, ok := parseTime(text); ok {
					return span{t, t, Origin{fromSidecar, fmt.Sprintf("%s in %s", strings.Join(wanted, "+"), file.key), text}}, true
				}
			}
		}
	}
	return span{}, false
}

// acquired is where GDAL's readers of satellite metadata put the time.
var acquired = config.Field{"ACQUISITIONDATETIME"}

func (r *Rules) timeInMetadata(items []geotiff.Meta) (span, bool) {
	if len(items) == 0 {
		return span{}, false
	}
	for _, wanted := range append(slices.Clip(r.cfg.Datetime.FromMetadata), acquired) {
		if text, ok := joinMetadata(items, wanted); ok {
			if t, ok := parseTime(text); ok {
				return span{t, t, Origin{fromMetadata, "GDAL metadata " + strings.Join(wanted, "+"), text}}, true
			}
		}
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
	origin := Origin{fromConfig, re.String(), match[0]}
	if start, end, units, ok := read(""); ok {
		if units >= 3 {
			end = start // a day is told by its begin, as most catalogs do
		}
		return span{start, end, origin}, true
	}
	start, _, _, ok1 := read(config.StartGroups)
	_, end, _, ok2 := read(config.EndGroups)
	return span{start, end, origin}, ok1 && ok2 && !end.Before(start)
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

// The forms in which files tell times; "2021:06:08 23:28:52" is TIFF's own (TIFF 6.0, DateTime). What names tell are others.
var timePattern = regexp.MustCompile(`^(\d{4})[:/.-](\d\d?)[:/.-](\d\d?)(?:[ T]+(\d\d?):(\d\d)(?::(\d\d))?)?`)

// zonePattern is what may follow a time: fractions of a second and a zone.
var zonePattern = regexp.MustCompile(`^(?:[.,]\d+)?\s*(?:Z|UTC|GMT|([+-])(\d\d):?(\d\d))?$`)

// parseTime reads a time of a file. One without a zone is taken as UTC.
func parseTime(s string) (t time.Time, ok bool) {
	s = strings.Trim(s, " \t\r\n\x00")
	if s == "" || len(s) > 64 {
		return t, false
	}
	length := 0
	if m := timePattern.FindStringSubmatch(s); m != nil {
		clock := m[4] + m[5] + m[6]
		if len(m[4]) == 1 {
			clock = "0" + clock
		}
		length = len(m[0])
		t, ok = date(m[1], m[2], m[3], clock)
	} else if n := digits(s); n >= 8 {
		t, length, _, ok = dateAt(s, n)
	}
	zone := zonePattern.FindStringSubmatch(s[length:])
	if !ok || zone == nil {
		return t, false
	}
	hours, _ := strconv.Atoi(zone[2]) // 0 where there is none
	minutes, _ := strconv.Atoi(zone[3])
	if hours > 14 || minutes > 59 {
		return t, false
	}
	offset := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if zone[1] == "+" {
		offset = -offset
	}
	return t.Add(offset), true
}

// set writes the time into an Item's properties (STAC 1.1.0, common metadata: date and time).
func (s span) set(properties map[string]any) {
	properties["cairn:datetime_source"] = s.origin.Rule
	if s.start.Equal(s.end) {
		properties["datetime"] = s.start.Format(time.RFC3339)
		return
	}
	properties["datetime"] = nil
	properties["start_datetime"] = s.start.Format(time.RFC3339)
	properties["end_datetime"] = s.end.Format(time.RFC3339)
}
