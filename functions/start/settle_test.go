package main

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/cloud/envtest"
	"github.com/cairn-stac/cairn/internal/dynamostate"
	"github.com/cairn-stac/cairn/internal/dynamostate/dynamotest"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/sfnflow"
	"github.com/cairn-stac/cairn/internal/sfnflow/sfntest"
)

// settle ends a Run that published nothing.
func settle(t *testing.T, s *envtest.Stack, run string) {
	t.Helper()
	desk := &refresh.Desk{State: dynamostate.New(dynamotest.Client(s.Table.URL), s.Table.Table, time.Now), Catalog: memstore.New(),
		Workflow: sfnflow.New(s.Machine.Client(), sfntest.StateMachine), TTL: time.Minute, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	if _, err := desk.Settle(context.Background(), run, 0, nil); err != nil {
		t.Fatal(err)
	}
}
