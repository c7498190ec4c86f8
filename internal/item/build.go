package item

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/stac"
)

// A Role is what an Object of a scene turned out to be.
type Role string

// The Roles.
const (
	RoleAsset   Role = "asset"   // in an Item
	RoleSidecar Role = "sidecar" // belongs to a raster
	RoleReject  Role = "reject"  // a raster that cannot be catalogued
	RoleOther   Role = "other"   // none of Cairn's concern
)

// A Result is what became of a scene.
type Result struct {
	Items        []*stac.Item
	Explanations []Explanation // of the Items, in their order
	Roles        []Role        // of each Object, in their order
	Of           []int         // of each Object, in their order: the index of the Item that it is an asset of; -1 for none
	Rejects      []Reject      // in the order of their Objects
}

// dataAsset is the key of the asset that an Item's raster is.
const dataAsset = "data"

// Build makes Items and Rejects of the Objects of one scene (those with one SceneKey, all in Collection c). Each raster is
// read through what open returns for it, and once only; sidecars are not opened. Of the errors of such a reader,
// fs.ErrPermission and objstore.ErrArchived become Rejects, unless it is objstore.ErrNoStore or ErrCredentials too; any other
// is returned, wrapped, with the key, and there is no Result.
func (r *Rules) Build(c Collection, objs []objstore.Object, open func(objstore.Object) io.ReaderAt) (Result, error) {
	res := Result{Roles: make([]Role, len(objs)), Of: make([]int, len(objs))}
	for i, o := range objs {
		res.Of[i] = -1
		switch r.Kind(o.Key) {
		case Raster:
			it, h, problem, err := r.raster(c, o, open)
			switch {
			case err != nil:
				return Result{}, fmt.Errorf("read header of %s: %w", o.Key, err)
			case problem != nil:
				res.Roles[i] = RoleReject
				res.Rejects = append(res.Rejects, NewReject(o.Key, problem.code, problem.problem))
			default:
				res.Roles[i], res.Of[i] = RoleAsset, len(res.Items)
				res.Items = append(res.Items, it)
				res.Explanations = append(res.Explanations, Explanation{Rasters: []RasterInfo{{Key: o.Key, Asset: dataAsset, Header: h}}})
			}
		case Sidecar:
			res.Roles[i] = RoleSidecar
		default:
			res.Roles[i] = RoleOther
		}
	}
	if len(res.Items)+len(res.Rejects) == 0 { // no raster, so there is nothing to be a sidecar of
		for i := range res.Roles {
			res.Roles[i] = RoleOther
		}
	}
	return res, nil
}

// raster reads one raster.
func (r *Rules) raster(c Collection, o objstore.Object, open func(objstore.Object) io.ReaderAt) (*stac.Item, *geotiff.Header,
	*finding, error) {
	if o.Size == 0 {
		return nil, nil, found(CodeEmpty, "the file is empty"), nil
	}
	h, err := geotiff.Read(open(o), o.Size)
	var format *geotiff.FormatError
	switch {
	case errors.As(err, &format):
		return nil, nil, &finding{format.Code, format.Msg}, nil
	case errors.Is(err, objstore.ErrNoStore), errors.Is(err, objstore.ErrCredentials):
		return nil, nil, nil, err // says nothing of the file, whatever else it may wrap
	case errors.Is(err, fs.ErrPermission):
		return nil, nil, r.denied(), nil
	case errors.Is(err, objstore.ErrArchived):
		return nil, nil, archived(o), nil
	case err != nil:
		return nil, nil, nil, err
	}
	it, problem := r.describe(c, o, h)
	return it, h, problem, nil
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

// describe makes the Item of a raster from its header.
func (r *Rules) describe(c Collection, o objstore.Object, h *geotiff.Header) (*stac.Item, *finding) {
	if problem := checkTransform(h); problem != nil {
		return nil, problem
	}
	system, problem := r.crsOf(h)
	if problem != nil {
		return nil, problem
	}
	outline, problem := footprintOf(h, system)
	if problem != nil {
		return nil, problem
	}
	when, ok := r.spanOf(o.Key, o.Modified, h)
	if !ok {
		return nil, found(CodeNoDatetime, "neither the file nor its key tells a time")
	}
	properties := r.properties(o.Key)
	when.set(properties)
	properties["proj:code"] = fmt.Sprintf("EPSG:%d", system.Code)
	if system.Accuracy < 0 {
		properties["cairn:datum_shift"] = "none"
	}
	if gsd := gsdOf(h.Transform, system); gsd > 0 && properties["gsd"] == nil {
		properties["gsd"] = gsd
	}
	it := &stac.Item{
		ID:         r.ID(c, o.Key),
		Extensions: []string{stac.ExtFile, stac.ExtProjection},
		Geometry:   &stac.Geometry{Polygons: outline.Polygons},
		BBox:       outline.BBox[:],
		Properties: properties,
		Collection: c.ID,
	}
	asset, raster := r.asset(o, h)
	if raster {
		it.Extensions = append(it.Extensions, stac.ExtRaster)
	}
	it.Assets = map[string]stac.Asset{dataAsset: asset}
	return it, nil
}

// asset describes the file itself. raster tells whether it uses the raster extension.
func (r *Rules) asset(o objstore.Object, h *geotiff.Header) (a stac.Asset, raster bool) {
	t := h.Transform
	a = stac.Asset{
		Href:  r.assets.href(o.Key),
		Type:  stac.TypeGeoTIFF,
		Roles: []string{"data"},
		Fields: map[string]any{
			"file:size":      o.Size,
			"proj:shape":     []any{h.Height, h.Width},
			"proj:transform": []float64{t.DX, t.RX, t.X0, t.RY, t.DY, t.Y0},
		},
	}
	if h.COG.Valid {
		a.Type = stac.TypeCOG
	}
	a.Bands, raster = bandsOf(h)
	return a, raster
}

// properties are what the config says of an Item.
func (r *Rules) properties(key string) map[string]any {
	p := make(map[string]any, 6+len(r.cfg.Properties.Constants))
	for _, re := range r.cfg.Properties.FromPath {
		for i, match := range re.FindStringSubmatch(key) {
			name := config.PropertyName(re.SubexpNames()[i])
			if text := clean(match, maxText); name != "" && text != "" && p[name] == nil {
				p[name] = text
			}
		}
	}
	for name, v := range r.cfg.Properties.Constants {
		if p[name] == nil {
			p[name] = v
		}
	}
	return p
}
