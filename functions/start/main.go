// Command start asks for Runs: for POST /refresh, for events of the Source, and for the clock.
package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/cairn-stac/cairn/internal/cloud"
	"github.com/cairn-stac/cairn/internal/cloud/buckets"
	"github.com/cairn-stac/cairn/internal/cloud/web"
	"github.com/cairn-stac/cairn/internal/lambdafn"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/sfnflow"
)

func main() { cloud.Main(handler, cloud.Source, cloud.Catalog, cloud.Table, cloud.StateMachine) }

func handler(ctx context.Context, e *cloud.Env) (any, error) {
	catalog, err := buckets.Catalog(ctx, e)
	if err != nil {
		return nil, err
	}
	_, about, err := buckets.Source(ctx, e)
	if err != nil {
		return nil, err
	}
	desk := e.Desk(sfnflow.New(sfn.NewFromConfig(e.AWS), e.StateMachine), catalog)
	start := &lambdafn.Start{
		HTTP: web.Only(e, desk, "POST", "/refresh"), Desk: desk, Config: refresh.ReadConfig(catalog),
		Bucket: e.Source.Bucket, Prefix: e.Source.Prefix, About: about, Log: e.Log,
	}
	return start.Handle, nil
}
