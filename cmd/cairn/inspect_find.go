package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
)

// A finder finds what arguments stand for: targets, in the order of the arguments.
type finder struct {
	options inspectOptions
	cfg     *config.Config
	source  *location // nil: each place is a Source of its own
	log     *slog.Logger
	places  map[location]*openedSource
	targets []*target
}

// An openedSource is a place that can be read, with the rules that hold there.
type openedSource struct {
	at     location
	reader objstore.Reader
	rules  *item.Rules
}

func newFinder(ctx context.Context, o inspectOptions, log *slog.Logger) (*finder, error) {
	f := &finder{options: o, log: log, places: map[location]*openedSource{}}
	if o.source != "" {
		at, err := sourceLocation(o.source)
		if err != nil {
			return nil, err
		}
		f.source = &at
	}
	var err error
	f.cfg, err = loadConfig(ctx, o.config, location{}, nothing{})
	return f, err
}

// add finds what an argument stands for.
func (f *finder) add(ctx context.Context, arg string) error {
	at, ok, err := bucketLocation("path", arg)
	if ok || err != nil {
		return errors.Join(err, f.addURL(ctx, at, arg))
	}
	info, err := os.Stat(arg)
	switch {
	case err != nil && isGlob(arg):
		return f.addGlob(ctx, arg)
	case err != nil:
		return fmt.Errorf("%s: %w", printable(arg), plain(err))
	case info.IsDir():
		t, err := f.folder(ctx, arg, arg)
		return f.keep(t, err)
	}
	dir, name := filepath.Split(filepath.Clean(arg))
	t, err := f.folder(ctx, arg, dir)
	if err != nil {
		return err
	}
	f.keepFile(t, name)
	return nil
}

// addGlob takes an argument that is no file for a glob.
func (f *finder) addGlob(ctx context.Context, arg string) error {
	dir, pattern := splitGlob(filepath.ToSlash(arg))
	glob, err := config.NewGlob(pattern)
	if err != nil {
		return fmt.Errorf("%s: there is no such file, and it is no glob: %w", printable(arg), err)
	}
	if home, err := os.UserHomeDir(); err == nil && strings.HasPrefix(dir, "~/") { // quoted, so that no shell expanded it
		dir = home + dir[1:]
	}
	t, err := f.folder(ctx, arg, filepath.FromSlash(dir))
	if err == nil {
		t.glob = &glob
	}
	return f.keep(t, err)
}

// addURL takes a URL for an Object where there is one, else for a prefix of Objects or for a glob.
func (f *finder) addURL(ctx context.Context, at location, arg string) error {
	if at.bucket.Bucket == "" {
		return nil // it was refused
	}
	base, pattern, dir := arg, "", at
	if isGlob(arg) {
		var err error
		base, pattern = splitGlob(arg)
		if dir, _, err = bucketLocation("path", base); err != nil {
			return err
		}
	} else if !strings.HasSuffix(arg, "/") {
		dir.bucket.Prefix, _ = path.Split(strings.TrimSuffix(at.bucket.Prefix, "/"))
	}
	t, err := f.target(ctx, arg, dir)
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(strings.TrimPrefix(at.bucket.Prefix, dir.bucket.Prefix), "/")
	if name != "" && !strings.HasSuffix(arg, "/") {
		if _, _, err := t.reader.Get(ctx, t.prefix+name, 0, 0, ""); !errors.Is(err, fs.ErrNotExist) {
			f.keepFile(t, name) // what else is wrong shows when it is read
			return nil
		}
	}
	if pattern != "" {
		glob, err := config.NewGlob(literalEscapes(pattern))
		if err != nil {
			return fmt.Errorf("%s: there is no such object, and it is no glob: %w", arg, err)
		}
		if t.glob = &glob; !t.holds(ctx, name+"/") {
			return f.keep(t, nil)
		}
	}
	t, err = f.target(ctx, arg, at)
	return f.keep(t, err)
}

// folder makes a target of a folder. shown is how the user writes it.
func (f *finder) folder(ctx context.Context, arg, shown string) (*target, error) {
	if shown == "" {
		shown = "."
	}
	dir, err := sourceFolder(shown)
	if err != nil {
		return nil, err
	}
	t, err := f.target(ctx, arg, location{folder: dir})
	if err == nil {
		t.shown = shown
	}
	return t, err
}

// target makes a target of a place, which it opens.
func (f *finder) target(ctx context.Context, arg string, place location) (*target, error) {
	t := &target{arg: arg, assumed: f.source == nil, parallel: parallelFiles}
	at := place
	if f.source != nil {
		at = *f.source
		var ok bool
		if t.prefix, ok = place.within(at); !ok {
			return nil, usagef("%s does not lie in the source %s", printable(arg), at)
		}
	}
	if at.isBucket() {
		t.parallel = f.options.bucket.parallel
	}
	if t.openedSource = f.places[at]; t.openedSource != nil {
		return t, nil
	}
	if err := f.options.bucket.check(at); err != nil {
		return nil, err
	}
	reader, err := openReader(ctx, at, f.options.bucket.s3(f.log))
	if err != nil {
		return nil, err
	}
	rules, err := item.New(f.cfg, aboutSource(at, reader))
	if err != nil {
		return nil, err
	}
	t.openedSource = &openedSource{at, reader, rules}
	f.places[at] = t.openedSource
	return t, nil
}

func (f *finder) keep(t *target, err error) error {
	if err == nil {
		f.targets = append(f.targets, t)
	}
	return err
}

// keepFile makes a target one of a single file. Files that are named one after the other and lie in one folder are one target, so
// that those of a scene are seen together.
func (f *finder) keepFile(t *target, name string) {
	if n := len(f.targets); n > 0 {
		if last := f.targets[n-1]; last.named != nil && last.openedSource == t.openedSource && last.prefix == t.prefix && last.shown == t.shown {
			t = last
		}
	}
	if t.named == nil {
		t.named = map[string]bool{}
		f.targets = append(f.targets, t)
	}
	t.named[t.prefix+name] = true
}

// isGlob tells whether a text holds what a glob is made of.
func isGlob(s string) bool { return strings.ContainsAny(s, "*?[{") }

// splitGlob parts the folders before the first with something of a glob, closing slash included, from the rest. There is a rest.
func splitGlob(s string) (dir, pattern string) {
	n := strings.LastIndexByte(s[:strings.IndexAny(s, `*?[{\`)], '/') + 1
	return s[:n], s[n:]
}

var percentEscape = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// literalEscapes undoes the percent-encoding of a glob in a URL; what stands for a character of globs is that character.
func literalEscapes(pattern string) string {
	return percentEscape.ReplaceAllStringFunc(pattern, func(escape string) string {
		s, err := url.PathUnescape(escape)
		if err == nil && strings.ContainsAny(s, `*?[]{},\`) {
			return `\` + s
		}
		return s
	})
}
