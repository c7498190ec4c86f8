// Command api answers whatever is asked over HTTP but to start a refresh and for its status: the STAC API, the history of Runs, and
// the wish to cancel one.
package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/cairn-stac/cairn/internal/cloud"
	"github.com/cairn-stac/cairn/internal/cloud/buckets"
	"github.com/cairn-stac/cairn/internal/cloud/web"
	"github.com/cairn-stac/cairn/internal/sfnflow"
)

func main() { cloud.Main(handler, cloud.Catalog, cloud.Table, cloud.StateMachine) }

func handler(ctx context.Context, e *cloud.Env) (any, error) {
	catalog, err := buckets.Catalog(ctx, e)
	if err != nil {
		return nil, err
	}
	desk := web.Canceller{Desk: e.Desk(sfnflow.New(sfn.NewFromConfig(e.AWS), e.StateMachine), nil)}
	return web.API(e, desk, catalog).Handle, nil
}
