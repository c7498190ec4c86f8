package demo

import (
	"fmt"
	"math"

	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
)

// wgs84 is the one geographic CRS among those of the scenes.
const wgs84 = 4326

// A scene is one sample raster: where it lies, and what it shows.
type scene struct {
	key           string // path below the folder, with slashes
	epsg          uint16
	x, y          float64 // of the north-west corner, in the CRS's unit
	pixel         float64 // its size, in the same unit
	width, height int
	bands         int // 1: what paint gives as red; 3: a colour image
	field         field
	paint         func(h, light float64) (r, g, b float64)
	relief        float64 // how steep the slopes look; 0: no shading
	dataType      string  // "uint8" if ""
	nodata        string
	unit          string // of the values
}

// A field is the height of the ground at a place, in [0, 1].
type field func(x, y float64) float64

// colored paints heights with a ramp and the light on the slopes.
func colored(c ramp) func(h, light float64) (r, g, b float64) {
	return func(h, light float64) (r, g, b float64) {
		r, g, b = c.color(h)
		return r * light, g * light, b * light
	}
}

// metres paints the height itself.
func metres(h, _ float64) (r, g, b float64) { return 400 + 3600*h, 0, 0 }

// classes paints land cover classes: 1 water, 2 forest, 3 cropland, 4 bare, 5 snow and ice.
func classes(h, _ float64) (r, g, b float64) {
	switch {
	case h < 0.53:
		return 1, 0, 0
	case h < 0.58:
		return 2, 0, 0
	case h < 0.63:
		return 3, 0, 0
	case h < 0.72:
		return 4, 0, 0
	}
	return 5, 0, 0
}

// scenes are all sample rasters.
func scenes() []scene {
	var out []scene
	// The Bernina range, UTM zone 32 north: one flight in summer and one in winter, a grid of tiles each.
	alps := func(x, y float64) float64 { return ridges(x/11000, y/11000, 7) }
	const tile = 320
	for row := range 2 {
		for col := range 3 {
			out = append(out, scene{
				key:  fmt.Sprintf("alps/bernina_20240714_%c%d.tif", 'a'+row, col+1),
				epsg: 32632, x: 560000 + float64(col)*tile*30, y: 5150000 - float64(row)*tile*30, pixel: 30,
				width: tile, height: tile, bands: 3, field: alps, paint: colored(summer), relief: 70,
			})
		}
	}
	for col := range 3 {
		out = append(out, scene{
			key:  fmt.Sprintf("alps/bernina_20250118_a%d.tif", col+1),
			epsg: 32632, x: 560000 + float64(col)*tile*30, y: 5150000, pixel: 30,
			width: tile, height: tile, bands: 3, field: alps, paint: colored(winter), relief: 70,
		})
	}
	// Its heights, coarser; one band.
	for i, name := range []string{"west", "centre", "east"} {
		out = append(out, scene{
			key:  "heights/bernina_" + name + "_2019-08.tif",
			epsg: 32632, x: 555000 + float64(i)*256*50, y: 5155000, pixel: 50,
			width: 256, height: 448, bands: 1, field: alps, paint: metres, dataType: "uint16", nodata: "0", unit: "m",
		})
	}
	// Southern Patagonia, UTM zone 18 south; the date is in the folders.
	paine := func(x, y float64) float64 { return clamp(ridges(x/14000, y/14000, 31)*1.1 - 0.05) }
	for i, day := range []string{"2023/11/03", "2023/12/21", "2024/01/14", "2024/02/02", "2024/02/27", "2024/03/30"} {
		out = append(out, scene{
			key:  fmt.Sprintf("patagonia/%s/paine_%d.tif", day, i%2+1),
			epsg: 32718, x: 622000 + float64(i%2)*320*36, y: 4358000 - float64(i/2)*320*36, pixel: 36,
			width: 320, height: 320, bands: 3, field: paine, paint: colored(steppe), relief: 60,
		})
	}
	// The whole world in degrees: a raster a year.
	for year := 2019; year <= 2023; year++ {
		grown := float64(year-2019) * 0.006
		out = append(out, scene{
			key:  fmt.Sprintf("landcover/landcover_%d.tif", year),
			epsg: wgs84, x: -180, y: 90, pixel: 0.75, width: 480, height: 240, bands: 1,
			field: func(x, y float64) float64 {
				lon, lat := x*math.Pi/180, y*math.Pi/180
				w := math.Sin(lat)
				h := planet(1.7*math.Cos(lat)*math.Cos(lon), 1.7*math.Cos(lat)*math.Sin(lon), 1.7*w, 57)
				return clamp(h + grown*(h-0.5) + max(0, math.Abs(w)-0.95)*6)
			},
			paint: classes, nodata: "0",
		})
	}
	// The Fiji islands, across the antimeridian: in UTM zone 1 south, and in degrees beyond 180.
	fiji := func(x, y float64) float64 { return hills(x/24000, y/24000, 71) }
	for i, day := range []string{"20240405", "20240611"} {
		out = append(out, scene{
			key:  "fiji/taveuni_" + day + ".tif",
			epsg: 32701, x: 150000, y: 8165000 - float64(i)*30000, pixel: 140, width: 384, height: 384, bands: 3,
			field: fiji, paint: colored(coast), relief: 25,
		})
	}
	for i, day := range []string{"20240405", "20240611"} {
		out = append(out, scene{
			key:  "fiji/lau_" + day + ".tif",
			epsg: wgs84, x: 178.5, y: -16 - float64(i)*1.5, pixel: 0.00833, width: 384, height: 192, bands: 3,
			field: func(x, y float64) float64 { return fiji(x*50000-9000000, y*52000) }, paint: colored(coast), relief: 25,
		})
	}
	// Iceland's south in web mercator, as map tiles are.
	iceland := func(x, y float64) float64 { return clamp(ridges(x/60000, y/60000, 93)*0.9 + 0.02) }
	for i := range 2 {
		out = append(out, scene{
			key:  fmt.Sprintf("iceland/vatnajokull_20230815_%d.tif", i+1),
			epsg: 3857, x: -1950000 + float64(i)*384*200, y: 9480000, pixel: 200, width: 384, height: 384, bands: 3,
			field: iceland, paint: colored(steppe), relief: 60,
		})
	}
	return out
}

