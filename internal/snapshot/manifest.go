package snapshot

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/stac"
)

// Format of what this package writes: Head, manifests, Parts.
const Format = 1

// ErrNewerFormat: the Catalog was written by a newer Cairn, in a way that this one does not understand.
var ErrNewerFormat = errors.New("catalog format is newer than this cairn understands")

type newerFormatError struct{ format int }

func (e *newerFormatError) Error() string {
	return fmt.Sprintf("catalog format %d is newer than this cairn understands (%d): upgrade cairn", e.format, Format)
}

func (*newerFormatError) Is(target error) bool { return target == ErrNewerFormat }

// decodeRecord decodes a JSON record once its format is known to be understood: a newer one may not even parse.
func decodeRecord(body []byte, v any) error {
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(body, &head); err != nil {
		return err
	}
	switch {
	case head.Format > Format:
		return &newerFormatError{head.Format}
	case head.Format < 1:
		return fmt.Errorf("format %d is no catalog format", head.Format)
	}
	return json.Unmarshal(body, v)
}

// Validate tells what is wrong with a manifest that is to be published: rows out of order or overlapping, or whose counts
// contradict each other, Collections that no row has Items of, Items whose Collection is missing.
func (m *Manifest) Validate() error {
	if m.Format != Format || m.Fence == 0 || m.Run == "" {
		return fmt.Errorf("manifest of format %d, fence %d, run %q", m.Format, m.Fence, m.Run)
	}
	items := map[string]int{}
	parts := map[string]bool{}
	for i, row := range m.Rows {
		if row.Part == "" || row.Collection == "" || row.Hash == "" {
			return fmt.Errorf("row %d lacks part, hash or collection", i)
		}
		if !utf8.ValidString(row.Start) || !utf8.ValidString(row.End) { // JSON would make another range of it
			return fmt.Errorf("row %d: range %q to %q is not UTF-8", i, row.Start, row.End)
		}
		if row.End != "" && row.End <= row.Start {
			return fmt.Errorf("row %d: range %q to %q is empty", i, row.Start, row.End)
		}
		if codes := row.Counts.RejectCodes; len(codes) > 0 {
			sum := 0
			for _, n := range codes {
				sum += n
			}
			if sum != row.Counts.Rejects {
				return fmt.Errorf("row %d: %d rejects, and codes of %d", i, row.Counts.Rejects, sum)
			}
		}
		if parts[row.Part] {
			return fmt.Errorf("row %d: part %s is in another row too", i, row.Part)
		}
		parts[row.Part] = true
		items[row.Collection] += row.Counts.Items
		if i == 0 {
			continue
		}
		last := m.Rows[i-1]
		if c := cmp.Compare(last.Collection, row.Collection); c > 0 || c == 0 && last.Start >= row.Start {
			return fmt.Errorf("row %d is out of order: %s %q after %s %q", i, row.Collection, row.Start, last.Collection, last.Start)
		} else if c == 0 && (last.End == "" || last.End > row.Start) {
			return fmt.Errorf("row %d overlaps the one before: %s %q", i, row.Collection, row.Start)
		}
	}
	for i, c := range m.Collections {
		if i > 0 && m.Collections[i-1].ID >= c.ID {
			return fmt.Errorf("collection %s is out of order", c.ID)
		}
		if items[c.ID] == 0 {
			return fmt.Errorf("collection %s has no items", c.ID)
		}
		delete(items, c.ID)
	}
	for id, n := range items {
		if n > 0 {
			return fmt.Errorf("collection %s of %d items is missing", id, n)
		}
	}
	return nil
}

// SameContent tells whether all of the two is equal but who made them, when, and on what.
func (m *Manifest) SameContent(o *Manifest) bool {
	if m == nil || o == nil {
		return m == o
	}
	a, b := *m, *o
	b.Fence, b.Base, b.Run, b.Created = a.Fence, a.Base, a.Run, a.Created
	for _, m := range []*Manifest{&a, &b} {
		m.Rows, m.Collections = slices.Concat(m.Rows), slices.Concat(m.Collections) // none at all is nil, not empty
	}
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// ReadManifest reads the Snapshot with this fence; fs.ErrNotExist if there is none.
func ReadManifest(ctx context.Context, r objstore.Reader, fence uint64) (*Manifest, error) {
	var m Manifest
	if err := readRecord(ctx, r, fence, &m); err != nil {
		return nil, err
	}
	if m.Fence != fence {
		return nil, fmt.Errorf("read snapshot %d: its manifest is of snapshot %d", fence, m.Fence)
	}
	return &m, nil
}

func readRecord(ctx context.Context, r objstore.Reader, fence uint64, v any) error {
	body, _, err := r.Get(ctx, ManifestKey(fence), 0, -1, "")
	if err == nil {
		err = decodeRecord(body, v)
	}
	if err != nil {
		return fmt.Errorf("read snapshot %d: %w", fence, err)
	}
	return nil
}

// WriteManifest writes a manifest where there is none yet. One that is there already and differs in nothing but Created,
// which a repeated step cannot help, is left as it is and is no error: a manifest that may be published never changes.
func WriteManifest(ctx context.Context, store objstore.Store, m Manifest) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode snapshot %d: %w", m.Fence, err)
	}
	_, err = store.Put(ctx, ManifestKey(m.Fence), body, objstore.PutOptions{IfAbsent: true})
	if err == nil {
		return nil
	}
	// Somebody was first, or the reply was lost: look what is there.
	there, readErr := ReadManifest(ctx, store, m.Fence)
	if readErr != nil {
		return fmt.Errorf("write snapshot %d: %w", m.Fence, errors.Join(err, readErr))
	}
	if there.Run != m.Run || there.Base != m.Base || !there.SameContent(&m) {
		return fmt.Errorf("write snapshot %d: there is another one, of run %s", m.Fence, there.Run)
	}
	return nil
}

// CatalogID is the id of the STAC Catalog: the last element of the Source's URL, in [A-Za-z0-9._-].
func (m *Manifest) CatalogID() string {
	source := strings.TrimRight(m.Source, "/")
	id := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		}
		return '-'
	}, source[strings.LastIndexByte(source, '/')+1:])
	return cmp.Or(strings.Trim(id, "-."), "catalog")
}

// RejectCodes are the Rejects of the whole Snapshot by code; empty where there are none. Each call makes a map of its own.
func (m *Manifest) RejectCodes() map[string]int {
	out := map[string]int{}
	for _, row := range m.Rows {
		for code, n := range row.Counts.RejectCodes {
			out[code] += n
		}
	}
	return out
}

// refs is what clean-up needs of a manifest.
type refs struct {
	Fence   uint64    `json:"fence"`
	Base    uint64    `json:"base"`
	Created time.Time `json:"created"`
	Rows    []struct {
		Part string `json:"part"`
	} `json:"rows"`
}

// collection finds a Collection by id.
func (m *Manifest) collection(id string) (*stac.Collection, bool) {
	i, ok := slices.BinarySearchFunc(m.Collections, id, func(c stac.Collection, id string) int { return cmp.Compare(c.ID, id) })
	if !ok {
		return nil, false
	}
	return &m.Collections[i], true
}
