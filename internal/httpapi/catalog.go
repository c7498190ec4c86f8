package httpapi

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"slices"

	"github.com/cairn-stac/cairn/internal/snapshot"
	"github.com/cairn-stac/cairn/internal/stac"
)

// conformance classes that hold.
var conformance = []string{
	"https://api.stacspec.org/v1.0.0/core",
	"https://api.stacspec.org/v1.0.0/collections",
	"https://api.stacspec.org/v1.0.0/ogcapi-features",
	"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
	"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
}

// A view is the published Snapshot; before the first its reader is nil and it is empty.
type view struct{ reader *snapshot.Reader }

func (s *server) view(ctx context.Context) (view, error) {
	r, err := s.Snapshots.Current(ctx)
	if errors.Is(err, snapshot.ErrNoSnapshot) {
		return view{}, nil
	}
	return view{r}, err
}

func (v view) collections() []stac.Collection {
	if v.reader == nil {
		return nil
	}
	return v.reader.Collections()
}

// collection finds a Collection, or is the problem not_found.
func (v view) collection(id string) (*stac.Collection, error) {
	err := fs.ErrNotExist
	if v.reader != nil {
		var c *stac.Collection
		if c, err = v.reader.Collection(id); err == nil {
			return c, nil
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, refuse("not_found", "there is no collection %q", id)
	}
	return nil, err
}

// root is the Catalog without links.
func (s *server) root(v view) stac.Catalog {
	c := stac.Catalog{ID: s.ID, Title: s.Title, Description: s.Description, ConformsTo: conformance}
	if v.reader != nil {
		m := v.reader.Manifest()
		c.ID = cmp.Or(c.ID, m.CatalogID())
		c.Title, c.Description = cmp.Or(c.Title, m.Title), cmp.Or(c.Description, m.Description)
	}
	c.ID, c.Title = cmp.Or(c.ID, "cairn"), cmp.Or(c.Title, "Cairn")
	c.Description = cmp.Or(c.Description, "GeoTIFFs as a STAC catalog")
	return c
}

func (s *server) landing(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Vary", "Accept")
	v, err := s.view(r.Context())
	if err != nil {
		return err
	}
	root := s.root(v)
	if wantsHTML(r) {
		return s.page(w, r, v, root)
	}
	l := s.links(r)
	root.Links = []stac.Link{
		l.to("self", stac.TypeJSON, root.Title),
		l.root(),
		l.to("conformance", stac.TypeJSON, "Conformance classes", "conformance"),
		l.to("data", stac.TypeJSON, "Collections", "collections"),
	}
	for _, c := range v.collections() {
		root.Links = append(root.Links, l.to("child", stac.TypeJSON, cmp.Or(c.Title, c.ID), "collections", c.ID))
	}
	return answer(w, http.StatusOK, root)
}

func (s *server) conformance(w http.ResponseWriter, _ *http.Request) error {
	return answer(w, http.StatusOK, struct {
		ConformsTo []string `json:"conformsTo"`
	}{conformance})
}

type collectionsAnswer struct {
	Collections []stac.Collection `json:"collections"`
	Links       []stac.Link       `json:"links"`
}

func (s *server) collections(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(r.Context())
	if err != nil {
		return err
	}
	l := s.links(r)
	out := collectionsAnswer{
		Collections: append([]stac.Collection{}, v.collections()...),
		Links:       []stac.Link{l.to("self", stac.TypeJSON, "", "collections"), l.root()},
	}
	for i := range out.Collections {
		out.Collections[i].Links = l.collection(out.Collections[i])
	}
	return answer(w, http.StatusOK, out)
}

func (s *server) collection(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(r.Context())
	if err != nil {
		return err
	}
	found, err := v.collection(r.PathValue("collection"))
	if err != nil {
		return err
	}
	c := *found
	c.Links = s.links(r).collection(c)
	return answer(w, http.StatusOK, c)
}

// collection gives a Collection's links: its own, such as a license, and the API's.
func (l links) collection(c stac.Collection) []stac.Link {
	parent := l.root()
	parent.Rel = "parent"
	return append(slices.Clone(c.Links),
		l.to("self", stac.TypeJSON, c.Title, "collections", c.ID),
		l.root(),
		parent,
		l.to("items", stac.TypeGeoJSON, "Items", "collections", c.ID, "items"),
	)
}
