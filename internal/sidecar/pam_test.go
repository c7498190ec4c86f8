package sidecar_test

import (
	"encoding/binary"
	"reflect"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/sidecar"
)

const gdalPAM = `<PAMDataset>
  <SRS dataAxisToSRSAxisMapping="2,1">GEOGCS["WGS 84",AUTHORITY["EPSG","4326"]]</SRS>
  <GeoTransform> 1.0000000000000000e+01,  2.0, 0, 4e0,0,  -2.5</GeoTransform>
  <Metadata><MDI key="A">b &amp; c</MDI><MDI key="EMPTY"></MDI><MDI>no key</MDI></Metadata>
  <Metadata domain="IMAGERY"><MDI key="ACQUISITIONDATETIME">2020-01-02T03:04:05Z</MDI></Metadata>
  <Metadata domain="xml:ESRI" format="xml">
    <GeodataXform><SpatialReference><WKT>other</WKT></SpatialReference></GeodataXform></Metadata>
  <Subdataset name="x"><PAMDataset><SRS>not this one</SRS></PAMDataset></Subdataset>
  <PAMRasterBand band="2">
    <Description>red</Description><UnitType>m</UnitType><Offset>1.5</Offset><Scale>2</Scale><ColorInterp>NIR</ColorInterp>
    <NoDataValue>-9.99900000000000E+03</NoDataValue>
    <Histograms><HistItem><HistMin>0</HistMin><HistCounts>1|2</HistCounts></HistItem></Histograms>
    <Metadata><MDI key="STATISTICS_MEAN">3.25</MDI></Metadata>
  </PAMRasterBand>
  <PAMRasterBand band="3"><NoDataValue le_hex_equiv="9A9999999999B93F">1.00000000000000E-01</NoDataValue></PAMRasterBand>
  <PAMRasterBand><NoDataValue>1</NoDataValue></PAMRasterBand>
  <PAMRasterBand band="0"><NoDataValue>1</NoDataValue></PAMRasterBand>
  <PAMRasterBand band="65536"><NoDataValue>1</NoDataValue></PAMRasterBand>
</PAMDataset>`

func TestPAM(t *testing.T) {
	band := func(name, role, value string) geotiff.Meta {
		return geotiff.Meta{Name: name, Role: role, Sample: 1, Value: value}
	}
	want := sidecar.PAM{
		SRS:       `GEOGCS["WGS 84",AUTHORITY["EPSG","4326"]]`,
		Transform: &geotiff.Affine{X0: 10, DX: 2, Y0: 4, DY: -2.5},
		Metadata: []geotiff.Meta{
			{Name: "A", Sample: -1, Value: "b & c"},
			{Name: "ACQUISITIONDATETIME", Domain: "IMAGERY", Sample: -1, Value: "2020-01-02T03:04:05Z"},
			band("STATISTICS_MEAN", "", "3.25"), band("DESCRIPTION", "description", "red"), band("UNITTYPE", "unittype", "m"),
			band("OFFSET", "offset", "1.5"), band("SCALE", "scale", "2"), band("COLORINTERP", "colorinterp", "NIR"),
		},
		Nodata: map[int]string{1: "-9.99900000000000E+03", 2: "0.1"},
	}
	for name, b := range map[string][]byte{
		"UTF-8": []byte(gdalPAM), "with a declaration": []byte(`<?xml version="1.0" encoding="UTF-8"?><!-- c -->` + gdalPAM),
		"UTF-16":       utf16Of("\ufeff<?xml version=\"1.0\" encoding=\"UTF-16\"?>\r\n"+gdalPAM, binary.LittleEndian),
		"in one case":  []byte(strings.NewReplacer("PAM", "pam", "GeoTransform", "geotransform", "MDI", "mdi").Replace(gdalPAM)),
		"with a DTD":   []byte(`<!DOCTYPE x [<!ENTITY b "boom">]>` + gdalPAM),
		"with trailer": []byte(gdalPAM + "\n\x00"),
	} {
		if got, err := sidecar.ParsePAM(b); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, got, want)
		}
	}
}

