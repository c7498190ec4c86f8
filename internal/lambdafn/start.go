package lambdafn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// A Starter starts Runs. A *refresh.Desk is one, and its contract is there.
type Starter interface {
	Start(ctx context.Context, r refresh.Request) (refresh.Answer, error)
}

// Start asks for Runs: for whoever calls the API, for what the Source's events tell, and for the clock.
type Start struct {
	HTTP *Gateway // answers POST /refresh
	Desk Starter
	// Bucket and Prefix of the Source, and how it is called in Items.
	Bucket, Prefix string
	About          item.Source
	// Config reads the Catalog's cairn.yaml; nil bytes where there is none.
	Config func(context.Context) ([]byte, error)
	Log    *slog.Logger
}

// A message of the queue.
type message struct {
	ID     string `json:"messageId"`
	Source string `json:"eventSource"`
	Body   string `json:"body"`
}

// A BatchResponse tells the queue which messages of a batch are to come again; the others are done with
// (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).
type BatchResponse struct {
	Failures []ItemFailure `json:"batchItemFailures"`
}

// An ItemFailure names a message.
type ItemFailure struct {
	ID string `json:"itemIdentifier"`
}

// Handle takes a request of the HTTP API, a batch of the queue, or {"cairn":"schedule"}, and answers each in its way: with a
// Response, a BatchResponse, or a refresh.Answer.
func (s *Start) Handle(ctx context.Context, raw json.RawMessage) (any, error) {
	var e struct {
		Cairn   string          `json:"cairn"`
		Context json.RawMessage `json:"requestContext"`
		Records []message       `json:"Records"`
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, fmt.Errorf("decode event: %w", err)
	}
	switch {
	case e.Cairn == "schedule":
		return s.start(ctx, refresh.Scope{}, "everything") // what events missed, too
	case e.Context != nil:
		return s.HTTP.Handle(ctx, raw)
	case len(e.Records) > 0 && e.Records[0].Source == "aws:sqs":
		return s.batch(ctx, e.Records), nil
	}
	return nil, errors.New(`event is none of an HTTP API (payload format 2.0), of a queue, and {"cairn":"schedule"}`)
}

// batch starts one Run for all that a batch tells of.
func (s *Start) batch(ctx context.Context, messages []message) BatchResponse {
	out := BatchResponse{Failures: []ItemFailure{}}
	fail := func(m message) { out.Failures = append(out.Failures, ItemFailure{m.ID}) }
	var keys []string
	var ours []message
	for _, m := range messages {
		e, err := parseSourceEvent(m.Body)
		if err != nil { // comes again until it is a dead letter, for somebody to look at
			s.Log.ErrorContext(ctx, "message is no event of the source", "message_id", m.ID, "error", err)
			fail(m)
			continue
		}
		if key, ok := e.key(s.Bucket, s.Prefix); ok {
			keys, ours = append(keys, key), append(ours, m)
		}
	}
	started := time.Now()
	keys, err := s.counting(ctx, keys)
	if err == nil && len(keys) > 0 { // no keys would be all of the Source
		_, err = s.start(ctx, refresh.Scope{Keys: keys}, "events")
	}
	if err != nil {
		for _, m := range ours {
			fail(m)
		}
	}
	s.Log.InfoContext(ctx, "batch done", "messages", len(messages), "keys", len(keys), "failures", len(out.Failures), "error", err,
		"elapsed_seconds", time.Since(started).Seconds())
	return out
}

// counting are those of the keys that Items are made of. Where the config is broken that cannot be told and all count, so that a Run
// says what is wrong with it, and what the events told is not forgotten meanwhile.
func (s *Start) counting(ctx context.Context, keys []string) ([]string, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	raw, err := s.Config(ctx)
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	var rules *item.Rules
	cfg, err := config.Parse(raw)
	if err == nil {
		rules, err = item.New(cfg, s.About)
	}
	if err != nil {
		s.Log.WarnContext(ctx, "config is not good, so all keys count", "error", err)
		return keys, nil
	}
	var out []string
	for _, key := range keys {
		if rules.Kind(key) != item.Other {
			out = append(out, key)
		}
	}
	return out, nil
}

// start asks for a Run that joins the one that waits with what earlier events told, if any does.
func (s *Start) start(ctx context.Context, scope refresh.Scope, what string) (refresh.Answer, error) {
	started := time.Now()
	ans, err := s.Desk.Start(ctx, refresh.Request{Events: true, Scope: scope})
	if err != nil {
		s.Log.ErrorContext(ctx, "no refresh is started", "what", what, "error", err)
		return ans, err
	}
	s.Log.InfoContext(withRun(ctx, ans.Run), "refresh asked for", "what", what, "keys", len(scope.Keys), "answer", string(ans.Kind),
		"elapsed_seconds", time.Since(started).Seconds())
	return ans, nil
}
