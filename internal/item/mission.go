package item

import (
	"regexp"
	"strings"
	"sync"
)

// A mission is one whose products are known by their names.
type mission struct {
	product   pattern           // the name of a product, which is what the names of its files begin with
	separator byte              // between that and the token of a band; '/' where files in its folder are called by the token alone
	common    map[string]string // token of a band → its common name (STAC EO extension 2.0.0)
}

// A pattern is a regular expression that is compiled when it is first needed, so that a program that needs none starts without it.
type pattern func() *regexp.Regexp

func lazily(expr string) pattern {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// missions are those that are known. A name is of one of them at most, so that the id of a scene can be that of its product.
// Sources: USGS, Landsat Collection 2 data format control books; ESA, Sentinel-2 compact naming convention; Earth Search; LP
// DAAC, HLS user guide.
var missions = []mission{
	{lazily(`^L[COT]0[89]` + landsatProduct), '_', oli},
	{lazily(`^L[TE]0[4-7]` + landsatProduct), '_', thematicMapper},
	{lazily(`^(?:S2[A-D]_MSIL[12][AC]_\d{8}T\d{6}_N\d{4}_R\d{3}_)?T\d\d[A-Z]{3}_\d{8}T\d{6}$`), '_', multiSpectral},
	{lazily(`^S2[A-D]_(?:T\d\d[A-Z]{3}_\d{8}T\d{6}|\d{1,2}[A-Z]{3}_\d{8}_\d{1,2})_L(?:1C|2A)$`), '/', multiSpectral},
	{lazily(`^HLS\.S30\.T\d\d[A-Z]{3}\.\d{7}T\d{6}\.v\d\.\d$`), '.', multiSpectral},
	{lazily(`^HLS\.L30\.T\d\d[A-Z]{3}\.\d{7}T\d{6}\.v\d\.\d$`), '.', harmonizedLandsat},
}

// landsatProduct follows sensor and satellite: Levels 1 and 2 by path and row, and Analysis Ready Data by tile.
const landsatProduct = `_(?:L[12][A-Z]{2}_\d{6}_\d{8}_\d{8}_\d\d_(?:T1|T2|RT)|(?:CU|AK|HI)_\d{6}_\d{8}_\d{8}_\d\d)$`

// missionOf is the mission of which a product has this name; nil where none is known.
func missionOf(name string) *mission {
	if len(name) < len("T33UVP_20210101T101411") || strings.IndexByte("LSTH", name[0]) < 0 {
		return nil // as nearly all names are
	}
	for i := range missions {
		if missions[i].product().MatchString(name) {
			return &missions[i]
		}
	}
	return nil
}

// The bands by their common names (STAC EO extension 2.0.0, "Common Band Names"). Those that have none are left out.
var (
	oli = map[string]string{ // Landsat 8 and 9
		"B1": "coastal", "B2": "blue", "B3": "green", "B4": "red", "B5": "nir08", "B6": "swir16", "B7": "swir22", "B8": "pan",
		"B9": "cirrus", "B10": "lwir11", "B11": "lwir12",
		"SR_B1": "coastal", "SR_B2": "blue", "SR_B3": "green", "SR_B4": "red", "SR_B5": "nir08", "SR_B6": "swir16",
		"SR_B7": "swir22", "ST_B10": "lwir11",
	}
	thematicMapper = map[string]string{ // Landsat 4, 5 and 7
		"B1": "blue", "B2": "green", "B3": "red", "B4": "nir", "B5": "swir16", "B6": "lwir", "B7": "swir22", "B8": "pan",
		"B6_VCID_1": "lwir", "B6_VCID_2": "lwir",
		"SR_B1": "blue", "SR_B2": "green", "SR_B3": "red", "SR_B4": "nir", "SR_B5": "swir16", "SR_B7": "swir22", "ST_B6": "lwir",
	}
	multiSpectral = map[string]string{ // Sentinel-2
		"B01": "coastal", "B02": "blue", "B03": "green", "B04": "red", "B05": "rededge071", "B06": "rededge075",
		"B07": "rededge078", "B08": "nir", "B8A": "nir08", "B09": "nir09", "B10": "cirrus", "B11": "swir16", "B12": "swir22",
	}
	harmonizedLandsat = map[string]string{
		"B01": "coastal", "B02": "blue", "B03": "green", "B04": "red", "B05": "nir08", "B06": "swir16", "B07": "swir22",
		"B09": "cirrus", "B10": "lwir11", "B11": "lwir12",
	}
)
