package sfnflow_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/cairn-stac/cairn/internal/objstate"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/refresh/refreshtest"
	"github.com/cairn-stac/cairn/internal/sfnflow"
	"github.com/cairn-stac/cairn/internal/sfnflow/sfntest"
)

func TestWorkflow(t *testing.T) {
	refreshtest.TestWorkflow(t, func(t *testing.T) refreshtest.Driver {
		server := sfntest.New(t)
		return refreshtest.Driver{
			Workflow: sfnflow.New(server.Client(), sfntest.StateMachine), State: objstate.New(memstore.New(), time.Now), Now: time.Now,
			Begun: func() int { return len(server.Executions()) },
			End:   func(run string) { server.End(run, types.ExecutionStatusSucceeded, "", "") },
		}
	})
}
