package statictree

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/cairn-stac/cairn/internal/snapshot"
	"github.com/cairn-stac/cairn/internal/stac"
)

// The keys of the tree.
const (
	rootKey = "catalog.json"
	prefix  = "collections/"
)

func collectionKey(id, file string) string { return prefix + id + "/" + file }

func itemKey(collection, id string) string { return collectionKey(collection, "items/"+id+".json") }

// maxLinks is how many Items a file links to: 1,000 links are 250 KB at most, as an id has up to 200 bytes.
const maxLinks = 1000

// itemLinks are the same for every Item, so that an Item's file depends on nothing but its line.
var itemLinks = []stac.Link{
	{Rel: "root", Href: "../../../catalog.json", Type: stac.TypeJSON},
	{Rel: "parent", Href: "../collection.json", Type: stac.TypeJSON},
	{Rel: "collection", Href: "../collection.json", Type: stac.TypeJSON},
}

// A file of the tree.
type file struct {
	key  string
	body []byte
}

// rootFile is the Catalog with a link to each Collection.
func rootFile(m *snapshot.Manifest) (file, error) {
	c := stac.Catalog{ID: m.CatalogID(), Title: m.Title, Description: cmp.Or(m.Description, m.Title, m.CatalogID())}
	c.Links = []stac.Link{{Rel: "root", Href: "./catalog.json", Type: stac.TypeJSON, Title: m.Title}}
	for _, child := range m.Collections {
		c.Links = append(c.Links, stac.Link{
			Rel: "child", Href: "./" + collectionKey(child.ID, "collection.json"), Type: stac.TypeJSON, Title: title(child),
		})
	}
	body, err := c.MarshalJSON()
	return file{rootKey, body}, err
}

func title(c stac.Collection) string { return cmp.Or(c.Title, c.ID) }

// collectionFiles are the Collection, with links to the Items with these ids, and before it the pages that those are on
// if they are too many for one file.
func collectionFiles(m *snapshot.Manifest, c stac.Collection, ids []string) (pages []file, node file, err error) {
	c.Description = cmp.Or(c.Description, title(c))
	c.License = cmp.Or(c.License, "other")
	up := []stac.Link{{Rel: "root", Href: "../../catalog.json", Type: stac.TypeJSON, Title: m.Title}}
	links := append(up[:1:1], stac.Link{Rel: "parent", Href: "../../catalog.json", Type: stac.TypeJSON, Title: m.Title})
	if len(ids) <= maxLinks {
		links = append(links, toItems(ids)...)
	} else {
		for first := 0; first < len(ids); first += maxLinks {
			last := min(first+maxLinks, len(ids))
			n := first/maxLinks + 1
			name := fmt.Sprintf("items-%d.json", n)
			page := stac.Catalog{
				ID:          fmt.Sprintf("%s-items-%d", c.ID, n),
				Title:       fmt.Sprintf("Items %d to %d", first+1, last),
				Description: fmt.Sprintf("Items %d to %d of %d of %s", first+1, last, len(ids), title(c)),
			}
			page.Links = append(up[:1:1], stac.Link{Rel: "parent", Href: "./collection.json", Type: stac.TypeJSON, Title: title(c)})
			page.Links = append(page.Links, toItems(ids[first:last])...)
			body, err := page.MarshalJSON()
			if err != nil {
				return nil, file{}, err
			}
			pages = append(pages, file{collectionKey(c.ID, name), body})
			links = append(links, stac.Link{Rel: "child", Href: "./" + name, Type: stac.TypeJSON, Title: page.Title})
		}
	}
	c.Links = append(links, c.Links...)
	body, err := c.MarshalJSON()
	return pages, file{collectionKey(c.ID, "collection.json"), body}, err
}

func toItems(ids []string) []stac.Link {
	links := make([]stac.Link, len(ids))
	for i, id := range ids {
		links[i] = stac.Link{Rel: "item", Href: "./items/" + id + ".json", Type: stac.TypeGeoJSON}
	}
	return links
}

// checkID refuses an id that would lead out of its folder, or that a link would have to escape.
func checkID(id string) error {
	if strings.Trim(id, ".") == "" || strings.ContainsFunc(id, func(r rune) bool { return !isPlain(r) }) {
		return fmt.Errorf("id %q cannot name a file", id)
	}
	return nil
}

func isPlain(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._-", r)
}
