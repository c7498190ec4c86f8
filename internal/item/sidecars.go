package item

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/sidecar"
)

// read returns what a sidecar holds. One that is too long, or that must not be read, is a problem, and no error: the raster is
// good all the same. The latter is a Reject, so that the next Run tries again.
func (b *builder) read(o objstore.Object) (data []byte, problem error, err error) {
	if o.Size > sidecar.MaxBytes {
		return nil, fmt.Errorf("%d bytes; at most %d are read of a sidecar", o.Size, sidecar.MaxBytes), nil
	}
	data = make([]byte, o.Size)
	n, err := b.open(o).ReadAt(data, 0)
	switch {
	case n == len(data), errors.Is(err, io.EOF):
		return data[:n], nil, nil
	case errors.Is(err, objstore.ErrNoStore), errors.Is(err, objstore.ErrCredentials):
	case errors.Is(err, fs.ErrPermission):
		b.unread[o.Key] = b.rules.denied()
		return nil, errors.New("it may not be read"), nil
	case errors.Is(err, objstore.ErrArchived):
		b.unread[o.Key] = archived(o)
		return nil, errors.New("it is archived"), nil
	}
	return nil, nil, fmt.Errorf("read sidecar %s: %w", o.Key, err)
}

// beside finds the sidecar that is called like one of the names, in lower or upper case of what follows the stem. Of a scene
// without sidecars it costs nothing.
func (b *builder) beside(stem string, suffixes ...string) (objstore.Object, bool) {
	if len(b.sidecars) == 0 {
		return objstore.Object{}, false
	}
	if b.byKey == nil {
		b.byKey = make(map[string]int, len(b.sidecars))
		for _, i := range b.sidecars {
			b.byKey[b.objects[i].Key] = i
		}
	}
	for _, suffix := range suffixes {
		for _, s := range [...]string{suffix, strings.ToUpper(suffix)} {
			if i, ok := b.byKey[stem+s]; ok {
				return b.objects[i], true
			}
		}
	}
	return objstore.Object{}, false
}

// used reads a sidecar of a raster and parses it. What is wrong with it becomes a warning, and ok is false.
func (b *builder) used(m *raster, o objstore.Object, parse func([]byte) error) (ok bool, err error) {
	data, problem, err := b.read(o)
	if err != nil {
		return false, err
	}
	if problem == nil {
		problem = parse(data)
	}
	if problem != nil {
		m.warn(o.Key, "%v", problem)
		return false, nil
	}
	m.used = append(m.used, o.Key)
	return true, nil
}

// aux reads the .aux.xml of a raster, as GDAL finds it; nil where there is none.
func (b *builder) aux(m *raster) (pam *sidecar.PAM, key string, err error) {
	o, there := b.beside(m.object.Key, ".aux.xml")
	if !there {
		return nil, "", nil
	}
	ok, err := b.used(m, o, func(data []byte) (err error) {
		pam = new(sidecar.PAM)
		*pam, err = sidecar.ParsePAM(data)
		return err
	})
	if !ok {
		return nil, "", err
	}
	return pam, o.Key, nil
}

// worldFile reads the world file of a raster, as GDAL finds it; nil where there is none.
func (b *builder) worldFile(m *raster) (t *geotiff.Affine, key string, err error) {
	ext := strings.ToLower(strings.TrimPrefix(m.object.Key[len(m.stem):], "."))
	names := []string{".wld"}
	if len(ext) >= 2 {
		names = []string{"." + ext[:1] + ext[len(ext)-1:] + "w", "." + ext + "w", ".wld"}
	}
	for _, name := range names {
		o, there := b.beside(m.stem, name)
		if !there {
			continue
		}
		ok, err := b.used(m, o, func(data []byte) error {
			a, err := sidecar.ParseWorldFile(data)
			t = &a
			return err
		})
		if ok || err != nil {
			return t, o.Key, err
		}
	}
	return nil, "", nil
}

// prj reads the .prj of a raster; "" where there is none.
func (b *builder) prj(m *raster) (text, key string, err error) {
	o, there := b.beside(m.stem, ".prj")
	if !there {
		return "", "", nil
	}
	_, err = b.used(m, o, func(data []byte) (err error) {
		text, err = sidecar.Text(data)
		return err
	})
	return text, o.Key, err
}

