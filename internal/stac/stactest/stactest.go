// Package stactest checks STAC JSON against the JSON schemas of STAC and its extensions, in tests. The schemas lie beside
// the repository, in ../shared/schemas; where they are not, nothing is checked.
package stactest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/cairn-stac/cairn/internal/sharedtest"
	"github.com/cairn-stac/cairn/internal/stac"
)

const core = "https://schemas.stacspec.org/v1.1.0/"

var schemaOf = map[string]string{
	"Feature":    core + "item-spec/json-schema/item.json",
	"Collection": core + "collection-spec/json-schema/collection.json",
	"Catalog":    core + "catalog-spec/json-schema/catalog.json",
}

// Available tells whether the schemas are there, so that a test can say that it was skipped.
func Available() bool { return load() != nil }

// Validate fails t for each way in which data, a Catalog, Collection, Item or FeatureCollection of Items, breaks the STAC
// schemas or those of the extensions that it names. An extension without a schema here fails it too. Where the schemas
// are not there it checks nothing.
func Validate(t testing.TB, data []byte) {
	t.Helper()
	if s := load(); s != nil {
		for _, err := range s.check(data) {
			t.Errorf("%v\nin %s", err, clip(data))
		}
	}
}

// ValidateLine is Validate for an Item's line, which has no links yet: the schema wants one to the Collection.
func ValidateLine(t testing.TB, line []byte) {
	t.Helper()
	Validate(t, stac.WithLinks(line, []stac.Link{{Href: "../collection.json", Rel: "collection", Type: stac.TypeJSON}}))
}

func clip(b []byte) []byte { return b[:min(len(b), 2000)] }

type schemas struct {
	mu       sync.Mutex
	compiler *jsonschema.Compiler
	dir      string
	index    map[string]string // URL → file
}

// load finds and indexes the schemas, once; nil where they are not there.
var load = sync.OnceValue(func() *schemas {
	dir, ok := sharedtest.Dir("schemas")
	if !ok {
		return nil
	}
	data, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		panic(err)
	}
	s := &schemas{dir: dir, compiler: jsonschema.NewCompiler()}
	if err := json.Unmarshal(data, &s.index); err != nil {
		panic(err)
	}
	s.compiler.UseLoader(s)
	s.compiler.UseRegexpEngine(compileRegexp)
	s.compiler.AssertFormat()
	return s
})

// Load implements jsonschema.URLLoader; nothing is ever fetched.
func (s *schemas) Load(url string) (any, error) {
	file, ok := s.index[url]
	if !ok {
		return nil, fmt.Errorf("no schema here for %s", url)
	}
	f, err := os.Open(filepath.Join(s.dir, filepath.FromSlash(file)))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return jsonschema.UnmarshalJSON(f)
}

func (s *schemas) check(data []byte) []error {
	s.mu.Lock() // the compiler is not safe for concurrent use
	defer s.mu.Unlock()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return []error{err}
	}
	return s.checkDoc(doc)
}

func (s *schemas) checkDoc(doc any) (errs []error) {
	obj, _ := doc.(map[string]any)
	kind, _ := obj["type"].(string)
	if kind == "FeatureCollection" {
		features, _ := obj["features"].([]any)
		for _, f := range features {
			errs = append(errs, s.checkDoc(f)...)
		}
		return errs
	}
	urls := []string{schemaOf[kind]}
	if urls[0] == "" {
		return []error{fmt.Errorf("type %q is none of STAC's", kind)}
	}
	extensions, _ := obj["stac_extensions"].([]any)
	for _, e := range extensions {
		urls = append(urls, fmt.Sprint(e))
	}
	for _, url := range urls {
		schema, err := s.compiler.Compile(url)
		if err == nil {
			err = schema.Validate(doc)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %v: %w", kind, obj["id"], err))
		}
	}
	return errs
}

// notPrefix is the one use of a look-ahead in these schemas, which Go's regular expressions do not have.
var notPrefix = regexp.MustCompile(`^\^\(\?!([a-z:]+)\)$`)

type without string

func (w without) MatchString(s string) bool { return !strings.HasPrefix(s, string(w)) }
func (w without) String() string            { return "^(?!" + string(w) + ")" }

func compileRegexp(s string) (jsonschema.Regexp, error) {
	if m := notPrefix.FindStringSubmatch(s); m != nil {
		return without(m[1]), nil
	}
	return regexp.Compile(s)
}
