package main

import (
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/cloud"
	"github.com/cairn-stac/cairn/internal/cloud/envtest"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/sfnflow/sfntest"
)

// Each of what settle is called with, on a Run that nobody drives.
func TestSettle(t *testing.T) {
	for name, c := range map[string]struct{ event, answer, message string }{
		"the workflow": {`{"run_id":"` + envtest.Run + `","error":{"Error":"States.Timeout","Cause":""}}`,
			`{"run_id":"` + envtest.Run + `","state":"failed"}`, "a step took longer than it may"},
		"an event with null input": {`{"version":"0","source":"aws.states","detail-type":"Step Functions Execution Status Change","detail":{"name":"` +
			envtest.Run + `","status":"ABORTED","input":null,"inputDetails":null,"output":null,"error":null,"cause":null}}`, "null", "stopped by hand"},
	} {
		t.Run(name, func(t *testing.T) {
			s := envtest.New(t)
			state := s.Grant(t, refresh.Scope{})
			settle := s.Function(t, handler, cloud.Catalog, cloud.Table, cloud.StateMachine)
			for range 2 {
				if got := settle.Must(t, c.event); got != c.answer {
					t.Errorf("answer %s, want %s", got, c.answer)
				}
			}
			control, _, err := state.Load(t.Context())
			if err != nil || control.Lease != nil {
				t.Errorf("lease %+v, %v; want none", control.Lease, err)
			}
			if r, err := state.Run(t.Context(), envtest.Run); err != nil || r.State != refresh.Failed || !strings.Contains(r.Error.Message, c.message) {
				t.Errorf("run %+v, %v", r, err)
			}
		})
	}
	t.Run("the reaper", func(t *testing.T) {
		s := envtest.New(t)
		s.Grant(t, refresh.Scope{})
		settle := s.Function(t, handler, cloud.Catalog, cloud.Table, cloud.StateMachine)
		settle.Must(t, `{"cairn":"reap"}`)
		if n := s.Machine.Count(sfntest.Start); n != 1 || s.Machine.Executions()[0].Name != envtest.Run {
			t.Errorf("%d executions started, want that of the run", n)
		}
	})
}
