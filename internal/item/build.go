package item

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/crs"
	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/sidecar"
	"github.com/cairn-stac/cairn/internal/stac"
)

// A Role is what an Object of a scene turned out to be.
type Role string

// The Roles.
const (
	RoleAsset   Role = "asset"   // a raster in an Item
	RoleSidecar Role = "sidecar" // belongs to a raster, even where it is an asset of its own (a picture, metadata)
	RoleReject  Role = "reject"  // a raster that cannot be catalogued, or a sidecar that must not be read
	RoleOther   Role = "other"   // none of Cairn's concern
)

// A Result is what became of a scene.
type Result struct {
	Items        []*stac.Item
	Explanations []Explanation // of the Items, in their order
	Roles        []Role        // of each Object, in their order
	Of           []int         // of each Object, in their order: the index of the Item in which it is a raster; -1 for none
	Rejects      []Reject      // in the order of their Objects
}

// Build makes Items and Rejects of the Objects of one scene (those with one SceneKey, all in Collection c): one Item of the
// rasters that are called like the bands of one scene, and one of each other raster. Each raster is read through what open
// returns for it, and once only; so are the sidecars that something is wanted of. Of the errors of such a reader,
// fs.ErrPermission and objstore.ErrArchived become Rejects of the raster or the sidecar, unless it is objstore.ErrNoStore or
// ErrCredentials too; any other is returned, wrapped, with the key, and there is no Result.
func (r *Rules) Build(c Collection, objs []objstore.Object, open func(objstore.Object) io.ReaderAt) (Result, error) {
	b := &builder{rules: r, collection: c, objects: objs, open: open, unread: map[string]*finding{}}
	b.result.Roles, b.result.Of = make([]Role, len(objs)), make([]int, len(objs))
	for i, o := range objs {
		b.result.Roles[i], b.result.Of[i] = RoleOther, -1
		switch r.Kind(o.Key) {
		case Raster:
			m := &raster{index: i, object: o, stem: o.Key[:stemEnd(o.Key)]}
			if at := r.bandAt(m.stem); at >= 0 {
				m.token = m.stem[at:]
			}
			b.rasters = append(b.rasters, m)
		case Sidecar:
			b.sidecars = append(b.sidecars, i)
		}
	}
	if len(b.rasters) == 0 {
		return b.result, nil // so there is nothing to be a sidecar of
	}
	for _, i := range b.sidecars {
		b.result.Roles[i] = RoleSidecar
	}
	for _, m := range b.rasters {
		if err := b.look(m); err != nil {
			return Result{}, err
		}
	}
	for _, g := range b.groups() {
		if err := b.item(g); err != nil {
			return Result{}, err
		}
	}
	problems := b.unread
	for _, m := range b.rasters {
		if m.problem != nil {
			problems[m.object.Key] = m.problem
		}
	}
	for i, o := range objs {
		if p := problems[o.Key]; p != nil {
			b.result.Roles[i] = RoleReject
			b.result.Rejects = append(b.result.Rejects, NewReject(o.Key, p.code, p.problem))
		}
	}
	return b.result, nil
}

// A builder makes Items of the Objects of one scene.
type builder struct {
	rules      *Rules
	collection Collection
	objects    []objstore.Object
	open       func(objstore.Object) io.ReaderAt

	rasters  []*raster
	sidecars []int            // indices of objects
	byKey    map[string]int   // of sidecars
	about    map[string][]int // of pictures and metadata: by stem
	parsed   map[int]fieldSet // by index of the Object
	outlines map[traced]crs.Footprint
	unread   map[string]*finding // sidecars by key: why they cannot be read
	result   Result
}

// A raster is what is known of one.
type raster struct {
	index  int // of its Object
	object objstore.Object
	stem   string // its key without the extension
	token  string // what it is called in a scene of several; "" for a raster by itself

	header   *geotiff.Header
	aux      *sidecar.PAM // nil: none
	place    place
	problem  *finding // why it is a Reject
	used     []string // keys of sidecars
	warnings []string
}

func (m *raster) warn(key, format string, args ...any) {
	_, name := split(key)
	m.warnings = append(m.warnings, name+": "+fmt.Sprintf(format, args...))
}

// metadata is what GDAL's metadata of the raster holds: what the .aux.xml says goes before what the file says, so it comes later.
func (m *raster) metadata() []geotiff.Meta {
	if m.aux == nil || len(m.aux.Metadata) == 0 {
		return m.header.Metadata
	}
	return slices.Concat(m.header.Metadata, m.aux.Metadata)
}

// look reads a raster and finds out where it lies.
func (b *builder) look(m *raster) error {
	o := m.object
	if o.Size == 0 {
		m.problem = found(CodeEmpty, "the file is empty")
		return nil
	}
	h, err := geotiff.Read(b.open(o), o.Size)
	var format *geotiff.FormatError
	switch {
	case err == nil:
		m.header = h
	case errors.As(err, &format):
		m.problem = &finding{format.Code, format.Msg}
		return nil
	case errors.Is(err, objstore.ErrNoStore), errors.Is(err, objstore.ErrCredentials):
		return fmt.Errorf("read header of %s: %w", o.Key, err) // says nothing of the file, whatever else it may wrap
	case errors.Is(err, fs.ErrPermission):
		m.problem = b.rules.denied()
		return nil
	case errors.Is(err, objstore.ErrArchived):
		m.problem = archived(o)
		return nil
	default:
		return fmt.Errorf("read header of %s: %w", o.Key, err)
	}
	for _, w := range h.Warnings {
		m.warn(o.Key, "%s", w)
	}
	if err := b.locate(m); err != nil {
		return err
	}
	if b.rules.cfg.WithoutFootprint == config.FootprintOrReject {
		m.problem = m.place.problem
	}
	return nil
}

// denied is the finding of a file that the Source refuses.
func (r *Rules) denied() *finding {
	if r.src.bucket() {
		return found(CodeDenied, "the bucket refuses to have the file read, which takes s3:GetObject; kms:Decrypt where a KMS key "+
			"encrypts it; --request-payer where the requester pays")
	}
	return found(CodeDenied, "the file may not be read, or is a link that leads out of the source")
}

// archived is the finding of a file that must be restored first.
func archived(o objstore.Object) *finding {
	if o.Class == "" {
		return found(CodeArchived, "the file is archived")
	}
	return found(CodeArchived, "the file is archived (storage class %s)", clean(o.Class, 50))
}
