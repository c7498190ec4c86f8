package sidecar_test

import (
	"encoding/binary"
	"testing"

	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/sidecar"
)

func TestWorldFile(t *testing.T) {
	plain := geotiff.Affine{X0: 500000, DX: 10, Y0: 5000000, DY: -10}
	const text = "10\n0\n0\n-10\n500005\n4999995\n"
	for _, c := range []struct {
		text string
		want geotiff.Affine
	}{
		{text, plain},
		{"10\r\n0\r\n0\r\n-10\r\n500005\r\n4999995", plain},
		{"10\r0\r0\r-10\r500005\r4999995\r", plain},
		{"\n  10.000 \n0\n\n\t0\n-10\n5.00005e5\n4999995\n\nmore\n", plain},
		{"10 pixel size\n0\n0\n-10\n500005\n4999995\n", plain},
		{"\ufeff" + text, plain},
		{string(utf16Of("\ufeff"+text, binary.LittleEndian)), plain},
		{"10,5\n0,0\n0,0\n-10,5\n500005,25\n4999994,75\n", geotiff.Affine{X0: 500000, DX: 10.5, Y0: 5000000, DY: -10.5}},
		{"10\n3\n2\n-20\n506\n891.5\n", geotiff.Affine{X0: 500, DX: 10, RX: 2, Y0: 900, RY: 3, DY: -20}},
		{"0\n10\n10\n0\n5\n5\n", geotiff.Affine{RX: 10, RY: 10}},
	} {
		if got, err := sidecar.ParseWorldFile([]byte(c.text)); err != nil || got != c.want {
			t.Errorf("%q: %v, %v", c.text, got, err)
		}
	}
	for text, want := range map[string]string{
		"":                                "world file: 0 lines of numbers instead of 6",
		"10\n0\n0\n-10\n500005\n":         "world file: 5 lines of numbers instead of 6",
		"10 0 0 -10 500005 4999995\n":     "world file: 1 lines of numbers instead of 6",
		"10\n0\n0\n-10\nabc\n4999995\n":   `world file: "abc" is no number`,
		"nan\n0\n0\n-10\n1\n2\n":          `world file: "nan" is no number`,
		"0\n0\n0\n-10\n500005\n4999995\n": "world file: pixels of no size, or a place beyond numbers ([0 0 0 -10 500005 4.999995e+06])",
		"1\n2\n2\n4\n0\n0\n":              "world file: pixels of no size, or a place beyond numbers ([1 2 2 4 0 0])",
		"1e300\n0\n0\n1e300\n0\n0\n":      "world file: pixels of no size, or a place beyond numbers ([1e+300 0 0 1e+300 0 0])",
	} {
		if got, err := sidecar.ParseWorldFile([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
