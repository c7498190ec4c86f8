package geotiff

// Values of SampleFormat (TIFF 6.0 section 19, and the two complex ones that libtiff adds).
const (
	formatUint         = 1
	formatInt          = 2
	formatFloat        = 3
	formatComplexInt   = 5
	formatComplexFloat = 6
)

// bands describes each sample of a pixel. All are of one type: libtiff opens no file where they differ.
func (rd *reader) bands() ([]Band, error) {
	d := &rd.main
	n := rd.uintOr(&d.fields[slotSamples], rd.defaultSamples())
	if n == 0 || n > maxBands {
		return nil, malformed("IFD 1: %d samples a pixel (1 to %d are read)", n, maxBands)
	}
	defaultBits := uint64(1)
	if rd.h.Compression == oldJPEG {
		defaultBits = 8
	}
	bits, err := rd.perSample(slotBits, n, defaultBits)
	if err != nil {
		return nil, err
	}
	format, err := rd.perSample(slotSampleFormat, n, formatUint)
	if err != nil {
		return nil, err
	}
	name := dataType(format, bits)
	if name == "" {
		return nil, malformed("IFD 1: samples of %d bits and SampleFormat %d, which is no data type", bits, format)
	}
	rd.samples = int(n)
	if colours := rd.convertedTo(sample{format, bits}); colours != nil {
		rd.converted = true
		bands := make([]Band, len(colours))
		for i, colour := range colours {
			bands[i] = Band{DataType: "uint8", Bits: 8, ColorInterp: colour}
		}
		return bands, nil
	}
	bands := make([]Band, n)
	for i := range bands {
		bands[i] = Band{DataType: name, Bits: int(bits)}
	}
	rd.colour(bands)
	return bands, nil
}

// perSample is the value of a field that holds one a sample, or one for all.
func (rd *reader) perSample(s slot, n, other uint64) (uint64, error) {
	f := &rd.main.fields[s]
	if !f.set {
		return other, nil
	}
	if f.count > 1 && f.count < n {
		return 0, malformed("IFD 1: %v: %d values for %d samples", s, f.count, n)
	}
	first, ok := rd.uint(f, 0)
	for i := 1; ok && i < min(f.len(), int(n)); i++ {
		if v, _ := rd.uint(f, i); v != first {
			return 0, malformed("IFD 1: %v: %d and %d; samples of different types cannot be read", s, first, v)
		}
	}
	if !ok {
		return 0, malformed("IFD 1: %v: no number", s)
	}
	return first, nil
}

// defaultSamples is SamplesPerPixel where the tag is missing: 1, except that old JPEG files leave it out of colour images.
func (rd *reader) defaultSamples() uint64 {
	if p := rd.h.Photometric; rd.h.Compression == oldJPEG && (p == photoRGB || p == photoYCbCr) {
		return 3
	}
	return 1
}

// A sample is how a number is stored.
type sample struct{ format, bits uint64 }

var dataTypes = map[sample]string{
	{formatUint, 8}: "uint8", {formatUint, 16}: "uint16", {formatUint, 32}: "uint32", {formatUint, 64}: "uint64",
	{formatInt, 8}: "int8", {formatInt, 16}: "int16", {formatInt, 32}: "int32", {formatInt, 64}: "int64",
	{formatFloat, 16}: "float16", {formatFloat, 24}: "float32", {formatFloat, 32}: "float32", {formatFloat, 64}: "float64",
	{formatComplexInt, 32}: "cint16", {formatComplexInt, 64}: "cint32",
	{formatComplexFloat, 64}: "cfloat32", {formatComplexFloat, 128}: "cfloat64",
}

// dataType names the type of STAC's common metadata in which GDAL gives a sample; "" where it gives none. One of an odd
// number of bits counts as unsigned, whatever it says, as in GDAL.
func dataType(format, bits uint64) string {
	name := dataTypes[sample{format, bits}]
	switch {
	case name != "" || format == 0 || format == formatFloat || format > formatComplexFloat || bits == 0 || bits > 64:
		return name
	case dataTypes[sample{formatUint, bits}] != "":
		return dataTypes[sample{formatUint, bits}]
	case format > formatInt && bits != 1 || bits > 32:
		return ""
	case bits < 8:
		return "uint8"
	case bits < 16:
		return "uint16"
	}
	return "uint32"
}
