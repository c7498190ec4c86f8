package item

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cairn-stac/cairn/internal/stac"
)

// A Collection is the rasters under one prefix of the Source, but for those of Collections with a longer one.
type Collection struct {
	ID     string
	Prefix string // "" or ends in "/"
}

// nameCollections gives the Collections of the config and the one of the Source their ids.
func (r *Rules) nameCollections() {
	r.listed, r.taken = map[string]Collection{}, map[string]bool{}
	for _, l := range r.cfg.Collections.List {
		if l.ID != "" {
			r.listed[l.Prefix] = Collection{l.ID, l.Prefix}
			r.taken[l.ID] = true
		}
	}
	r.root = Collection{r.freeID(newID(r.src.Name, true, r.src.Name)), ""}
	r.taken[r.root.ID] = true
	for _, l := range r.cfg.Collections.List {
		if l.ID == "" {
			r.listed[l.Prefix] = r.derived(l.Prefix)
		}
	}
	for _, c := range r.listed {
		r.taken[c.ID] = true
	}
}

// Collection is the one that the Object with this key belongs to: the listed one with the longest prefix; else the one of
// its first path levels. Levels that are a number, a date (2024, 2024-01-31, year=2024) or the product of a known mission name
// no Collection and end the prefix; so does the file's name. Without any level left it is the Collection named after the Source.
func (r *Rules) Collection(key string) Collection {
	if len(r.listed) > 0 {
		for i := strings.LastIndexByte(key, '/'); i >= 0; i = strings.LastIndexByte(key[:i], '/') {
			if c, ok := r.listed[key[:i+1]]; ok {
				return c
			}
		}
	}
	n := 0
	for range r.cfg.Collections.Depth {
		i := strings.IndexByte(key[n:], '/')
		if i < 0 || namesNothing(key[n:n+i]) || inProduct(key[n:n+i]) {
			break
		}
		n += i + 1
	}
	if n == 0 {
		return r.root
	}
	return r.derived(key[:n])
}

// derived is the Collection of a prefix that the config does not list.
func (r *Rules) derived(prefix string) Collection {
	levels := prefix[:len(prefix)-1]
	return Collection{r.freeID(newID(levels, !strings.Contains(levels, "/"), prefix)), prefix}
}

// freeID lengthens an id until no other Collection was promised it.
func (r *Rules) freeID(id string) string {
	for r.taken[id] {
		id += "-" + hash8(id)
	}
	return id
}

// namesNothing tells whether a path level is only a number or a date: digits with separators, perhaps as name=value.
func namesNothing(level string) bool {
	_, value, named := strings.Cut(level, "=")
	if !named {
		value = level
	}
	digit := false
	for i := range len(value) {
		switch c := value[i]; {
		case c >= '0' && c <= '9':
			digit = true
		case !digit || !strings.ContainsRune("-_.:TZ", rune(c)):
			return false
		}
	}
	return digit || level == ""
}

// CollectionsUnder are those of the known Collections that may hold keys with the prefix, which may end within a name.
func (r *Rules) CollectionsUnder(prefix string, known []Collection) []Collection {
	// Of the Collections with a prefix shorter than this one only the owner of a file right here can hold such keys: more
	// levels only make a Collection's prefix longer.
	owner := r.Collection(prefix)
	var out []Collection
	for _, c := range known {
		if strings.HasPrefix(c.Prefix, prefix) || c.Prefix == owner.Prefix {
			out = append(out, c)
		}
	}
	return out
}

// Info is what is known of a Collection without its Items: id, title, description, license, keywords and providers.
func (r *Rules) Info(c Collection) stac.Collection {
	out := stac.Collection{
		ID:          c.ID,
		Title:       r.src.Name,
		Description: fmt.Sprintf("GeoTIFFs in %s", r.src.Name),
		License:     cmp.Or(r.cfg.License, "other"),
		Keywords:    slices.Clone(r.cfg.Keywords),
		Providers:   slices.Clone(r.cfg.Providers),
	}
	if path := strings.ToValidUTF8(strings.TrimSuffix(c.Prefix, "/"), "\ufffd"); c.Prefix != "" {
		out.Title = cmp.Or(clean(path[strings.LastIndexByte(path, '/')+1:], maxText), c.ID)
		out.Description = fmt.Sprintf("GeoTIFFs in %s of %s", cmp.Or(clean(path, maxText), c.ID), r.src.Name)
	}
	for _, l := range r.cfg.Collections.List {
		if l.Prefix == c.Prefix {
			out.Title = cmp.Or(l.Title, out.Title)
			out.Description = cmp.Or(l.Description, out.Description)
			out.License = cmp.Or(l.License, out.License)
			if len(l.Keywords) > 0 {
				out.Keywords = slices.Clone(l.Keywords)
			}
		}
	}
	out.Title = cmp.Or(out.Title, c.ID)
	return out
}
