package sidecar

import (
	"fmt"
	"math"
	"strings"

	"github.com/cairn-stac/cairn/internal/geotiff"
)

// ParseWorldFile reads the six numbers of a world file (.tfw, .wld): one a line, the decimal mark a point or a comma, what follows
// them on the line or in the file of no matter. The file has the centre of the first pixel; the result its outer corner.
func ParseWorldFile(b []byte) (geotiff.Affine, error) {
	text, err := Text(b)
	if err != nil {
		return geotiff.Affine{}, fmt.Errorf("world file: %w", err)
	}
	var v [6]float64
	n := 0
	for line := range strings.Lines(strings.ReplaceAll(text, "\r", "\n")) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		number, ok := geotiff.Number(line)
		if !ok || math.IsNaN(number) || math.IsInf(number, 0) {
			return geotiff.Affine{}, fmt.Errorf("world file: %.40q is no number", line)
		}
		v[n] = number
		if n++; n == len(v) {
			break
		}
	}
	if n < len(v) {
		return geotiff.Affine{}, fmt.Errorf("world file: %d lines of numbers instead of %d", n, len(v))
	}
	dx, ry, rx, dy := v[0], v[1], v[2], v[3]
	a := geotiff.Affine{
		X0: v[4] - float64(dx*0.5) - float64(rx*0.5), DX: dx, RX: rx,
		Y0: v[5] - float64(ry*0.5) - float64(dy*0.5), RY: ry, DY: dy,
	}
	area := float64(dx*dy) - float64(rx*ry)
	if area == 0 || math.IsNaN(area-a.X0-a.Y0) || math.IsInf(area-a.X0-a.Y0, 0) {
		return geotiff.Affine{}, fmt.Errorf("world file: pixels of no size, or a place beyond numbers (%v)", v)
	}
	return a, nil
}
