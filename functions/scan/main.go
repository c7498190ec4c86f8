// Command scan is the step of a Run that reads the headers of one Shard's rasters.
package main

import (
	"context"

	"github.com/cairn-stac/cairn/internal/cloud"
	"github.com/cairn-stac/cairn/internal/cloud/buckets"
	"github.com/cairn-stac/cairn/internal/lambdafn"
)

func main() { cloud.Main(handler, cloud.Source, cloud.Catalog, cloud.Table) }

func handler(ctx context.Context, e *cloud.Env) (any, error) {
	worker, err := buckets.NewWorker(ctx, e)
	if err != nil {
		return nil, err
	}
	return (&lambdafn.Scan{Worker: worker, Log: e.Log}).Handle, nil
}
