package item

import (
	"fmt"
	"strings"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/crs"
)

// A Source is where the rasters lie.
type Source struct {
	URL string // file:///abs/dir or s3://bucket/prefix; percent-encoded, no trailing slash
	// HTTPS is the URL under which the Source's files are reached over https, percent-encoded, without a trailing slash; ""
	// where there is none, as for a folder.
	HTTPS string
	Name  string // last path element
}

// bucket tells whether the Source is one, and no folder.
func (s Source) bucket() bool { return strings.HasPrefix(s.URL, "s3://") }

// Rules decide what becomes of the Objects of one Source under one config. They are not changed after New, and safe for use
// by many goroutines. But for Build, all methods are pure functions of keys.
type Rules struct {
	cfg    *config.Config
	src    Source
	listed map[string]Collection // of the config, by prefix
	taken  map[string]bool       // ids that a prefix may not be given
	root   Collection
	assume *crs.CRS // nil: none
	assets address
}

// New makes the Rules of a config and a Source. A config that asks for what the Source does not have is a *config.Error.
func New(cfg *config.Config, src Source) (*Rules, error) {
	assets, err := addressOf(cfg, src)
	if err != nil {
		return nil, err
	}
	r := &Rules{cfg: cfg, src: src, assets: assets}
	if cfg.AssumeCRS != 0 {
		c, err := crs.ByCode(cfg.AssumeCRS)
		if err != nil {
			return nil, fmt.Errorf("assume_crs: %w", err)
		}
		r.assume = c
	}
	r.nameCollections()
	return r, nil
}

// A Kind is what an Object may be, by its key alone.
type Kind int

// The Kinds.
const (
	Other   Kind = iota // none of Cairn's concern
	Raster              // a candidate for an Item
	Sidecar             // belongs to the raster of its scene, if there is one
)

// Kind tells what the Object with this key may be.
func (r *Rules) Kind(key string) Kind {
	if key == "" || key[len(key)-1] == '/' {
		return Other // a directory marker
	}
	for _, g := range r.cfg.Exclude {
		if g.Match(key) {
			return Other
		}
	}
	switch kind, _ := r.sidecar(key); {
	case kind != notSidecar:
		return Sidecar
	case r.included(key):
		return Raster
	}
	return Other
}

// included tells whether the key is that of a raster, exclusions apart.
func (r *Rules) included(key string) bool {
	if len(r.cfg.Include) == 0 {
		return hasSuffixFold(key, ".tif") || hasSuffixFold(key, ".tiff")
	}
	for _, g := range r.cfg.Include {
		if g.Match(key) {
			return true
		}
	}
	return false
}

// SceneKey is the key of the scene that the Object with this key belongs to. It is a prefix of the key of every Object of the
// scene. For most it is the directory and the stem of the name, with the dot that follows; for the rasters of a scene of
// several, and what describes the scene, that of bandAt. The stem is the name without the suffixes of rasters and sidecars; of
// anything else, the name up to its last dot. A name without a dot is a scene of its own.
func (r *Rules) SceneKey(key string) string {
	kind, n := r.sidecar(key)
	if kind == notSidecar {
		n = stemEnd(key)
	}
	if at := r.sceneAt(key[:n], kind); at >= 0 {
		return key[:at]
	}
	return key[:min(n+1, len(key))]
}

// stemEnd is where the last dot of the key's name is; len(key) where it has none.
func stemEnd(key string) int {
	if i := strings.LastIndexAny(key, "./"); i >= 0 && key[i] == '.' {
		return i
	}
	return len(key)
}

// hasSuffixFold is strings.HasSuffix without regard to the case of ASCII letters; suffix is in lower case.
func hasSuffixFold(s, suffix string) bool {
	if len(s) < len(suffix) {
		return false
	}
	for i := range len(suffix) {
		c := s[len(s)-len(suffix)+i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != suffix[i] {
			return false
		}
	}
	return true
}
