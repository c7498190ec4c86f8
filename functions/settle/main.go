// Command settle ends Runs: for the workflow, for executions that ended without getting there, and, by the clock, for what neither
// tells of.
package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/cairn-stac/cairn/internal/cloud"
	"github.com/cairn-stac/cairn/internal/cloud/buckets"
	"github.com/cairn-stac/cairn/internal/lambdafn"
	"github.com/cairn-stac/cairn/internal/sfnflow"
)

func main() { cloud.Main(handler, cloud.Catalog, cloud.Table, cloud.StateMachine) }

func handler(ctx context.Context, e *cloud.Env) (any, error) {
	catalog, err := buckets.Catalog(ctx, e)
	if err != nil {
		return nil, err
	}
	desk := e.Desk(sfnflow.New(sfn.NewFromConfig(e.AWS), e.StateMachine), catalog)
	return (&lambdafn.Settle{Desk: desk, Log: e.Log}).Handle, nil
}
