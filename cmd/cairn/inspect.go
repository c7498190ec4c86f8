package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/s3store"
)

func (a *app) inspectCommand() *cobra.Command {
	var o inspectOptions
	cmd := &cobra.Command{
		Use:   "inspect FILE|FOLDER|s3://...",
		Short: "Show what would be catalogued, and why; writes nothing",
		Long: `Shows for a GeoTIFF, or for each one in a folder or below a prefix of a bucket, what would be catalogued, and where each piece
of it was found; or why the file would be rejected. It writes nothing, and a bad file is no error.

With --json each file is a line: {"file", "item": {…}} or {"file", "reject": {"code", "message"}}.`,
		Example: `  cairn inspect ~/imagery/scene.tif
  cairn inspect ~/imagery
  cairn inspect s3://imagery/2024/scene.tif
  cairn inspect s3://public-cogs/dem/ --no-sign-request --json | jq -c 'select(.reject)'`,
		Args: args(1, 1, "one FILE or FOLDER, or the s3:// URL of one"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.path = args[0]
			return a.inspect(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.config, "config", "", "the config `FILE` that a refresh would use")
	complete(cmd.MarkFlagFilename("config", "yaml", "yml"))
	bucketFlags(cmd.Flags(), &o.bucket, "the files")
	cmd.Flags().BoolVar(&o.json, "json", false, "one line of JSON a file")
	return cmd
}

type inspectOptions struct {
	path, config string
	bucket       bucketOptions
	json         bool
}

func (a *app) inspect(ctx context.Context, o inspectOptions) (err error) {
	i, err := openInspection(ctx, o, a.log(slog.LevelWarn))
	if err != nil {
		return err
	}
	cfg, err := loadConfig(ctx, o.config, location{}, nothing{})
	if err != nil {
		return err
	}
	if i.rules, err = item.New(cfg, aboutSource(i.at, i.source)); err != nil {
		return err
	}

	out := bufio.NewWriter(a.stdout)
	defer func() { err = errors.Join(err, out.Flush()) }()
	write := func(f inspected) error { return writeReport(out, f) }
	if o.json {
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		write = func(f inspected) error { return enc.Encode(f) }
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	scenes := func(yield func([]objstore.Object) bool) {
		for scene, err := range i.scenes(ctx) {
			if err != nil {
				stop(fmt.Errorf("list %s: %w", i.at, err))
			}
			if err != nil || !yield(scene) {
				return
			}
		}
	}
	look := func(ctx context.Context, objs []objstore.Object) []inspected {
		files, err := i.scene(ctx, objs)
		if err != nil {
			stop(err)
		}
		return files
	}
	var sum inspectSummary
	for files := range inOrder(ctx, scenes, i.parallel, look) {
		for _, f := range files {
			sum.add(f)
			if i.single == "" && (f.role == item.RoleSidecar || f.role == item.RoleOther) {
				continue
			}
			if err := write(f); err != nil {
				return err
			}
		}
	}
	switch err := context.Cause(ctx); {
	case err != nil:
		return err
	case i.at.isBucket() && sum.none():
		return fmt.Errorf("%s: there is no such object, and none below it", o.path)
	case i.single == "" && !o.json:
		sum.write(out)
	}
	return nil
}

// An inspection looks at the rasters of a location, or at a single one.
type inspection struct {
	at       location
	shown    string // the folder, as the user gave it; "" for a bucket
	single   string // the key of the only file, or ""
	rules    *item.Rules
	source   objstore.Reader
	parallel int  // scenes at once
	headers  bool // are wanted
}

func openInspection(ctx context.Context, o inspectOptions, log *slog.Logger) (*inspection, error) {
	i := &inspection{headers: !o.json, parallel: max(8, 2*runtime.NumCPU())}
	at, ok, err := bucketLocation("path", o.path)
	if err != nil {
		return nil, err
	}
	if ok {
		i.at, i.parallel = at, o.bucket.parallel
		if err := o.bucket.check(at); err != nil {
			return nil, err
		}
		return i, i.openBucket(ctx, strings.HasSuffix(o.path, "/"), o.bucket.s3(log))
	}
	info, err := os.Stat(o.path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.path, plain(err))
	}
	if i.shown = o.path; !info.IsDir() {
		i.shown, i.single = filepath.Split(filepath.Clean(o.path))
		i.shown = cmp.Or(i.shown, ".")
	}
	if i.at.folder, err = sourceFolder(i.shown); err != nil {
		return nil, err
	}
	if err := o.bucket.check(i.at); err != nil {
		return nil, err
	}
	i.source, err = openReader(ctx, i.at, o.bucket.s3(log))
	return i, err
}

// openBucket opens the bucket of a URL that names a prefix or, unless it ends in a slash, perhaps a single Object.
func (i *inspection) openBucket(ctx context.Context, prefix bool, opt s3store.Options) error {
	whole := i.at
	if dir, name := path.Split(strings.TrimSuffix(whole.bucket.Prefix, "/")); !prefix && name != "" {
		i.at.bucket.Prefix = dir
		s, err := openBucket(ctx, i.at, opt)
		if err != nil {
			return err
		}
		if _, _, err := s.Get(ctx, name, 0, 0, ""); !errors.Is(err, fs.ErrNotExist) {
			i.source, i.single = s, name // what else is wrong shows when it is read
			return nil
		}
	}
	i.at = whole
	s, err := openBucket(ctx, whole, opt)
	i.source = s
	return err
}

// inspected is what one file would become.
type inspected struct {
	File   string          `json:"file"`
	Item   json.RawMessage `json:"item,omitempty"`
	Reject *rejected       `json:"reject,omitempty"`

	role   item.Role
	size   int64
	header *geotiff.Header // of an Item; nil if it could not be read again
}

type rejected struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// scenes yields the Objects of the location scene by scene; those of the scene of a single file only.
func (i *inspection) scenes(ctx context.Context) iter.Seq2[[]objstore.Object, error] {
	keys := objstore.Range{}
	if i.single != "" {
		keys = objstore.Prefixed(i.rules.SceneKey(i.single))
	}
	return func(yield func([]objstore.Object, error) bool) {
		for scene, err := range byScene(i.source.List(ctx, keys), i.rules.SceneKey) {
			if err == nil && i.single != "" && i.rules.SceneKey(scene[0].Key) != i.rules.SceneKey(i.single) {
				continue
			}
			if !yield(scene, err) {
				return
			}
		}
	}
}

// byScene groups a listing by scene, in the order of their first keys. It holds no more than the scenes that are not complete
// yet and those after them: a scene key is the beginning of the keys of its Objects, which are sorted.
func byScene(list iter.Seq2[objstore.Object, error], sceneKey func(string) string) iter.Seq2[[]objstore.Object, error] {
	type scene struct {
		key     string
		objects []objstore.Object
	}
	return func(yield func([]objstore.Object, error) bool) {
		var queue []*scene
		open := map[string]*scene{}
		for o, err := range list {
			if err != nil {
				yield(nil, err)
				return
			}
			for len(queue) > 0 && !strings.HasPrefix(o.Key, queue[0].key) {
				if !yield(queue[0].objects, nil) {
					return
				}
				delete(open, queue[0].key)
				queue = queue[1:]
			}
			key := sceneKey(o.Key)
			s := open[key]
			if s == nil {
				s = &scene{key: key}
				open[key] = s
				queue = append(queue, s)
			}
			s.objects = append(s.objects, o)
		}
		for _, s := range queue {
			if !yield(s.objects, nil) {
				return
			}
		}
	}
}

// scene tells what the Objects of one scene would become. An error is one of the store, not of an Object.
func (i *inspection) scene(ctx context.Context, objs []objstore.Object) ([]inspected, error) {
	readers := map[string]io.ReaderAt{}
	open := func(o objstore.Object) io.ReaderAt {
		if readers[o.Key] == nil {
			readers[o.Key] = &objectReader{ctx: ctx, source: i.source, object: o}
		}
		return readers[o.Key]
	}
	res, err := i.rules.Build(i.rules.Collection(objs[0].Key), objs, open)
	if errors.Is(err, objstore.ErrNoStore) || errors.Is(err, objstore.ErrCredentials) {
		return nil, err
	}
	if err != nil { // an Object could not be read
		return []inspected{{File: i.name(objs[0]), Reject: &rejected{"unreadable", err.Error()}}}, nil
	}
	var out []inspected
	items, rejects := res.Items, res.Rejects
	for n, o := range objs {
		f := inspected{File: i.name(o), size: o.Size, role: res.Roles[n]}
		switch f.role {
		case item.RoleAsset: // in the order of the Objects, as Rejects are
			line, err := items[0].Line()
			items = items[1:]
			if err != nil {
				f.Reject = &rejected{"unreadable", err.Error()}
				break
			}
			f.Item = line
			if i.headers {
				f.header, _ = geotiff.Read(open(o), o.Size) // it was read a moment ago; else the report says less
			}
		case item.RoleReject:
			f.Reject = &rejected{rejects[0].Code, rejects[0].Message}
			rejects = rejects[1:]
		case item.RoleSidecar:
			f.Reject = &rejected{"sidecar", "the file belongs to the raster beside it and is no raster of its own"}
		default:
			f.Reject = &rejected{"ignored", "the file is no *.tif or *.tiff, or the config leaves it out"}
		}
		out = append(out, f)
	}
	return out, nil
}

func (i *inspection) name(o objstore.Object) string {
	if i.at.isBucket() {
		return i.at.file(o.Key)
	}
	return filepath.Join(i.shown, filepath.FromSlash(o.Key))
}

// An objectReader reads an Object, as long as it stays the listed one. It remembers what it read, for whoever reads it again.
// It is for one goroutine.
type objectReader struct {
	ctx    context.Context
	source objstore.Reader
	object objstore.Object
	known  []stretch
}

type stretch struct {
	off  int64
	body []byte
}

func (r *objectReader) ReadAt(p []byte, off int64) (int, error) {
	for _, s := range r.known {
		if off >= s.off && off+int64(len(p)) <= s.off+int64(len(s.body)) {
			return copy(p, s.body[off-s.off:]), nil
		}
	}
	body, _, err := r.source.Get(r.ctx, r.object.Key, off, int64(len(p)), r.object.ETag)
	n := copy(p, body)
	if err == nil {
		r.known = append(r.known, stretch{off, body})
		if n < len(p) {
			err = io.EOF
		}
	}
	return n, err
}
