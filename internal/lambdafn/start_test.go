package lambdafn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// s3Event is an event of S3 as it documents them for EventBridge.
func s3Event(kind, bucket, key string) string {
	quoted, err := json.Marshal(key)
	if err != nil {
		panic(err) // a string
	}
	more := map[string]string{
		"Object Created":               `"size":5,"etag":"b1946ac92492d2347c6235b4d2611184","version-id":"IYV3p45BT0ac8hjHg1houSdS1a.Mro8e","sequencer":"617f08299329d189"},"request-id":"N4N7GDK58NMKJ12R","requester":"123456789012","source-ip-address":"1.2.3.4","reason":"PutObject"`,
		"Object Deleted":               `"etag":"d41d8cd98f00b204e9800998ecf8427e","version-id":"1QW9g1Z99LUNbvaaYVpW9xDlOLU.qxgF","sequencer":"617f0837b476e463"},"request-id":"0BH729840619AG5K","requester":"123456789012","source-ip-address":"1.2.3.4","reason":"DeleteObject","deletion-type":"Delete Marker Created"`,
		"Object Restore Completed":     `"size":5,"etag":"b1946ac92492d2347c6235b4d2611184"},"request-id":"189F19CB7FB1B6A4","requester":"s3.amazonaws.com","restore-expiry-time":"2021-11-13T00:00:00Z","source-storage-class":"GLACIER"`,
		"Object Storage Class Changed": `"size":5,"etag":"b1946ac92492d2347c6235b4d2611184"},"request-id":"189F19CB7FB1B6A4","requester":"s3.amazonaws.com","destination-storage-class":"GLACIER"`,
	}[kind]
	if more == "" {
		more = `"etag":"b1946ac92492d2347c6235b4d2611184"},"request-id":"189F19CB7FB1B6A4","requester":"123456789012"`
	}
	return fmt.Sprintf(`{"version":"0","id":"17793124-05d4-b198-2fde-7ededc63b103","detail-type":%q,"source":"aws.s3","account":"123456789012",`+
		`"time":"2021-11-12T00:00:00Z","region":"ca-central-1","resources":["arn:aws:s3:::%s"],"detail":{"version":"0","bucket":{"name":%q},`+
		`"object":{"key":%s,%s}}`, kind, bucket, bucket, quoted, more)
}

// sqsBatch is a batch of messages with these bodies, named m0, m1, ….
func sqsBatch(bodies ...string) json.RawMessage {
	var records []map[string]any
	for i, body := range bodies {
		records = append(records, map[string]any{
			"messageId": fmt.Sprintf("m%d", i), "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...", "body": body,
			"attributes":        map[string]string{"ApproximateReceiveCount": "1", "SentTimestamp": "1545082649183", "SenderId": "AIDAIENQZJOLO23YVJ4VO", "ApproximateFirstReceiveTimestamp": "1545082649185"},
			"messageAttributes": map[string]any{}, "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3", "eventSource": "aws:sqs",
			"eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:events", "awsRegion": "us-east-2",
		})
	}
	raw, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		panic(err) // of strings
	}
	return raw
}

// A starter notes what was asked for.
type starter struct {
	asked  []refresh.Request
	answer refresh.Answer
	err    error
}

func (s *starter) Start(_ context.Context, r refresh.Request) (refresh.Answer, error) {
	s.asked = append(s.asked, r)
	return s.answer, s.err
}

// A configured Start for the Source s3://rasters/ortho/, and how often its config was read.
func newStart(config string) (*Start, *starter, *int) {
	desk, reads := &starter{answer: refresh.Answer{Kind: refresh.Queued, Run: runID}}, new(int)
	return &Start{
		Desk: desk, Bucket: "rasters", Prefix: "ortho/", About: item.Source{URL: "s3://rasters/ortho", HTTPS: "https://x", Name: "ortho"}, Log: quiet,
		HTTP: serving(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(202) }),
		Config: func(context.Context) ([]byte, error) {
			*reads++
			if config == "unreadable" {
				return nil, errors.New("connection reset")
			}
			return []byte(config), nil
		},
	}, desk, reads
}

const runID = "01JBZ5Q5C4X8T9W0V1K2M3N4P5"

func failures(t *testing.T, answer any, err error) []string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, f := range answer.(BatchResponse).Failures {
		out = append(out, f.ID)
	}
	if raw, _ := json.Marshal(answer); !strings.HasPrefix(string(raw), `{"batchItemFailures":[`) {
		t.Errorf("the queue is answered %s", raw)
	}
	return out
}

