// Package demo writes sample rasters: small GeoTIFFs of invented terrain at real places, for `cairn demo`.
package demo
