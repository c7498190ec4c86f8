package cloudtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// A Poller gives a Queue's messages to its function, as an event source mapping does that reports failures one by one. Messages
// that come within Window go together.
type Poller struct {
	Queue  Queue
	Engine string // URL
	Lambda *Lambda
	Window time.Duration
	Log    *slog.Logger
}

// received are messages as SQS gives them.
type received struct {
	Messages []struct {
		MessageID     string `json:"MessageId"`
		ReceiptHandle string
		Body          string
		MD5OfBody     string
		Attributes    map[string]string
	}
}

// Run polls until ctx ends.
func (p *Poller) Run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := p.batch(ctx); err != nil && ctx.Err() == nil {
			p.Log.Error("queue", "error", err)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// batch waits for a message, takes what comes within the window, and hands it over.
func (p *Poller) batch(ctx context.Context) error {
	var batch []events.SQSMessage
	var until time.Time
	for len(batch) < p.Queue.Batch {
		var in received
		if err := p.call(ctx, "ReceiveMessage", map[string]any{"MaxNumberOfMessages": 10, "AttributeNames": []string{"All"}}, &in); err != nil {
			return err
		}
		for _, m := range in.Messages {
			batch = append(batch, events.SQSMessage{
				MessageId: m.MessageID, ReceiptHandle: m.ReceiptHandle, Body: m.Body, Md5OfBody: m.MD5OfBody, Attributes: m.Attributes,
				EventSource: "aws:sqs", EventSourceARN: p.Queue.ARN, AWSRegion: region,
			})
		}
		switch {
		case len(in.Messages) > 0:
			if until.IsZero() {
				until = time.Now().Add(p.Window)
			}
			continue
		case len(batch) == 0:
			return nil
		case time.Now().After(until):
			return p.deliver(ctx, batch)
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return p.deliver(ctx, batch)
}

// deliver invokes the function with a batch and deletes what it does not report as failed.
func (p *Poller) deliver(ctx context.Context, batch []events.SQSMessage) error {
	payload, err := json.Marshal(events.SQSEvent{Records: batch})
	if err != nil {
		return err
	}
	r, err := p.Lambda.Invoke(ctx, p.Queue.Function, payload)
	if err != nil || r.Error != "" {
		return fmt.Errorf("deliver %d messages: %s: %w", len(batch), r.Payload, err)
	}
	var out events.SQSEventResponse
	if err := json.Unmarshal(r.Payload, &out); err != nil {
		return fmt.Errorf("answer to %d messages: %s: %w", len(batch), r.Payload, err)
	}
	failed := map[string]bool{}
	for _, f := range out.BatchItemFailures {
		failed[f.ItemIdentifier] = true
	}
	for _, m := range batch {
		if failed[m.MessageId] {
			continue
		}
		if err := p.call(ctx, "DeleteMessage", map[string]any{"ReceiptHandle": m.ReceiptHandle}, nil); err != nil {
			return err
		}
	}
	return nil
}

// call sends a request to SQS about the queue.
func (p *Poller) call(ctx context.Context, op string, in map[string]any, out any) error {
	in["QueueUrl"] = p.Queue.URL
	return call(ctx, p.Engine, "sqs", "AmazonSQS."+op, in, out)
}

// call sends a request to a service of the engine that speaks JSON.
func call(ctx context.Context, engine, service, target string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, engine, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", target)
	// The engine looks at the service only.
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=engine/20260101/"+region+"/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("%s: %w", target, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %.500s: %w", target, resp.Status, answer, err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s: %.500s: %w", target, answer, err)
	}
	return nil
}
