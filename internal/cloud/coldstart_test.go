package cloud_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/cloud/envtest"
)

// A runtime is the API by which Lambda's Go runtime asks for events, for one event
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).
type runtime struct {
	event          string
	given          atomic.Bool
	asked, answers chan time.Time
}

func (r *runtime) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method == "GET" { // …/invocation/next
		r.asked <- time.Now()
		if r.given.Swap(true) {
			<-req.Context().Done() // there is no second event
			return
		}
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "8f507cfc-1")
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(time.Minute).UnixMilli(), 10))
		_, _ = io.WriteString(w, r.event)
		return
	}
	_, _ = io.Copy(io.Discard, req.Body) // …/response or …/error
	r.answers <- time.Now()
	w.WriteHeader(http.StatusAccepted)
}

// BenchmarkColdStart starts the functions as Lambda does, and measures from exec until they ask for the first event, and until they have
// answered it, with all services on this machine. Run it with -benchtime 20x.
func BenchmarkColdStart(b *testing.B) {
	envtest.New(b)
	run := `{"run_id":"01JBZ5Q5C4X8T9W0V1K2M3N4P5","shard":"000000-ab"}`
	for _, f := range []struct{ name, event string }{
		{"start", envtest.Request("POST", "/refresh", "")}, {"status", envtest.Request("GET", "/refresh/status", "")},
		{"api", envtest.Request("GET", "/", "")}, {"plan", run}, {"scan", run}, {"publish", run}, {"settle", `{"cairn":"reap"}`},
	} {
		b.Run(f.name, func(b *testing.B) {
			bootstrap := filepath.Join(b.TempDir(), "bootstrap")
			build := exec.Command("go", "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags", "-s -w", "-o", bootstrap, "../../functions/"+f.name)
			build.Env = append(os.Environ(), "CGO_ENABLED=0")
			if out, err := build.CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
			var ready, answered time.Duration
			for b.Loop() {
				r, a, err := coldStart(bootstrap, f.event)
				if err != nil {
					b.Fatal(err)
				}
				ready, answered = ready+r, answered+a
			}
			ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(b.N) }
			b.ReportMetric(ms(ready), "ms/ready")
			b.ReportMetric(ms(answered), "ms/answer")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func coldStart(bootstrap, event string) (ready, answered time.Duration, err error) {
	r := &runtime{event: event, asked: make(chan time.Time, 8), answers: make(chan time.Time, 8)}
	server := httptest.NewServer(r)
	defer server.Close()
	cmd := exec.Command(bootstrap)
	cmd.Env = append(os.Environ(), "AWS_LAMBDA_RUNTIME_API="+server.Listener.Addr().String(), "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512")
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		server.CloseClientConnections()
	}()
	for answered == 0 {
		select {
		case at := <-r.asked:
			if ready == 0 {
				ready = at.Sub(begun)
			}
		case at := <-r.answers:
			answered = at.Sub(begun)
		case <-time.After(30 * time.Second):
			return 0, 0, fmt.Errorf("%s did not answer within 30 s", bootstrap)
		}
	}
	return ready, answered, nil
}
