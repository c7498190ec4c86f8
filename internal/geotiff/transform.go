package geotiff

import "math"

// readGeo fills in the GeoKeys, then the transform or the ground control points, of what the file has as GDAL does: scale and
// tiepoint, else the matrix, else the tiepoints alone (GeoTIFF 1.1 section 7.3 and annex B.6). Intergraph's matrix (tag 33920) says
// nothing to GDAL, and so says nothing here.
func (rd *reader) readGeo() {
	h := rd.h
	h.Geo = rd.geoKeys()
	h.PixelIsPoint = h.Geo != nil && h.Geo.RasterType == 2
	t, source, ok := rd.scaleAndTiepoint()
	if !ok && source == slotMatrix {
		t, ok = rd.matrix()
	}
	switch det := float64(t.DX*t.DY) - float64(t.RX*t.RY); {
	case !ok:
		h.GCPs = rd.gcps()
		return
	case !finite(t.X0, t.DX, t.RX, t.Y0, t.RY, t.DY, det):
		rd.warn("%v: the transform holds values that are no finite numbers; ignored", source)
		return
	case det == 0:
		rd.warn("%v: the transform cannot be inverted; ignored", source)
		return
	}
	if h.PixelIsPoint {
		// The file's origin is the centre of the first pixel, ours is its corner.
		t.X0 -= float64(t.DX*0.5) + float64(t.RX*0.5)
		t.Y0 -= float64(t.RY*0.5) + float64(t.DY*0.5)
	}
	*rd.transform = t
	h.Transform = rd.transform
}

// scaleAndTiepoint makes a north-up transform of ModelPixelScaleTag and the first tiepoint. A negative scale of y, which
// some writers take for a direction, is read as GDAL reads it: north is up all the same. Without a scale it is up to the
// matrix, which source tells.
func (rd *reader) scaleAndTiepoint() (t Affine, source slot, ok bool) {
	scale, tie := &rd.main.fields[slotPixelScale], &rd.main.fields[slotTiepoints]
	sx, _ := rd.float(scale, 0)
	sy, _ := rd.float(scale, 1)
	if sx == 0 || sy == 0 {
		return t, slotMatrix, false
	}
	if sy < 0 {
		rd.warn("%v: the scale of y is negative; read as positive", slotPixelScale)
		sy = -sy
	}
	if tie.len() < 6 {
		return t, slotPixelScale, false
	}
	at := func(i int) float64 { v, _ := rd.float(tie, i); return v }
	return Affine{X0: at(3) - float64(at(0)*sx), DX: sx, Y0: at(4) + float64(at(1)*sy), DY: -sy}, slotPixelScale, true
}

// matrix reads ModelTransformationTag: 4 × 4 by rows, of which the third row and column are about heights.
func (rd *reader) matrix() (Affine, bool) {
	f := &rd.main.fields[slotMatrix]
	if f.count != 16 || f.len() != 16 {
		return Affine{}, false
	}
	at := func(i int) float64 { v, _ := rd.float(f, i); return v }
	return Affine{X0: at(3), DX: at(0), RX: at(1), Y0: at(7), RY: at(4), DY: at(5)}, true
}

// gcps reads the tiepoints as ground control points.
func (rd *reader) gcps() []GCP {
	f := &rd.main.fields[slotTiepoints]
	n := f.len() / 6
	if n == 0 || f.count > uint64(f.len()) {
		return nil
	}
	shift := 0.0
	if rd.h.PixelIsPoint {
		shift = 0.5
	}
	out := make([]GCP, 0, n)
	for i := range n {
		at := func(j int) float64 { v, _ := rd.float(f, 6*i+j); return v }
		g := GCP{Col: at(0) + shift, Row: at(1) + shift, X: at(3), Y: at(4), Z: at(5)}
		if !finite(g.Col, g.Row, g.X, g.Y) {
			rd.warn("%v: point %d holds values that are no finite numbers; left out", slotTiepoints, i+1)
			continue
		}
		if !finite(g.Z) {
			g.Z = 0
		}
		out = append(out, g)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func finite(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}
