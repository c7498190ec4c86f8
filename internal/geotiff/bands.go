package geotiff

// Values of SampleFormat (TIFF 6.0 section 19, and the two complex ones that libtiff adds). Anything else counts as
// unsigned, as in GDAL.
const (
	formatInt          = 2
	formatFloat        = 3
	formatComplexInt   = 5
	formatComplexFloat = 6
)

var (
	unsignedTypes = [...]string{"uint8", "uint16", "uint32", "uint64"}
	signedTypes   = [...]string{"int8", "int16", "int32", "int64"}
)

// bands works out the type of each sample from BitsPerSample and SampleFormat, which hold a value a sample. Where they
// hold fewer the last one counts for the rest.
func (rd *reader) bands(d *directory) ([]Band, error) {
	n := rd.uintOr(&d.fields[slotSamples], rd.defaultSamples())
	if n == 0 || n > maxBands {
		return nil, malformed("IFD 1: %d samples a pixel (1 to %d are read)", n, maxBands)
	}
	bits, formats := &d.fields[slotBits], &d.fields[slotSampleFormat]
	bands := make([]Band, n)
	var b, f uint64 = 1, 1 // the defaults: one bit, unsigned
	for i := range bands {
		b, f = orLast(rd, bits, i, b), orLast(rd, formats, i, f)
		if b == 0 || b > 128 {
			return nil, malformed("IFD 1: %d bits a sample", b)
		}
		bands[i] = Band{DataType: dataType(f, b), Bits: int(b)}
	}
	return bands, nil
}

func orLast(rd *reader, f *field, i int, last uint64) uint64 {
	if v, ok := rd.uint(f, i); ok {
		return v
	}
	return last
}

// defaultSamples is SamplesPerPixel where the tag is missing: 1, except that old JPEG files leave it out of colour images.
func (rd *reader) defaultSamples() uint64 {
	const rgb, ycbcr = 2, 6
	if p := rd.h.Photometric; rd.h.Compression == oldJPEG && (p == rgb || p == ycbcr) {
		return 3
	}
	return 1
}

// dataType names the smallest type of STAC's common metadata that holds a sample, as GDAL chooses it.
func dataType(format, bits uint64) string {
	switch format {
	case formatFloat:
		switch {
		case bits == 16:
			return "float16"
		case bits == 24 || bits == 32:
			return "float32"
		case bits == 64:
			return "float64"
		}
	case formatComplexInt:
		switch bits {
		case 32:
			return "cint16"
		case 64:
			return "cint32"
		}
	case formatComplexFloat:
		switch bits {
		case 64:
			return "cfloat32"
		case 128:
			return "cfloat64"
		}
	default:
		names := &unsignedTypes
		if format == formatInt {
			names = &signedTypes
		}
		for i, name := range names {
			if bits <= 8<<i {
				return name
			}
		}
	}
	return "other"
}