func TestPAMOddities(t *testing.T) {
	in := func(s string) string { return "<PAMDataset>" + s + "</PAMDataset>" }
	for _, c := range []struct {
		name, xml string
		want      sidecar.PAM
	}{
		{"empty", in(""), sidecar.PAM{}},
		{"five numbers", in("<GeoTransform>1,2,3,4,5</GeoTransform>"), sidecar.PAM{}},
		{"seven numbers", in("<GeoTransform>1,2,3,4,5,6,7</GeoTransform>"), sidecar.PAM{}},
		{"blanks", in("<GeoTransform>1 2 3 4 5 6</GeoTransform>"), sidecar.PAM{}},
		{"no numbers", in("<GeoTransform>a,b,c,d,e,f</GeoTransform>"), sidecar.PAM{}},
		{"not finite", in("<GeoTransform>1,2,3,4,5,nan</GeoTransform>"), sidecar.PAM{}},
		{"GCPs", in(`<GCPList Projection="EPSG:32633"><GCP Id="1" Info="x" Pixel="1.5" Line="2.5" X="3" Y="4" Z="5"/>` +
			`<GCP Pixel="1" Line="2" X="3" Y="4" GCPZ="7"/><GCP Pixel="1" Line="2" X="3"/><GCP Pixel="inf" Line="2" X="3" Y="4"/>` +
			`<Other Pixel="1" Line="2" X="3" Y="4"/></GCPList>`),
			sidecar.PAM{GCPSRS: "EPSG:32633", GCPs: []geotiff.GCP{{Col: 1.5, Row: 2.5, X: 3, Y: 4, Z: 5}, {Col: 1, Row: 2, X: 3, Y: 4, Z: 7}}}},
		{"Esri's spatial reference", in(`<Metadata domain="xml:ESRI" format="xml"><GeodataXform xsi:type="typens:PolynomialXform">` +
			`<SpatialReference><WKT>PROJCS["x"]</WKT></SpatialReference></GeodataXform></Metadata>`), sidecar.PAM{SRS: `PROJCS["x"]`}},
		{"Esri's spatial reference as the root", `<GeodataXform><SpatialReference><WKT>PROJCS["x"]</WKT></SpatialReference></GeodataXform>`,
			sidecar.PAM{SRS: `PROJCS["x"]`}},
		{"infinite nodata", in(`<PAMRasterBand band="1"><NoDataValue le_hex_equiv="000000000000F0FF">x</NoDataValue></PAMRasterBand>`),
			sidecar.PAM{Nodata: map[int]string{0: "-Inf"}}},
		{"half of a number", in(`<PAMRasterBand band=" 1 "><NoDataValue le_hex_equiv="0000">7</NoDataValue></PAMRasterBand>`),
			sidecar.PAM{Nodata: map[int]string{0: "7"}}},
		{"no value", in(`<PAMRasterBand band="1"><NoDataValue/><Scale></Scale></PAMRasterBand>`), sidecar.PAM{}},
		{"entities", "<!DOCTYPE x [<!ENTITY b 'boom'>]>" + in("<SRS>&b;</SRS>"), sidecar.PAM{SRS: "&b;"}},
		{"a long histogram", in("<PAMRasterBand band='1'><Histograms>" + strings.Repeat("<a/>", 30_000) +
			"</Histograms><Scale>2</Scale></PAMRasterBand>"),
			sidecar.PAM{Metadata: []geotiff.Meta{{Name: "SCALE", Role: "scale", Value: "2"}}}},
		{"what is skipped", in("<PAMRasterBand band='1'><ColorTable/><CategoryNames a='/'></CategoryNames ><Histograms a='b'/>" +
			"<GDALRasterAttributeTable><Scale>3</Scale></GDALRasterAttributeTable>\n<Scale>2</Scale><ColorTable /></PAMRasterBand>"),
			sidecar.PAM{Metadata: []geotiff.Meta{{Name: "SCALE", Role: "scale", Value: "2"}}}},
	} {
		if got, err := sidecar.ParsePAM([]byte(c.xml)); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", c.name, err, got, c.want)
		}
	}
	for name, c := range map[string]struct{ xml, err string }{
		"nothing":        {"", ".aux.xml: no XML element"},
		"text":           {"hello", ".aux.xml: no XML element"},
		"cut":            {gdalPAM[:strings.Index(gdalPAM, "<MDI>no")], `.aux.xml: XML element "Metadata" is not closed`},
		"cut in one":     {"<PAMDataset><Histograms><a>", `.aux.xml: XML element "Histograms" is not closed`},
		"cut at its end": {"<PAMDataset><Histograms><a></Histograms", ".aux.xml: XML syntax error on line 1: unexpected EOF"},
		"many skipped":   {in(strings.Repeat("<Array></Array>", 30_000)), ".aux.xml: more than 20000 XML elements and attributes"},
		"crossed":        {"<PAMDataset><SRS></PAMDataset></SRS>", `.aux.xml: XML element "SRS" is closed as "PAMDataset"`},
		"closed":         {"</PAMDataset>", `.aux.xml: XML element "PAMDataset" is closed that was not open`},
		"deep":           {strings.Repeat("<a>", 1000), ".aux.xml: XML elements nested deeper than 32"},
		"many":           {in(strings.Repeat("<a/>", 30_000)), ".aux.xml: more than 20000 XML elements and attributes"},
		"attributes":     {"<PAMDataset>" + strings.Repeat("<a b='c' d='e'/>", 10_000), ".aux.xml: more than 20000 XML elements and attributes"},
		"a long tag":     {"<a " + strings.Repeat("b='c' ", 30_000) + "/>", ".aux.xml: XML tag of more than 16384 bytes"},
		"too long":       {strings.Repeat(" ", 4<<20+1), ".aux.xml: 4194305 bytes, more than the 4194304 that are read"},
	} {
		if got, err := sidecar.ParsePAM([]byte(c.xml)); err == nil || err.Error() != c.err || !reflect.DeepEqual(got, sidecar.PAM{}) {
			t.Errorf("%s: %v, %+v", name, err, got)
		}
	}
}
