package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/spf13/cobra"

	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/dirstore"
)

func (a *app) inspectCommand() *cobra.Command {
	var o inspectOptions
	cmd := &cobra.Command{
		Use:   "inspect FILE|FOLDER",
		Short: "Show what would be catalogued, and why; writes nothing",
		Long: `Shows for a GeoTIFF, or for each one in a folder, what would be catalogued, and where each piece of it was found; or why
the file would be rejected. It writes nothing, and a bad file is no error.

With --json each file is a line: {"file", "item": {…}} or {"file", "reject": {"code", "message"}}.`,
		Example: `  cairn inspect ~/imagery/scene.tif
  cairn inspect ~/imagery
  cairn inspect ~/imagery --json | jq -c 'select(.reject)'`,
		Args: args(1, 1, "one FILE or FOLDER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.path = args[0]
			return a.inspect(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.config, "config", "", "the config `FILE` that a refresh would use")
	f.BoolVar(&o.json, "json", false, "one line of JSON a file")
	return cmd
}

type inspectOptions struct {
	path, config string
	json         bool
}

func (a *app) inspect(ctx context.Context, o inspectOptions) (err error) {
	if err := noURL("path", o.path); err != nil {
		return err
	}
	info, err := os.Stat(o.path)
	if err != nil {
		return fmt.Errorf("%s: %w", o.path, plain(err))
	}
	i := &inspection{shown: o.path, folder: info.IsDir()}
	if !i.folder {
		i.shown = filepath.Dir(o.path)
	}
	folder, err := sourceFolder(i.shown)
	if err != nil {
		return err
	}
	cfg, err := loadConfig(o.config, "")
	if err != nil {
		return err
	}
	if i.rules, err = item.New(cfg, aboutSource(folder)); err != nil {
		return err
	}
	if i.source, err = dirstore.OpenReader(folder); err != nil {
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
	scenes, err := i.scenes(ctx, filepath.Base(o.path))
	if err != nil {
		return err
	}
	var sum inspectSummary
	for files := range inOrder(ctx, scenes, max(8, 2*runtime.NumCPU()), i.scene) {
		for _, f := range files {
			sum.add(f)
			if i.folder && (f.role == item.RoleSidecar || f.role == item.RoleOther) {
				continue
			}
			if err := write(f); err != nil {
				return err
			}
		}
	}
	if i.folder && !o.json {
		sum.write(out)
	}
	return ctx.Err()
}

// An inspection looks at the rasters of a folder, or at a single one.
type inspection struct {
	shown  string // the folder, as the user gave it
	folder bool
	rules  *item.Rules
	source objstore.Reader
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

// scenes lists the Objects, grouped by scene: of the folder, or of the scene that holds the single file.
func (i *inspection) scenes(ctx context.Context, single string) ([][]objstore.Object, error) {
	keys := objstore.Range{}
	if !i.folder {
		keys = objstore.Prefixed(i.rules.SceneKey(single))
	}
	var all []objstore.Object
	for o, err := range i.source.List(ctx, keys) {
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", i.shown, err)
		}
		if i.folder || i.rules.SceneKey(o.Key) == i.rules.SceneKey(single) {
			all = append(all, o)
		}
	}
	slices.SortStableFunc(all, func(a, b objstore.Object) int {
		return cmp.Compare(i.rules.SceneKey(a.Key), i.rules.SceneKey(b.Key))
	})
	var out [][]objstore.Object
	for n, o := range all {
		if n == 0 || i.rules.SceneKey(o.Key) != i.rules.SceneKey(all[n-1].Key) {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], o)
	}
	return out, nil
}

// scene tells what the Objects of one scene would become.
func (i *inspection) scene(ctx context.Context, objs []objstore.Object) []inspected {
	open := func(o objstore.Object) io.ReaderAt { return &objectReader{ctx, i.source, o} }
	res, err := i.rules.Build(i.rules.Collection(objs[0].Key), objs, open)
	if err != nil { // an Object could not be read
		return []inspected{{File: i.name(objs[0]), Reject: &rejected{"unreadable", err.Error()}}}
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
			f.header, _ = geotiff.Read(open(o), o.Size) // it was read a moment ago; else the report says less
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
	return out
}

func (i *inspection) name(o objstore.Object) string {
	return filepath.Join(i.shown, filepath.FromSlash(o.Key))
}

// An objectReader reads an Object, as long as it stays the listed one.
type objectReader struct {
	ctx    context.Context
	source objstore.Reader
	object objstore.Object
}

func (r *objectReader) ReadAt(p []byte, off int64) (int, error) {
	body, _, err := r.source.Get(r.ctx, r.object.Key, off, int64(len(p)), r.object.ETag)
	n := copy(p, body)
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}
