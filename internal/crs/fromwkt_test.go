package crs

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// projcs is a projected CRS in WKT 1: name and figure of the datum, a projection with its parameters, and what follows.
func projcs(datum, figure, projection, rest string) string {
	return fmt.Sprintf(`PROJCS["x",GEOGCS["x",DATUM["%s",SPHEROID["x",%s]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],`+
		`PROJECTION["%s"],%s]`, datum, figure, projection, rest)
}

func tmerc(lon, scale, east float64) string {
	return fmt.Sprintf(`PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",%v],PARAMETER["scale_factor",%v],`+
		`PARAMETER["false_easting",%v],PARAMETER["false_northing",0],UNIT["metre",1]`, lon, scale, east)
}

// What is defined like a CRS of the dataset has its code, and what is only nearly so has none.
func TestCodeOfDefinition(t *testing.T) {
	const wgs, grs, krassowsky = "6378137,298.257223563", "6378137,298.257222101", "6378245,298.3"
	for _, c := range []struct {
		text string
		want int
	}{
		{projcs("WGS_1984", wgs, "Transverse_Mercator", tmerc(9, 0.9996, 500000)), 32632},
		{projcs("WGS_1984", wgs, "Transverse_Mercator", tmerc(9, 0.99961, 500000)), 0},
		{projcs("WGS_1984", wgs, "Transverse_Mercator", tmerc(9.0001, 0.9996, 500000)), 0},
		{projcs("WGS_1984", wgs, "Transverse_Mercator", tmerc(9, 0.9996, 500000.1)), 0},
		{projcs("WGS_1984", "6378137,298.25", "Transverse_Mercator", tmerc(9, 0.9996, 500000)), 0},
		{projcs("WGS_1984", "6378138,298.257223563", "Transverse_Mercator", tmerc(9, 0.9996, 500000)), 0},
		// Another one, 3044, has its axes in the other order.
		{projcs("European_Terrestrial_Reference_System_1989", grs, "Transverse_Mercator", tmerc(9, 0.9996, 500000)), 25832},
		// Gauss and Krüger's grids of three degrees have the same as those of six there.
		{projcs("Pulkovo_1942", krassowsky, "Transverse_Mercator", tmerc(21, 1, 500000)), 0},
		// Esri's prefix before the dataset's own name, for want of a name of Esri's.
		{projcs("D_North_American_Datum_of_1983_CSRS_version_7", grs, "Transverse_Mercator", tmerc(-123, 0.9996, 500000)), 22710},
	} {
		got, err := FromWKT(c.text)
		if err != nil || got.Code != c.want {
			t.Errorf("%s: %+v %v, want %d", c.text, got, err, c.want)
		}
	}
}

// An angle from the rectified to the skew grid is the azimuth where Esri leaves it out.
func TestSkewAngle(t *testing.T) {
	const line = `PARAMETER["latitude_of_center",4],PARAMETER["longitude_of_center",115],PARAMETER["azimuth",53],PARAMETER["scale_factor",0.9],`
	for _, name := range []string{"Hotine_Oblique_Mercator_Azimuth_Natural_Origin", "Hotine_Oblique_Mercator_Azimuth_Center",
		"Rectified_Skew_Orthomorphic_Natural_Origin", "Rectified_Skew_Orthomorphic_Center"} {
		for given, want := range map[string]float64{"": 53, `PARAMETER["XY_Plane_Rotation",50],`: 50} {
			c, err := FromWKT(projcs("x", "6378137,298", name, line+given+`UNIT["metre",1]`))
			if err != nil {
				t.Fatal(err)
			}
			def := c.definition()
			if got, ok := def.value(paramGridAngle); !ok || got != want {
				t.Errorf("%s %s: %v", name, given, got)
			}
		}
	}
}

// A shift of the file's own turns to the side that its method says.
func TestBoundCRS(t *testing.T) {
	const text = `BOUNDCRS[SOURCECRS[GEOGCRS["x",DATUM["x",ELLIPSOID["Bessel",6377397.155,299.1528128]],CS[ellipsoidal,2],` +
		`ANGLEUNIT["degree",0.0174532925199433]]],TARGETCRS[GEOGCRS["WGS 84",DATUM["World Geodetic System 1984",ELLIPSOID["WGS 84",6378137,` +
		`298.257223563]],CS[ellipsoidal,%d],ANGLEUNIT["degree",0.0174532925199433],ID["EPSG",%d]]],ABRIDGEDTRANSFORMATION["x",METHOD["%s"],` +
		`PARAMETER["X",598.1,ID["EPSG",8605]],PARAMETER["Y",73.7,ID["EPSG",8606]],PARAMETER["Z",418.2,ID["EPSG",8607]],` +
		`PARAMETER["rx",%v,ID["EPSG",8608]],PARAMETER["ry",%v,ID["EPSG",8609]],PARAMETER["rz",%v,ID["EPSG",8610]],` +
		`PARAMETER["ds",1.0000067,ID["EPSG",8611]]]]`
	for _, bound := range []string{
		fmt.Sprintf(text, 2, 4326, "Position Vector transformation (geog2D domain)", 0.202, 0.045, -2.455),
		fmt.Sprintf(text, 2, 4326, "Coordinate Frame rotation (geog2D domain)", -0.202, -0.045, 2.455),
		fmt.Sprintf(text, 3, 4979, "Position Vector transformation (geog2D domain)", 0.202, 0.045, -2.455),
	} {
		c, err := FromWKT(bound)
		if err != nil {
			t.Fatal(err)
		}
		// pyproj 3.7.2: +proj=longlat +ellps=bessel +towgs84=598.1,73.7,418.2,0.202,0.045,-2.455,6.7
		lon, lat, ok := c.ToWGS84(9, 51)
		if d := metres(lon, lat, 8.9989519078, 50.9987387012); !ok || !(d < 0.01) || !c.Approximate() {
			t.Errorf("%v %v %v: %v m apart\n%s", lon, lat, ok, d, bound)
		}
	}
}

// Axes and meridians that mean something else are refused.
func TestFromWKTRefuses(t *testing.T) {
	const axes = `,AXIS["E",EAST],AXIS["N",NORTH]`
	for why, text := range map[string]string{
		"axes to the east": projcs("WGS_1984", "6378137,298.257223563", "Transverse_Mercator_South_Orientated", tmerc(19, 1, 0)+axes),
		"axes to the west": projcs("WGS_1984", "6378137,298.257223563", "Transverse_Mercator", tmerc(19, 1, 0)+`,AXIS["W",WEST],AXIS["S",SOUTH]`),
		"meridian at":      `GEOGCS["x",DATUM["x",SPHEROID["x",6378137,298]],PRIMEM["x",361],UNIT["degree",0.0174532925199433]]`,
	} {
		if c, err := FromWKT(text); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %+v %v", why, c, err)
		}
	}
	if _, err := FromWKT(projcs("x", "1737400,0", "Transverse_Mercator", tmerc(0, 1, 0))); !errors.Is(err, ErrNotEarth) {
		t.Error(err)
	}
}