func TestStartTellsEventsApart(t *testing.T) {
	s, desk, _ := newStart("")
	if ans, err := s.Handle(t.Context(), json.RawMessage(`{"cairn":"schedule"}`)); err != nil || ans != desk.answer {
		t.Errorf("%v, %v", ans, err)
	}
	if want := []refresh.Request{{Events: true}}; !reflect.DeepEqual(desk.asked, want) {
		t.Errorf("the clock asks for %+v, want all of the source as an event does", desk.asked)
	}
	if ans, err := s.Handle(t.Context(), httpAPI(t, "POST", "/refresh", nil, nil)); err != nil || ans.(Response).Status != 202 {
		t.Errorf("%v, %v", ans, err)
	}
	desk.err = errors.New("table is gone")
	if _, err := s.Handle(t.Context(), json.RawMessage(`{"cairn":"schedule"}`)); !errors.Is(err, desk.err) {
		t.Errorf("error %v", err)
	}
	for _, raw := range []string{``, `null`, `{}`, `[]`, `{"cairn":"reap"}`, `{"Records":[]}`, `{"requestContext":{}}`,
		`{"Records":[{"eventSource":"aws:s3","s3":{}}]}`, s3Event("Object Created", "rasters", "ortho/a.tif"), `{"run_id":"` + runID + `"}`} {
		if ans, err := s.Handle(t.Context(), json.RawMessage(raw)); err == nil {
			t.Errorf("%s is answered with %v", raw, ans)
		}
	}
	if len(desk.asked) != 2 {
		t.Errorf("%d requests, want 2", len(desk.asked))
	}
}

func TestBatchIsOneRun(t *testing.T) {
	s, desk, reads := newStart("")
	answer, err := s.Handle(t.Context(), sqsBatch(
		s3Event("Object Created", "rasters", "ortho/north/a.tif"),
		s3Event("Object Deleted", "rasters", "ortho/north/b c+d%20é.TIFF"), // a key is no URL
		s3Event("Object Restore Completed", "rasters", "ortho/c.tif"),
		s3Event("Object Storage Class Changed", "rasters", "ortho/d.tif.aux.xml"),
		s3Event("Object Access Tier Changed", "rasters", "ortho/e.tif"),
		s3Event("Object Restore Expired", "rasters", "ortho/f.tif"),
		s3Event("Object Created", "rasters", "ortho/north/a.tif"), // again
	))
	if got := failures(t, answer, err); len(got) != 0 {
		t.Errorf("messages %v come again", got)
	}
	want := []refresh.Request{{Events: true, Scope: refresh.Scope{Keys: []string{
		"north/a.tif", "north/b c+d%20é.TIFF", "c.tif", "d.tif.aux.xml", "e.tif", "f.tif", "north/a.tif"}}}}
	if !reflect.DeepEqual(desk.asked, want) {
		t.Errorf("asked for %+v, want %+v", desk.asked, want)
	}
	if *reads != 1 {
		t.Errorf("the config is read %d times", *reads)
	}
}

// Above all, no keys must not become a Run of everything.
func TestEventsOfOtherThingsStartNothing(t *testing.T) {
	s, desk, reads := newStart("exclude: ['tmp/**']")
	answer, err := s.Handle(t.Context(), sqsBatch(
		s3Event("Object Created", "cairn-catalog", "head.json"),
		s3Event("Object Created", "cairn-catalog", "ortho/a.tif"),
		s3Event("Object Created", "rasters", "ortho"), s3Event("Object Created", "rasters", "ortho/"), s3Event("Object Created", "rasters", "orthos/a.tif"),
		s3Event("Object Created", "rasters", "other/a.tif"), s3Event("Object Created", "rasters", "a.tif"),
		s3Event("Object Tags Added", "rasters", "ortho/a.tif"), s3Event("Object Tags Deleted", "rasters", "ortho/a.tif"), s3Event("Object Restore Initiated", "rasters", "ortho/a.tif"),
	))
	if got := failures(t, answer, err); len(got) != 0 || *reads != 0 {
		t.Errorf("messages %v come again; the config is read %d times", got, *reads)
	}
	answer, err = s.Handle(t.Context(), sqsBatch(
		s3Event("Object Created", "rasters", "ortho/notes.txt"), s3Event("Object Created", "rasters", "ortho/tmp/a.tif"), s3Event("Object Created", "rasters", "ortho/folder/")))
	if got := failures(t, answer, err); len(got) != 0 {
		t.Errorf("messages %v come again", got)
	}
	if len(desk.asked) != 0 {
		t.Errorf("asked for %+v", desk.asked)
	}
}

