package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"net/http"
	"net/url"

	"github.com/cairn-stac/cairn/internal/snapshot"
	"github.com/cairn-stac/cairn/internal/stac"
)

// Pages of Items.
const (
	usualItems = 10
	mostItems  = 10_000
)

// item answers one Item of the published Snapshot.
func (s *server) item(w http.ResponseWriter, r *http.Request) error {
	collection, id := r.PathValue("collection"), r.PathValue("item")
	var line []byte
	err := s.reading(r.Context(), nil, func(v view) error {
		_, err := v.collection(collection)
		if err == nil {
			line, err = v.reader.Item(r.Context(), collection, id)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return refuse("not_found", "there is no item %q in collection %q", id, collection)
	} else if err != nil {
		return err
	}
	write(w, http.StatusOK, stac.TypeGeoJSON, s.dresser(r, collection).dress(line))
	return nil
}

// items answers a page of the Items of a Collection, in key order.
func (s *server) items(w http.ResponseWriter, r *http.Request) error {
	given, err := params(r, "bbox", "datetime", "limit", "token")
	if err != nil {
		return err
	}
	q, tok, err := parseQuery(r.PathValue("collection"), given)
	if err != nil {
		return err
	}
	d := s.dresser(r, q.Collection)
	var fence uint64
	var page snapshot.Page
	large := 0 // bytes of an answer with the first Item alone, where that is too large
	err = s.reading(r.Context(), tok, func(v view) error {
		_, err := v.collection(q.Collection)
		if err != nil {
			return err
		}
		fence = v.reader.Manifest().Fence
		if s.MaxAnswer > 0 {
			head := mostHead(d, given, q)
			size := head
			q.Fits = func(line []byte) bool {
				n := len(d.dress(line)) + len(",")
				if size+n > s.MaxAnswer && size == head {
					large = size + n
				}
				size += n
				return size <= s.MaxAnswer
			}
		}
		page, err = v.reader.Page(r.Context(), q)
		return err
	})
	if err != nil {
		return err
	}
	if large > 0 {
		return tooLarge(large, s.MaxAnswer)
	}
	return writeItems(w, headOf(d, given, q, fence, page), page.Lines, d)
}

// headOf is what is around the features of a page.
func headOf(d dresser, given url.Values, q snapshot.Query, fence uint64, page snapshot.Page) itemsHead {
	head := itemsHead{Type: "FeatureCollection", NumberReturned: len(page.Lines), Links: []stac.Link{
		{Rel: "self", Type: stac.TypeGeoJSON, Href: withQuery(d.items, given)},
		d.links.root(),
		d.links.to("parent", stac.TypeJSON, "", "collections", q.Collection),
		d.links.to("collection", stac.TypeJSON, "", "collections", q.Collection),
	}}
	if page.Matched >= 0 {
		head.NumberMatched = &page.Matched
	}
	if page.Next != nil {
		following := maps.Clone(given)
		following.Set("token", token{fence: fence, query: queryHash(q), at: *page.Next}.String())
		head.Links = append(head.Links, stac.Link{Rel: "next", Type: stac.TypeGeoJSON, Href: withQuery(d.items, following)})
	}
	return head
}

// mostHead is how many bytes headOf comes to at most, whatever the page, with the brackets around the features.
func mostHead(d dresser, given url.Values, q snapshot.Query) int {
	page := snapshot.Page{Next: &snapshot.Position{Row: math.MaxInt32, Item: math.MaxInt32}, Matched: math.MaxInt}
	h, err := encode(headOf(d, given, q, math.MaxUint64, page))
	if err != nil {
		panic(err) // a struct of strings and numbers
	}
	return len(h) + len(fmt.Sprint(mostItems)) + len(`,"features":[]`)
}

// parseQuery makes a Query of the parameters. The Token is nil for a first page.
func parseQuery(collection string, given url.Values) (snapshot.Query, *token, error) {
	q := snapshot.Query{Collection: collection}
	var err error
	if q.Limit, err = limitOf(given, usualItems, mostItems); err != nil {
		return q, nil, err
	}
	if q.BBox, err = param(given, "bbox", parseBBox); err != nil {
		return q, nil, err
	}
	during, err := param(given, "datetime", parseDatetime)
	if err != nil {
		return q, nil, err
	}
	q.Start, q.End = during.start, during.end
	hash := queryHash(q)
	tok, err := param(given, "token", func(s string) (*token, error) {
		t, err := parseToken(s)
		if err == nil && t.query != hash {
			err = errToken
		}
		return t, err
	})
	if tok != nil {
		q.After = tok.at
	}
	return q, tok, err
}

// reading lets f read the Snapshot that a token is bound to; without one the published Snapshot, and once more if that was cleaned
// up under it: then there is another one by now.
func (s *server) reading(ctx context.Context, tok *token, f func(view) error) error {
	if tok != nil {
		r, err := s.Snapshots.At(ctx, tok.fence)
		if err == nil {
			err = f(view{r})
		}
		if errors.Is(err, snapshot.ErrExpired) {
			return refuse("token_expired", "the state of the catalog that this token leads through is no longer kept: "+
				"start again without a token")
		}
		return err
	}
	v, err := s.view(ctx)
	if err != nil {
		return err
	}
	if err = f(v); v.reader == nil || !errors.Is(err, snapshot.ErrExpired) {
		return err
	}
	s.Snapshots.Gone(v.reader.Manifest().Fence)
	again, lookErr := s.view(ctx)
	if lookErr != nil || again.reader == nil || again.reader.Manifest().Fence == v.reader.Manifest().Fence {
		return err
	}
	return f(again)
}

// itemsHead is a FeatureCollection without its features.
type itemsHead struct {
	Type           string      `json:"type"`
	NumberMatched  *int        `json:"numberMatched,omitempty"`
	NumberReturned int         `json:"numberReturned"`
	Links          []stac.Link `json:"links"`
}

// writeItems writes a FeatureCollection without holding a second copy of all its features.
func writeItems(w http.ResponseWriter, head itemsHead, lines [][]byte, d dresser) error {
	h, err := encode(head)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", stac.TypeGeoJSON)
	b := bufio.NewWriterSize(w, 64<<10)
	// A bufio.Writer keeps its first error; that the client has gone is nobody's concern.
	b.Write(bytes.TrimSuffix(h, []byte("}")))
	b.WriteString(`,"features":[`)
	for i, line := range lines {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(d.dress(line))
	}
	b.WriteString("]}")
	b.Flush()
	return nil
}

// A dresser turns the stored lines of a Collection's Items into what the API answers.
type dresser struct {
	links          links
	collection     string
	items          string // URL of the Collection's items
	source, assets []byte // how hrefs begin in lines, and in answers; nil: they stay
	fixed          []stac.Link
}

func (s *server) dresser(r *http.Request, collection string) dresser {
	l := s.links(r)
	d := dresser{links: l, collection: collection, items: l.href("collections", collection, "items")}
	d.fixed = []stac.Link{
		l.root(),
		l.to("parent", stac.TypeJSON, "", "collections", collection),
		l.to("collection", stac.TypeJSON, "", "collections", collection),
	}
	if s.servesAssets() {
		d.source = hrefPrefix(s.SourceURL + "/")
		d.assets = hrefPrefix(l.href("assets") + "/")
	}
	return d
}

// hrefPrefix is how the member href of a URL that begins with prefix begins in canonical JSON.
func hrefPrefix(prefix string) []byte {
	b, err := encode(prefix)
	if err != nil {
		panic(err) // a string
	}
	return append([]byte(`"href":`), bytes.TrimSuffix(b, []byte(`"`))...)
}

// dress gives an Item its links, and its files URLs that clients can read.
//
// Replacing bytes is exact: the quote after href has no backslash before it and no bracket, comma or colon, so it ends a
// string, which is a member's name, since a colon follows. Hence what is replaced is the beginning of a member's value, which
// is a string that begins with the Source's URL. What comes after it, the escaped key, is the same in both.
func (d dresser) dress(line []byte) []byte {
	if d.source != nil {
		line = bytes.ReplaceAll(line, d.source, d.assets)
	}
	return stac.WithLinks(line, append([]stac.Link{
		{Rel: "self", Type: stac.TypeGeoJSON, Href: d.items + "/" + url.PathEscape(idOf(line))},
	}, d.fixed...))
}

// idOf reads the id of an Item's line: before it there are only the type, the version and URIs.
func idOf(line []byte) string {
	_, rest, _ := bytes.Cut(line, []byte(`"id":`))
	var id string
	_ = json.NewDecoder(bytes.NewReader(rest)).Decode(&id) // each Item has one
	return id
}
