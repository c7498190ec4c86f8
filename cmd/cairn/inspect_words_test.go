package main

import (
	"fmt"
	"testing"

	"github.com/cairn-stac/cairn/internal/crs"
)

// A CRS with a shift of its own to WGS 84 is told by what it is, not by the shift.
func TestCRSName(t *testing.T) {
	const plane = `PROJCS["mine",GEOGCS["mine",DATUM["Hill",SPHEROID["Airy 1830",6377563.396,299.3249646]%s],PRIMEM["Greenwich",0],
UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",49],PARAMETER["central_meridian",-2.5],
PARAMETER["scale_factor",0.9996],PARAMETER["false_easting",0],PARAMETER["false_northing",0],UNIT["metre",1]]`
	const degrees = `GEOGCS["mine",DATUM["Hill",SPHEROID["Airy 1830",6377563.396,299.3249646]%s],PRIMEM["Greenwich",0],
UNIT["degree",0.0174532925199433]]`
	const shift = `,TOWGS84[446.448,-125.157,542.06,0.15,0.247,0.842,-20.489]`
	for _, c := range []struct{ wkt, shift, want string }{
		{plane, "", "user-defined: Transverse Mercator on Hill"},
		{plane, shift, "user-defined: Transverse Mercator on Hill"},
		{degrees, "", "user-defined: geographic on Hill"},
		{degrees, shift, "user-defined: geographic on Hill"},
	} {
		definition, err := crs.FromWKT(fmt.Sprintf(c.wkt, c.shift))
		if err != nil {
			t.Fatal(err)
		}
		if got := crsName(definition); got != c.want {
			t.Errorf("with shift %q: %s, want %s", c.shift, got, c.want)
		}
	}
}
