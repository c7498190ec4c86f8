// Package web makes the handlers of the HTTP API of functions on AWS.
package web

import (
	"context"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/cairn-stac/cairn/internal/cloud"
	"github.com/cairn-stac/cairn/internal/httpapi"
	"github.com/cairn-stac/cairn/internal/lambdafn"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// headAge is how long what Head said is believed, so that a request does not always cost a read of it.
const headAge = time.Second

// API answers the whole HTTP API by a Desk and a Catalog.
func API(e *cloud.Env, desk httpapi.Desk, catalog objstore.Reader) *lambdafn.Gateway {
	return &lambdafn.Gateway{BasePath: e.BasePath, Log: e.Log, Handler: func(base string) http.Handler {
		return handler(e, base, desk, catalog)
	}}
}

// Only answers the requests of one method at one path, and finds nothing at any other, however the gateway routes. They are such
// as read nothing of the Catalog.
func Only(e *cloud.Env, desk httpapi.Desk, method, path string) *lambdafn.Gateway {
	return &lambdafn.Gateway{BasePath: e.BasePath, Log: e.Log, Handler: func(base string) http.Handler {
		return lambdafn.Only(method+" "+base+path, handler(e, base, desk, nil))
	}}
}

func handler(e *cloud.Env, base string, desk httpapi.Desk, catalog objstore.Reader) http.Handler {
	return httpapi.New(httpapi.Options{
		Desk: desk, Snapshots: httpapi.NewSnapshots(catalog, headAge, e.Log), CORSRefresh: e.CORS, BasePath: base,
		MaxAnswer: lambdafn.MaxAnswer, Manages: lambdafn.Proven, Version: version(), Log: e.Log,
	})
}

// A Canceller cancels Runs and tells of them, but starts none: that is another function's part, which has the right to.
type Canceller struct{ *refresh.Desk }

// Start implements httpapi.Desk. It refuses.
func (Canceller) Start(context.Context, refresh.Request) (refresh.Answer, error) {
	return refresh.Answer{}, &refresh.RefusedError{Reason: "this function starts no refresh"}
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return ""
}