// filesOf are the metadata files and pictures that belong to a group: those called like one of its rasters, and for a scene of
// several those that are about no raster alone.
func (b *builder) filesOf(g group) (files []int) {
	if len(b.sidecars) == 0 {
		return nil
	}
	if b.about == nil {
		b.about = map[string][]int{}
		for _, i := range b.sidecars {
			key := b.objects[i].Key
			if kind, n := b.rules.sidecar(key); kind != forGDAL {
				b.about[key[:n]] = append(b.about[key[:n]], i)
			}
		}
	}
	if g.scene == "" { // there may be many, so that none may look at all files
		return b.about[g.rasters[0].stem]
	}
	others := map[string]bool{}
	for _, m := range b.rasters {
		others[m.stem] = true
	}
	for _, m := range g.rasters {
		delete(others, m.stem)
	}
	for stem, of := range b.about {
		if !others[stem] {
			files = append(files, of...)
		}
	}
	slices.Sort(files)
	return files
}

// fields are those of a group's metadata files; without a wish for any of the config's, of Landsat's MTL alone. Of files that
// differ in their extension alone, as MTL.json, MTL.txt and MTL.xml, one is read; ANG.txt is angles through and through.
func (b *builder) fields(files []int, x *Explanation) (out []fieldSet, err error) {
	all := b.rules.wantsFields()
	done := ""
	for _, i := range files {
		o := b.objects[i]
		kind, n := b.rules.sidecar(o.Key)
		stem := o.Key[:n]
		if kind != metadata || stem == done || strings.HasSuffix(stem, "_ANG") || !all && !isMTL(stem) || len(out) == maxMetadata {
			continue
		}
		set, err := b.fieldSet(i)
		if err != nil {
			return nil, err
		}
		if set.problem != nil {
			x.warn(o.Key, "%v", set.problem)
			continue
		}
		done = stem
		out = append(out, set)
		x.Sidecars = append(x.Sidecars, o.Key)
	}
	return out, nil
}

func isMTL(stem string) bool {
	_, name := split(stem)
	return name == "MTL" || strings.HasSuffix(name, "_MTL")
}

// fieldSet reads a metadata file, once.
func (b *builder) fieldSet(i int) (fieldSet, error) {
	if set, ok := b.parsed[i]; ok {
		return set, nil
	}
	set := fieldSet{key: b.objects[i].Key}
	data, problem, err := b.read(b.objects[i])
	if err != nil {
		return set, err
	}
	if set.problem = problem; problem == nil {
		set.fields, set.problem = sidecar.ParseFields(data)
	}
	if b.parsed == nil {
		b.parsed = map[int]fieldSet{}
	}
	b.parsed[i] = set
	return set, nil
}

// A fieldSet is the fields of one metadata file.
type fieldSet struct {
	key     string
	fields  sidecar.Fields
	problem error // why there are none
}

// maxMetadata is how many metadata files of an Item are read.
const maxMetadata = 8

// join finds a field, or the values of several that belong together, joined as a date and a time of day are.
func (f fieldSet) join(wanted config.Field) (string, bool) {
	values := make([]string, len(wanted))
	for i, path := range wanted {
		v, ok := f.fields.Find(path)
		if v = clean(v, maxText); !ok || v == "" {
			return "", false
		}
		values[i] = v
	}
	return strings.Join(values, "T"), true
}

// joinMetadata is join for GDAL's metadata of a file: items by name, in any domain or as "DOMAIN:NAME"; case does not matter.
// What comes later goes before what came earlier, and the default domain before the others.
func joinMetadata(items []geotiff.Meta, wanted config.Field) (string, bool) {
	values := make([]string, len(wanted))
	for i, name := range wanted {
		for _, m := range items {
			same := strings.EqualFold(m.Name, name) && (m.Domain == "" || values[i] == "") || strings.EqualFold(m.Domain+":"+m.Name, name)
			if v := clean(m.Value, maxText); m.Sample < 0 && same && v != "" {
				values[i] = v
			}
		}
		if values[i] == "" {
			return "", false
		}
	}
	return strings.Join(values, "T"), true
}
