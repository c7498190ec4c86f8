package sidecar

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/cairn-stac/cairn/internal/geotiff"
)

// PAM is what GDAL's persistent auxiliary metadata (.aux.xml, element PAMDataset) says of a raster, GDAL's and Esri's alike.
type PAM struct {
	SRS       string          // WKT, or another name that GDAL knows, such as EPSG:4326; "" where it has none
	Transform *geotiff.Affine // as in the file: GDAL's corner convention
	GCPs      []geotiff.GCP
	GCPSRS    string         // as SRS
	Metadata  []geotiff.Meta // of the dataset (Sample -1) and its bands: items, statistics, and what bands have as elements as Roles
	Nodata    map[int]string // by band index from 0; geotiff.Band's NodataValue reads it
}

// What of a PAM is of no use here and may be long.
var pamSkipped = []string{"Histograms", "GDALRasterAttributeTable", "ColorTable", "CategoryNames", "Subdataset", "Array"}

// ParsePAM reads an .aux.xml. What GDAL ignores is ignored too: values that are no numbers, items without a value, unknown
// elements. A text that is not XML is an error, and nothing of it is taken.
func ParsePAM(b []byte) (PAM, error) {
	text, err := Text(b)
	if err != nil {
		return PAM{}, fmt.Errorf(".aux.xml: %w", err)
	}
	root, err := parseXML(text, pamSkipped...)
	if err != nil {
		return PAM{}, fmt.Errorf(".aux.xml: %w", err)
	}
	p := PAM{SRS: root.find("SRS"), Transform: transformOf(root.find("GeoTransform"))}
	if list := root.child("GCPList"); list != nil {
		p.GCPSRS, _ = list.attr("Projection")
		p.GCPs = gcpsOf(list)
	}
	p.metadata(root, -1)
	if p.SRS == "" {
		p.SRS = esriSRS(root)
	}
	for _, e := range root.children {
		if !strings.EqualFold(e.name, "PAMRasterBand") {
			continue
		}
		number, _ := e.attr("band")
		if band, err := strconv.Atoi(strings.TrimSpace(number)); err == nil && band >= 1 && band <= maxBand {
			p.band(e, band-1)
		}
	}
	return p, nil
}

// transformOf reads six numbers between commas; nil where they are not that.
func transformOf(text string) *geotiff.Affine {
	var v [6]float64
	n := 0
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		number, ok := finite(part)
		if !ok || n == len(v) {
			return nil
		}
		v[n] = number
		n++
	}
	if n < len(v) {
		return nil
	}
	return &geotiff.Affine{X0: v[0], DX: v[1], RX: v[2], Y0: v[3], RY: v[4], DY: v[5]}
}

func finite(text string) (float64, bool) {
	v, ok := geotiff.Number(text)
	return v, ok && !math.IsNaN(v) && !math.IsInf(v, 0)
}

// gcpsOf reads the ground control points that have all of their numbers.
func gcpsOf(list *element) []geotiff.GCP {
	var out []geotiff.GCP
	for _, e := range list.children {
		if !strings.EqualFold(e.name, "GCP") {
			continue
		}
		var v [4]float64
		all := true
		for i, name := range [...]string{"Pixel", "Line", "X", "Y"} {
			text, _ := e.attr(name)
			number, ok := finite(text)
			v[i], all = number, all && ok
		}
		height, ok := e.attr("Z")
		if !ok {
			height, _ = e.attr("GCPZ") // GDAL before 1.9
		}
		z, _ := finite(height)
		if !math.IsNaN(z) && !math.IsInf(z, 0) && all {
			out = append(out, geotiff.GCP{Col: v[0], Row: v[1], X: v[2], Y: v[3], Z: z})
		}
	}
	return out
}

// metadata takes over the items of an element's Metadata elements, each of which is a domain.
func (p *PAM) metadata(e *element, sample int) {
	for _, domain := range e.children {
		if !strings.EqualFold(domain.name, "Metadata") {
			continue
		}
		name, _ := domain.attr("domain")
		for _, item := range domain.children {
			key, ok := item.attr("key")
			if ok && strings.EqualFold(item.name, "MDI") && item.text != "" {
				p.Metadata = append(p.Metadata, geotiff.Meta{Name: key, Domain: name, Sample: sample, Value: item.text})
			}
		}
	}
}

// esriSRS is where ArcGIS puts the spatial reference: in a GeodataXform, which is the root or within a domain of its own.
func esriSRS(root *element) string {
	if strings.EqualFold(root.name, "GeodataXform") {
		return root.find("SpatialReference", "WKT")
	}
	for _, domain := range root.children {
		if name, _ := domain.attr("domain"); strings.EqualFold(name, "xml:ESRI") {
			return domain.find("GeodataXform", "SpatialReference", "WKT")
		}
	}
	return ""
}

// band takes over what is said of one band.
func (p *PAM) band(e *element, sample int) {
	p.metadata(e, sample)
	for _, role := range [...]string{"Description", "UnitType", "Offset", "Scale", "ColorInterp"} {
		if value := e.find(role); value != "" {
			p.Metadata = append(p.Metadata, geotiff.Meta{Name: strings.ToUpper(role), Role: strings.ToLower(role), Sample: sample,
				Value: value})
		}
	}
	nodata := e.child("NoDataValue")
	if nodata == nil || nodata.text == "" {
		return
	}
	if p.Nodata == nil {
		p.Nodata = make(map[int]string)
	}
	p.Nodata[sample] = nodata.text
	if bits, ok := nodata.attr("le_hex_equiv"); ok { // the same number, exactly
		if b, err := hex.DecodeString(strings.TrimSpace(bits)); err == nil && len(b) == 8 {
			v := math.Float64frombits(binary.LittleEndian.Uint64(b))
			p.Nodata[sample] = strconv.FormatFloat(v, 'g', -1, 64)
		}
	}
}
