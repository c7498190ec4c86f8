package deployment_test

import (
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"github.com/cairn-stac/cairn/internal/deployment"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

var alps = deployment.Deployment{Table: "alps-Table-1ABC", Region: "eu-central-1", Catalog: "s3://alps-catalog"}

func body(t *testing.T, s objstore.Reader) string {
	t.Helper()
	b, _, err := s.Get(t.Context(), deployment.Key, 0, -1, "")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What is written is what is read, and costs are counted: a read and a write the first time and for a change, then a read.
func TestEnsure(t *testing.T) {
	s := faultstore.New(memstore.New())
	if _, err := deployment.Read(t.Context(), s); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Read of none: %v; want fs.ErrNotExist", err)
	}
	other := deployment.Deployment{Table: "alps2", Region: "us-gov-west-1"}
	for i, c := range []struct {
		d      deployment.Deployment
		writes int
		text   string
	}{
		{alps, 1, `{"format":1,"table":"alps-Table-1ABC","region":"eu-central-1","catalog":"s3://alps-catalog"}` + "\n"},
		{alps, 0, `{"format":1,"table":"alps-Table-1ABC","region":"eu-central-1","catalog":"s3://alps-catalog"}` + "\n"},
		{other, 1, `{"format":1,"table":"alps2","region":"us-gov-west-1"}` + "\n"},
		{other, 0, `{"format":1,"table":"alps2","region":"us-gov-west-1"}` + "\n"},
	} {
		gets, puts := s.Count(faultstore.Match{Op: faultstore.Get}), s.Count(faultstore.Match{Op: faultstore.Put})
		if err := deployment.Ensure(t.Context(), s, c.d); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		gets, puts = s.Count(faultstore.Match{Op: faultstore.Get})-gets, s.Count(faultstore.Match{Op: faultstore.Put})-puts
		if gets != 1 || puts != c.writes {
			t.Errorf("%d: %d reads and %d writes; want 1 and %d", i, gets, puts, c.writes)
		}
		if got := body(t, s); got != c.text {
			t.Errorf("%d: it is %s; want %s", i, got, c.text)
		}
		if got, err := deployment.Read(t.Context(), s); err != nil || got != c.d {
			t.Errorf("%d: Read = %+v, %v; want %+v", i, got, err, c.d)
		}
	}
}

// However a call of Ensure fails, cairn.json is afterwards the old one or the new one, and asking again makes it the new one.
func TestEnsureFaults(t *testing.T) {
	old := deployment.Deployment{Table: "old", Region: "eu-west-1"}
	for _, first := range []bool{true, false} {
		faultstore.Sweep(t, faultstore.Match{}, func(t *testing.T, arm func(*faultstore.Store)) {
			kept := memstore.New()
			if !first {
				if err := deployment.Ensure(t.Context(), kept, old); err != nil {
					t.Fatal(err)
				}
			}
			s := faultstore.New(kept)
			arm(s)
			err := deployment.Ensure(t.Context(), s, alps)
			got, rerr := deployment.Read(t.Context(), kept)
			switch {
			case rerr == nil && got == alps, err != nil && rerr == nil && got == old, err != nil && first && errors.Is(rerr, fs.ErrNotExist):
			default:
				t.Errorf("it is %+v, %v after %v", got, rerr, err)
			}
			if err := deployment.Ensure(t.Context(), kept, alps); err != nil {
				t.Errorf("asked again: %v", err)
			}
			if got, err := deployment.Read(t.Context(), kept); err != nil || got != alps {
				t.Errorf("asked again it is %+v, %v", got, err)
			}
		})
	}
}

// Of many that write at once each ends well, and one of what they wanted is there.
func TestEnsureAtOnce(t *testing.T) {
	s := memstore.New()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := deployment.Ensure(t.Context(), s, alps); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got, err := deployment.Read(t.Context(), s); err != nil || got != alps {
		t.Errorf("it is %+v, %v", got, err)
	}
}

// Whatever is in a cairn.json, it is read as what it means or refused in a sentence, and Ensure leaves what it does not know.
func TestUnusable(t *testing.T) {
	long := `{"format":1,"table":"alps","region":"eu-central-1","more":"` + strings.Repeat("x", 5000) + `"}`
	for name, c := range map[string]struct {
		text  string
		want  string
		newer bool
	}{
		"empty":            {"", "decode", false},
		"no JSON":          {"<html>", "decode", false},
		"an array":         {"[]", "decode", false},
		"two values":       {`{"format":1,"table":"alps","region":"eu-central-1"}{}`, "decode", false},
		"no format":        {`{"table":"alps","region":"eu-central-1"}`, "format 0", false},
		"newer":            {`{"format":2,"table":["alps"]}`, "format 2", true},
		"no table":         {`{"format":1,"region":"eu-central-1"}`, "table", false},
		"no region":        {`{"format":1,"table":"alps"}`, "region", false},
		"an ARN":           {`{"format":1,"table":"arn:aws:dynamodb:eu-central-1:1:table/alps","region":"eu-central-1"}`, "table", false},
		"a host":           {`{"format":1,"table":"alps","region":"evil.example/eu-central-1"}`, "region", false},
		"a port":           {`{"format":1,"table":"alps","region":"eu-central-1:80"}`, "region", false},
		"a user":           {`{"format":1,"table":"alps","region":"a@evil-1"}`, "region", false},
		"a line":           {`{"format":1,"table":"alps","region":"eu-central-1\n"}`, "region", false},
		"an endless name":  {`{"format":1,"table":"alps","region":"eu-` + strings.Repeat("1", 100) + `"}`, "region", false},
		"an endless table": {`{"format":1,"table":"` + strings.Repeat("1", 256) + `","region":"eu-central-1"}`, "table", false},
		"too long":         {long, "longer than 4096 bytes", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := memstore.New()
			if _, err := s.Put(t.Context(), deployment.Key, []byte(c.text), objstore.PutOptions{}); err != nil {
				t.Fatal(err)
			}
			_, err := deployment.Read(t.Context(), s)
			ensured := deployment.Ensure(t.Context(), s, alps)
			for _, err := range []error{err, ensured} {
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "cairn.json") || len(err.Error()) > 300 {
					t.Errorf("%v; want a sentence with %q", err, c.want)
				}
				if errors.Is(err, refresh.ErrNewerFormat) != c.newer || errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%v is of the wrong kind", err)
				}
			}
			if got := body(t, s); got != c.text {
				t.Errorf("it became %q", got)
			}
		})
	}
	for _, d := range []deployment.Deployment{{Table: "a", Region: "eu-central-1"}, {Table: "alps", Region: "Central Europe"}} {
		if err := deployment.Ensure(t.Context(), memstore.New(), d); err == nil {
			t.Errorf("Ensure of %+v: no error", d)
		}
	}
}

// What this cairn does not know of the same format changes nothing.
func TestMoreMembers(t *testing.T) {
	s := memstore.New()
	text := `{"format":1,"table":"alps","region":"eu-central-1","later":{"a":1}}`
	if _, err := s.Put(t.Context(), deployment.Key, []byte(text), objstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	want := deployment.Deployment{Table: "alps", Region: "eu-central-1"}
	if got, err := deployment.Read(t.Context(), s); err != nil || got != want {
		t.Errorf("Read = %+v, %v; want %+v", got, err, want)
	}
	if err := deployment.Ensure(t.Context(), s, want); err != nil || body(t, s) != text {
		t.Errorf("Ensure: %v, and it is %s", err, body(t, s))
	}
}
