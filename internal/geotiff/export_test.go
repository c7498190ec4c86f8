package geotiff

// ParseMetadata is parseMetadata, for its fuzz target.
var ParseMetadata = parseMetadata
