// Command status answers GET /refresh/status. It reads the table and has no means to do anything else.
package main

import (
	"context"

	"github.com/cairn-stac/cairn/internal/cloud"
	"github.com/cairn-stac/cairn/internal/cloud/web"
	"github.com/cairn-stac/cairn/internal/localflow"
)

func main() { cloud.Main(handler, cloud.Table) }

func handler(_ context.Context, e *cloud.Env) (any, error) {
	desk := web.Canceller{Desk: e.Desk(localflow.Onlooker{}, nil)}
	return web.Only(e, desk, "GET", "/refresh/status").Handle, nil
}
