// Package item decides what an Object of the Source becomes: by its key alone whether it is a raster, a sidecar or nothing
// of interest, its Collection and its id; and with its header, the STAC Item or the Reject.
package item
