package geotiff

// What one header may cost at most, whatever the file says. Real headers stay far below.
const (
	firstRead  = 32 << 10 // holds the whole header of nearly every COG
	aroundRead = 16 << 10 // an IFD that lies elsewhere, with the values that writers put next to it
	aroundLead = 4 << 10  // how much of aroundRead comes before the IFD: older writers put the values first

	maxReads = 6       // requests a file; scattered overviews beyond that are not worth their latency
	maxBytes = 4 << 20 // bytes read a file

	maxValue   = 384 << 10 // bytes of one value; twice that as UTF-8 is still under 1 MiB
	maxRun     = 768 << 10 // bytes of one read of several values; keeps every allocation under 1 MiB
	maxRunGap  = 64 << 10  // bytes read in vain to save a request
	maxText    = 4 << 10   // bytes kept of a plain text (description, software …); the rest is cut off
	maxGeoKeys = 32 << 10  // bytes of the GeoKeyDirectory or of its doubles; real ones have some 300
	maxKeys    = 250       // GeoKeys; libgeotiff's own bound
	maxGeoText = 128 << 10 // bytes of the GeoKeys' texts, which 16-bit offsets and lengths can reach
	maxPoints  = 10_000    // tiepoints; GCP grids of radar products have a few thousand

	maxEntries  = 4096  // entries an IFD; libtiff's own bound
	maxIFDs     = 128   // 30 overviews and their masks, twice over; pages beyond say nothing of the first image
	maxBands    = 16384 // samples a pixel; hyperspectral cubes have under a thousand
	maxSubIFDs  = 64    // SubIFDs entries looked at
	maxPixels   = 1<<31 - 1
	maxItems    = 8192 // GDAL_METADATA items: some ten a band for a large cube
	maxWarnings = 32
)
