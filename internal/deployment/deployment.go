// Package deployment keeps cairn.json, by which a Catalog that is deployed on AWS tells who comes with a command line where its
// state is: in a table, and not in the objects beside it. All who refresh it take the one lock that is there.
package deployment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// Key is where it is kept in the Catalog.
const Key = "cairn.json"

const (
	format  = 1
	maxSize = 4096 // bytes; what is longer is none of ours
)

// A Deployment says where the state of a Catalog is.
type Deployment struct {
	Table  string `json:"table"`  // name of the DynamoDB table
	Region string `json:"region"` // of AWS, where the table is
	// Catalog is the URL of the Catalog that it belongs to, s3://bucket. A copy of that Catalog, which has a copy of its
	// cairn.json too, has no part in the table. "": that of the Catalog that it was read from.
	Catalog string `json:"catalog,omitempty"`
}

type record struct {
	Format int `json:"format"`
	Deployment
}

// What names may be. A region becomes part of the name of the host that signed requests go to.
var (
	tableName  = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`)
	regionName = regexp.MustCompile(`^[a-z]{2,}(-[a-z0-9]+)+$`)
)

func (d Deployment) check() error {
	switch {
	case !tableName.MatchString(d.Table):
		return fmt.Errorf("%.100q is no name of a table", d.Table)
	case !regionName.MatchString(d.Region) || len(d.Region) > 32:
		return fmt.Errorf("%.100q is no name of a region", d.Region)
	}
	return nil
}

// Read returns what a Catalog's cairn.json says. One that is not there is fs.ErrNotExist, and one of a newer Cairn
// refresh.ErrNewerFormat. One read.
func Read(ctx context.Context, r objstore.Reader) (Deployment, error) {
	d, _, err := load(ctx, r)
	return d, err
}

// load is Read, with the ETag to replace it by.
func load(ctx context.Context, r objstore.Reader) (Deployment, string, error) {
	body, obj, err := r.Get(ctx, Key, 0, maxSize+1, "")
	if err != nil {
		return Deployment{}, "", fmt.Errorf("read %s: %w", Key, err)
	}
	d, err := parse(body)
	switch {
	case errors.Is(err, refresh.ErrNewerFormat):
		return Deployment{}, "", fmt.Errorf("%s: %w", Key, err)
	case err != nil:
		return Deployment{}, "", fmt.Errorf("%s makes no sense: %w; delete it, and if the catalog is deployed its next refresh there writes it anew", Key, err)
	}
	return d, obj.ETag, nil
}

func parse(body []byte) (Deployment, error) {
	if len(body) > maxSize {
		return Deployment{}, fmt.Errorf("it is longer than %d bytes, which no deployment writes", maxSize)
	}
	var head struct { // on its own: the rest of a newer format may not even parse
		Format int `json:"format"`
	}
	if err := json.Unmarshal(body, &head); err != nil {
		return Deployment{}, fmt.Errorf("decode: %w", err)
	}
	switch {
	case head.Format > format:
		return Deployment{}, fmt.Errorf("it has format %d, this cairn understands %d: %w", head.Format, format, refresh.ErrNewerFormat)
	case head.Format < format:
		return Deployment{}, fmt.Errorf("format %d is none", head.Format)
	}
	var rec record
	if err := json.Unmarshal(body, &rec); err != nil {
		return Deployment{}, fmt.Errorf("decode: %w", err)
	}
	return rec.Deployment, rec.check()
}

// ensureTries bounds how often Ensure looks again after a write that did not succeed.
const ensureTries = 3

// Ensure makes a Catalog's cairn.json say d, whatever deployment it named before. Right already, it costs one read. One that is
// no cairn.json, or a newer one, is an error and stays. Many may do so at once, and after any error again.
func Ensure(ctx context.Context, store objstore.Store, d Deployment) error {
	if err := d.check(); err != nil {
		return fmt.Errorf("write %s: %w", Key, err)
	}
	body, err := json.Marshal(record{format, d})
	if err != nil {
		return fmt.Errorf("encode %s: %w", Key, err)
	}
	var lost error // what the write before came to
	for range ensureTries {
		there, etag, err := load(ctx, store)
		switch {
		case err == nil && there == d:
			return nil
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return errors.Join(lost, err)
		}
		if _, err = store.Put(ctx, Key, append(body, '\n'), objstore.PutOptions{IfMatch: etag, IfAbsent: etag == ""}); err == nil {
			return nil
		}
		lost = fmt.Errorf("write %s: %w", Key, err)
	}
	return lost
}