func TestMessagesThatAreNoEventsFailAlone(t *testing.T) {
	s, desk, _ := newStart("")
	var log bytes.Buffer
	s.Log = NewLog(&log, slog.LevelInfo)
	answer, err := s.Handle(t.Context(), sqsBatch(
		`{"Service":"Amazon S3","Event":"s3:TestEvent"}`, s3Event("Object Created", "rasters", "ortho/a.tif"), `hello`, ``, `{"source":"aws.ec2","detail":{}}`,
		`{"source":"aws.s3","detail":{"bucket":{"name":"rasters"},"object":{"key":7}}}`, `{"source":"aws.s3","detail":{"bucket":{"name":"rasters"},"object":{}}}`,
		s3Event("Object Created", "cairn-catalog", "head.json")))
	if got := failures(t, answer, err); !reflect.DeepEqual(got, []string{"m0", "m2", "m3", "m4", "m5", "m6"}) {
		t.Errorf("messages %v come again", got)
	}
	if len(desk.asked) != 1 || !reflect.DeepEqual(desk.asked[0].Scope.Keys, []string{"a.tif"}) {
		t.Errorf("asked for %+v", desk.asked)
	}
	// CloudWatch shows the last of two members of one name: no other may be called as the sentence is.
	line, _, _ := strings.Cut(log.String(), "\n")
	if strings.Count(line, `"message":`) != 1 || !strings.Contains(line, `"message_id":"m0"`) {
		t.Errorf("the log says %s", line)
	}
}

func TestBatchComesAgainWhereNoRunIsStarted(t *testing.T) {
	for name, config := range map[string]string{"the desk fails": "", "the config cannot be read": "unreadable"} {
		s, desk, _ := newStart(config)
		desk.err = errors.New("table is gone")
		answer, err := s.Handle(t.Context(), sqsBatch(s3Event("Object Created", "rasters", "ortho/a.tif"), s3Event("Object Created", "cairn-catalog", "x"), `?`,
			s3Event("Object Deleted", "rasters", "ortho/b.tif")))
		if got := failures(t, answer, err); !reflect.DeepEqual(got, []string{"m2", "m0", "m3"}) {
			t.Errorf("%s: messages %v come again", name, got)
		}
	}
}

// A Run with a broken config says what is wrong with it; until then what the events told is kept.
func TestBrokenConfigLosesNoEvents(t *testing.T) {
	s, desk, _ := newStart("collections: [")
	answer, err := s.Handle(t.Context(), sqsBatch(s3Event("Object Created", "rasters", "ortho/a.xyz")))
	if got := failures(t, answer, err); len(got) != 0 || len(desk.asked) != 1 || !reflect.DeepEqual(desk.asked[0].Scope.Keys, []string{"a.xyz"}) {
		t.Errorf("failures %v, asked for %+v", got, desk.asked)
	}
}

func FuzzSourceEvent(f *testing.F) {
	for _, kind := range []string{"Object Created", "Object Deleted", "Object Restore Completed", "Object Storage Class Changed", "Object Tags Added"} {
		f.Add(s3Event(kind, "rasters", "ortho/a b.tif"))
	}
	f.Add(`{"source":"aws.s3","detail":{"bucket":{"name":"rasters"},"object":{"key":"ortho/../\u0000\ud800"}}}`)
	f.Fuzz(func(t *testing.T, body string) {
		e, err := parseSourceEvent(body)
		if err != nil {
			return
		}
		key, ok := e.key("rasters", "ortho/")
		if ok && (key == "" || "ortho/"+key != e.Detail.Object.Key || e.Detail.Bucket.Name != "rasters") {
			t.Errorf("%q gives %q", body, key)
		}
	})
}

// Whatever comes, a Run of everything is only what the clock asks for, and each message that comes again was in the batch.
func FuzzStartEvent(f *testing.F) {
	f.Add([]byte(sqsBatch(s3Event("Object Created", "rasters", "ortho/a.tif"), "x")))
	f.Add([]byte(httpAPI(f, "POST", "/refresh", nil, nil)))
	f.Add([]byte(`{"cairn":"schedule"}`))
	f.Add([]byte(`{"Records":[{"eventSource":"aws:sqs"}],"requestContext":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, desk, _ := newStart("")
		answer, err := s.Handle(context.Background(), raw)
		if b, ok := answer.(BatchResponse); ok && err == nil {
			for _, r := range desk.asked {
				if len(r.Scope.Keys) == 0 || !r.Events {
					t.Errorf("%s asks for %+v", raw, r)
				}
			}
			for _, failure := range b.Failures {
				if id, _ := json.Marshal(failure.ID); failure.ID != "" && !strings.Contains(string(raw), strings.Trim(string(id), `"`)) && !strings.ContainsAny(string(raw), `\�`) && isASCII(raw) {
					t.Errorf("%s fails %s", raw, id)
				}
			}
		}
	})
}

func isASCII(raw []byte) bool {
	for _, c := range raw {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
