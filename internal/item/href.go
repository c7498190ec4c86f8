package item

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/cairn-stac/cairn/internal/config"
)

// An address is where assets are: what stands before and after the key in their hrefs.
type address struct {
	before, after string
	raw           bool // the key stands there as it is
}

// addressOf is where a config has the assets of a Source. A config that does not fit the Source is a *config.Error.
func addressOf(cfg *config.Config, src Source) (address, error) {
	var a address
	switch cfg.AssetHref {
	case config.AssetSource:
		a.before = src.URL + "/"
		if src.bucket() {
			prefix, err := url.PathUnescape(a.before)
			if err != nil {
				return a, fmt.Errorf("source %s: %w", src.URL, err)
			}
			a.before = prefix // as raw as the key that follows
		}
	case config.AssetHTTPS:
		if src.HTTPS == "" {
			return a, &config.Error{Path: "asset_href", Msg: fmt.Sprintf("https is for a bucket, and %s has no https address; "+
				"give a URL template instead, such as https://example.com/%s", src.URL, config.KeyPlaceholder)}
		}
		a.before = src.HTTPS + "/"
	default:
		a.before, a.after, _ = strings.Cut(cfg.AssetHref, config.KeyPlaceholder)
	}
	scheme, _, _ := strings.Cut(a.before, ":")
	switch strings.ToLower(scheme) {
	case "s3", "gs", "az":
		// What opens these takes the key as it is and decodes nothing: GDAL, rasterio, fsspec, the clouds' own tools.
		a.raw = true
	}
	return a, nil
}

// href is the address of a raster.
func (a address) href(key string) string {
	if !a.raw {
		key = keyEscapes.Replace(url.PathEscape(key))
	}
	return a.before + key + a.after
}

// keyEscapes mends url.PathEscape for a whole key. A plus is a plus in a path (RFC 3986), but S3 takes it for a space.
var keyEscapes = strings.NewReplacer("%2F", "/", "+", "%2B")