// pixels paints the scene: its values row by row from the north, bands interleaved.
func (s scene) pixels() []uint16 {
	w := s.width + 1
	heights := make([]float64, w*(s.height+1))
	for row := range s.height + 1 {
		for col := range w {
			heights[row*w+col] = s.field(s.x+(float64(col)+0.5)*s.pixel, s.y-(float64(row)+0.5)*s.pixel)
		}
	}
	limit := 255.0
	if s.dataType == "uint16" {
		limit = 65535
	}
	out := make([]uint16, 0, s.width*s.height*s.bands)
	for row := range s.height {
		for col := range s.width {
			at := row*w + col
			h := heights[at]
			light := shade((heights[at+1]-h)*s.relief, (heights[at+w]-h)*s.relief)
			var rgb [3]float64
			rgb[0], rgb[1], rgb[2] = s.paint(h, light)
			for _, v := range rgb[:s.bands] {
				out = append(out, uint16(max(0, min(limit, math.Round(v)))))
			}
		}
	}
	return out
}

// encode is the scene as a Cloud Optimized GeoTIFF.
func (s scene) encode() ([]byte, error) {
	pixels := s.pixels()
	r := tiffwrite.Raster{
		Width: s.width, Height: s.height, Bands: s.bands, DataType: s.dataType, Nodata: s.nodata, Software: "cairn demo",
		Value: func(band, x, y int) float64 { return float64(pixels[(y*s.width+x)*s.bands+band]) },
		Keys:  tiffwrite.Projected(s.epsg),
	}
	if s.epsg == wgs84 {
		r.Keys = tiffwrite.Geographic(s.epsg)
	}
	if s.unit != "" {
		r.Metadata = `<GDALMetadata><Item name="UNITTYPE" sample="0" role="unittype">` + s.unit + `</Item></GDALMetadata>`
	}
	r.NorthUp(s.x, s.y, s.pixel, s.pixel)
	body, err := r.Optimized().Bytes()
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", s.key, err)
	}
	return body, nil
}
