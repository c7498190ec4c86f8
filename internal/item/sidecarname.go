package item

import "strings"

// A sidecarKind is what a sidecar is for.
type sidecarKind uint8

const (
	notSidecar sidecarKind = iota
	forGDAL                // .aux.xml, world files and the like: read with the raster
	forPeople              // a picture of it: an asset
	metadata               // about it: an asset, and fields for whoever asks for them
)

// Suffixes of sidecars: GDAL puts some after the raster's whole name or its stem, others after its stem alone.
var (
	appendedSuffixes = []string{".aux.xml", ".ovr", ".msk"}
	stemSuffixes     = []string{".tfw", ".tifw", ".tiffw", ".tfwx", ".wld", ".prj"}
	metadataSuffixes = []string{".json", ".xml", ".txt"}
	pictureSuffixes  = []string{".jpg", ".jpeg", ".png"}
)

// Names of what describes or shows a scene as a whole. They follow its stem and "_".
var (
	sceneMetadata = set("MTL ANG metadata")
	scenePreviews = set("thumb thumbnail thumb_small thumb_large preview browse quicklook ql PVI")
)

// The same for a scene that is a directory, whose files are called by these alone.
var (
	directoryMetadata = set("MTL MTD_TL MTD_MSIL1C MTD_MSIL2A metadata granule_metadata product_metadata tileInfo tileinfo_metadata productInfo")
	directoryPreviews = set("thumb thumbnail preview browse quicklook L2A_PVI PVI")
)

// sidecar tells what kind of sidecar a key names, if any, and where the stem of what it belongs to ends. What the config
// includes by name is none, but for GDAL's.
func (r *Rules) sidecar(key string) (kind sidecarKind, stem int) {
	if len(r.cfg.Include) == 0 && r.included(key) {
		return notSidecar, len(key) // most are
	}
	for _, s := range stemSuffixes {
		if hasSuffixFold(key, s) {
			return forGDAL, len(key) - len(s)
		}
	}
	stem = len(key)
	for again := true; again; { // a.tif.msk.ovr has two
		again = false
		for _, s := range appendedSuffixes {
			if hasSuffixFold(key[:stem], s) {
				stem -= len(s)
				again, kind = true, forGDAL
			}
		}
	}
	if kind == notSidecar {
		if kind, stem = r.aboutRaster(key); kind == notSidecar || len(r.cfg.Include) > 0 && r.included(key) {
			return notSidecar, len(key)
		}
	}
	if r.included(key[:stem]) { // it has the raster's whole name
		stem = stemEnd(key[:stem])
	}
	return kind, stem
}

// aboutRaster tells whether a key may name metadata or a picture, and what is left without their suffix. Many files end in
// .json, .xml or .txt: they are metadata where their names say so, or where the config wants fields of metadata files.
func (r *Rules) aboutRaster(key string) (kind sidecarKind, stem int) {
	for _, s := range pictureSuffixes {
		if hasSuffixFold(key, s) {
			return forPeople, len(key) - len(s)
		}
	}
	for _, s := range metadataSuffixes {
		if !hasSuffixFold(key, s) {
			continue
		}
		stem = len(key) - len(s)
		dir, name := split(key[:stem])
		if i := strings.LastIndexByte(name, '_'); sceneMetadata[name[i+1:]] && i > 0 || directoryMetadata[name] && inProduct(dir) {
			return metadata, stem
		}
		if s != ".txt" && (r.wantsFields() || r.included(key[:stem])) {
			return metadata, stem
		}
	}
	return notSidecar, len(key)
}

// wantsFields tells whether the config wants fields of metadata files.
func (r *Rules) wantsFields() bool {
	return len(r.cfg.Datetime.FromSidecar)+len(r.cfg.Properties.FromSidecar) > 0
}

// IsCompanion tells whether a sidecar's name alone does not make it one: pictures and metadata are only such beside a raster of
// their scene, and something private where there is none.
func (r *Rules) IsCompanion(key string) bool {
	kind, _ := r.sidecar(key)
	return kind == forPeople || kind == metadata
}

// sceneAt is where the key of a scene of several ends in a stem of one of its rasters, of their sidecars, or of what
// describes the whole scene; -1 where the stem tells of none.
func (r *Rules) sceneAt(stem string, kind sidecarKind) int {
	names, own := sceneMetadata, directoryMetadata
	switch kind {
	case notSidecar, forGDAL:
		return r.bandAt(stem)
	case forPeople:
		names, own = scenePreviews, directoryPreviews
	}
	if at := r.bandAt(stem); at >= 0 {
		return at
	}
	name := strings.LastIndexByte(stem, '/') + 1
	if r.cfg.Scenes.Off {
		return -1
	}
	if own[stem[name:]] && inProduct(stem[:name]) {
		return name
	}
	for i, parts := len(stem)-1, 0; i > name && parts < 2; i-- {
		if stem[i] != '_' {
			continue
		}
		parts++
		if names[stem[i+1:]] {
			if at := r.bandAt(stem[:i]); at >= 0 {
				return at // it is about one of the rasters
			}
			return i + 1
		}
	}
	return -1
}
