// Command plan is the first step of a Run: it lists the Source and cuts what changed into Shards.
package main

import (
	"context"

	"github.com/cairn-stac/cairn/internal/cloud"
	"github.com/cairn-stac/cairn/internal/cloud/buckets"
	"github.com/cairn-stac/cairn/internal/deployment"
	"github.com/cairn-stac/cairn/internal/lambdafn"
	"github.com/cairn-stac/cairn/internal/localflow"
)

func main() { cloud.Main(handler, cloud.Source, cloud.Catalog, cloud.Table) }

func handler(ctx context.Context, e *cloud.Env) (any, error) {
	worker, err := buckets.NewWorker(ctx, e)
	if err != nil {
		return nil, err
	}
	here := deployment.Deployment{Table: e.Table, Region: e.AWS.Region, Catalog: e.Catalog.URL()}
	plan := &lambdafn.Plan{
		Desk: e.Desk(localflow.Onlooker{}, nil), Worker: worker,
		Deployed: func(ctx context.Context) error { return deployment.Ensure(ctx, worker.Catalog, here) },
		Bucket:   e.Catalog.Bucket, Prefix: e.Catalog.Prefix, Concurrency: e.Scans, Log: e.Log,
	}
	return plan.Handle, nil
}
