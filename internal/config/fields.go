package config

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/cairn-stac/cairn/internal/crs"
	"github.com/cairn-stac/cairn/internal/stac"
)

// fields are the keys of the file.
func (c *Config) fields() fields {
	return fields{
		"title":       text(&c.Title),
		"description": text(&c.Description),
		"license":     license(&c.License),
		"keywords":    texts(&c.Keywords),
		"providers":   list(maxList, c.provider),
		"collections": mapping(fields{
			"depth": c.depth,
			"list":  list(maxList, c.listed),
		}),
		"include": globs(&c.Include),
		"exclude": globs(&c.Exclude),
		"datetime": mapping(fields{
			"patterns":      patterns(&c.Datetime.Patterns, checkTimeGroups),
			"from_sidecar":  timeFields(&c.Datetime.FromSidecar),
			"from_metadata": timeFields(&c.Datetime.FromMetadata),
			"fallback":      oneOf(&c.Datetime.Fallback, FallbackModified, FallbackReject),
		}),
		"properties": mapping(fields{
			"constants":     c.constants,
			"from_path":     patterns(&c.Properties.FromPath, checkPropertyGroups),
			"from_sidecar":  propertyFields(&c.Properties.FromSidecar),
			"from_metadata": propertyFields(&c.Properties.FromMetadata),
		}),
		"scenes":     c.scenes,
		"assume_crs": c.assumeCRS,

		"common_names":      boolean(&c.CommonNames),
		"without_footprint": oneOf(&c.WithoutFootprint, FootprintOrReject, FootprintOrNull),
		"asset_href":        c.assetHref,
		"static":            oneOf(&c.Static, StaticAuto, StaticItems, StaticCollections, StaticNone),
		"retention":         c.retention,
	}
}

func (c *Config) provider(n ast.Node) error {
	var p stac.Provider
	err := mapping(fields{
		"name":        text(&p.Name),
		"description": text(&p.Description),
		"url":         webURL(&p.URL),
		"roles": list(4, func(n ast.Node) error {
			var role string
			err := oneOf(&role, "licensor", "producer", "processor", "host")(n)
			p.Roles = append(p.Roles, role)
			return err
		}),
	})(n)
	if err == nil && p.Name == "" {
		err = errorf(n, "a provider needs a name")
	}
	c.Providers = append(c.Providers, p)
	return err
}

func webURL(dst *string) field {
	return func(n ast.Node) error {
		if err := text(dst)(n); err != nil {
			return err
		}
		if u, err := url.Parse(*dst); err != nil || !u.IsAbs() {
			return errorf(n, "want a URL, have %s", show(*dst))
		}
		return nil
	}
}

var licensePattern = regexp.MustCompile(`^[\w.+-]+$`) // STAC 1.1.0, licensing.json

func license(dst *string) field {
	return func(n ast.Node) error {
		if err := text(dst)(n); err != nil {
			return err
		}
		if !licensePattern.MatchString(*dst) {
			return errorf(n, `want an SPDX license identifier such as CC-BY-4.0, or "other", have %s`, show(*dst))
		}
		return nil
	}
}

func (c *Config) depth(n ast.Node) error {
	i, ok := n.(*ast.IntegerNode)
	if !ok {
		return errorf(n, "want a number from 0 to %d, have %s", maxDepth, kindOf(n))
	}
	depth, err := strconv.Atoi(i.Token.Value)
	if err != nil || depth < 0 || depth > maxDepth {
		return errorf(n, "want a number from 0 to %d, have %s", maxDepth, show(i.Token.Value))
	}
	c.Collections.Depth = depth
	return nil
}

var idPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,200}$`)

func (c *Config) listed(n ast.Node) error {
	var l Listed
	err := mapping(fields{
		"title":       text(&l.Title),
		"description": text(&l.Description),
		"license":     license(&l.License),
		"keywords":    texts(&l.Keywords),
		"prefix": func(n ast.Node) error {
			if err := text(&l.Prefix)(n); err != nil {
				return err
			}
			switch {
			case !strings.HasSuffix(l.Prefix, "/"):
				return errorf(n, "the prefix %s must end in \"/\", so that it does not mean %s too",
					show(l.Prefix), show(l.Prefix+"-other/"))
			case strings.HasPrefix(l.Prefix, "/"):
				return errorf(n, "the prefix %s must not begin with \"/\": it is relative to the source", show(l.Prefix))
			case slices.ContainsFunc(c.Collections.List, func(o Listed) bool { return o.Prefix == l.Prefix }):
				return errorf(n, "the prefix %s is listed twice", show(l.Prefix))
			}
			return nil
		},
		"id": func(n ast.Node) error {
			if err := text(&l.ID)(n); err != nil {
				return err
			}
			switch {
			case !idPattern.MatchString(l.ID) || strings.Trim(l.ID, ".") == "":
				return errorf(n, "want an id of 1 to 200 letters, digits, \".\", \"_\" and \"-\", have %s", show(l.ID))
			case slices.ContainsFunc(c.Collections.List, func(o Listed) bool { return o.ID == l.ID }):
				return errorf(n, "the id %s is listed twice", show(l.ID))
			}
			return nil
		},
	})(n)
	if err == nil && l.Prefix == "" {
		err = errorf(n, "a listed collection needs a prefix")
	}
	c.Collections.List = append(c.Collections.List, l)
	return err
}

func (c *Config) assumeCRS(n ast.Node) error {
	s, ok := scalar(n)
	if !ok {
		return errorf(n, "want an EPSG code such as 32633 or EPSG:32633, have %s", kindOf(n))
	}
	digits := s
	if len(s) > 5 && strings.EqualFold(s[:5], "EPSG:") {
		digits = s[5:]
	}
	code, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || code == 0 {
		return errorf(n, "want an EPSG code such as 32633 or EPSG:32633, have %s", show(s))
	}
	if _, err := crs.ByCode(int(code)); err != nil {
		return errorf(n, "%v", err)
	}
	c.AssumeCRS = int(code)
	return nil
}

func (c *Config) assetHref(n ast.Node) error {
	if err := text(&c.AssetHref)(n); err != nil || c.AssetHref == AssetSource || c.AssetHref == AssetHTTPS {
		return err
	}
	u, err := url.Parse(strings.ReplaceAll(c.AssetHref, KeyPlaceholder, "k"))
	if err != nil || u.Scheme == "" || u.Host == "" || strings.Count(c.AssetHref, KeyPlaceholder) != 1 ||
		strings.ContainsAny(c.AssetHref, " \t\r\n\"<>\\^`|") || strings.Count(c.AssetHref, "{") != 1 {
		return errorf(n, "want source, https, or a URL with %s in it once, such as https://example.com/%s; have %s",
			KeyPlaceholder, KeyPlaceholder, show(c.AssetHref))
	}
	return nil
}

func (c *Config) retention(n ast.Node) error {
	s, ok := scalar(n)
	if !ok {
		return errorf(n, "want a duration such as 24h, have %s", kindOf(n))
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return errorf(n, "want a duration such as 24h, have %s", show(s))
	}
	if d < minRetention || d > maxRetention {
		return errorf(n, "want a duration from %v to %v, have %v", minRetention, maxRetention, d)
	}
	c.Retention = d
	return nil
}
