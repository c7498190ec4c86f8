package localflow_test

import (
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/refresh/refreshtest"
)

func TestWorkflow(t *testing.T) {
	refreshtest.TestWorkflow(t, func(t *testing.T) refreshtest.Driver {
		e := start(t, source(t, 1), memstore.New(), t.TempDir())
		gate := faultstore.NewGate()
		t.Cleanup(gate.Release)
		listing := faultstore.Match{Op: faultstore.List}
		e.source.Set(listing, faultstore.Fault{Gate: gate})
		return refreshtest.Driver{
			Workflow: e.flow, State: e.desk.State, Now: time.Now,
			Begun: func() int { return e.source.Count(listing) },
			End:   func(run string) { gate.Release(); <-e.flow.Ended(run) },
		}
	})
}
