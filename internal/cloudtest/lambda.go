package cloudtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Limits of Lambda, and what stands for longer waits of its own.
const (
	maxPayload   = 6 << 20 // of a synchronous request or answer
	maxEvent     = 1 << 20 // of an asynchronous request
	initTimeout  = 10 * time.Second
	concurrency  = 1000        // of the account
	asyncRetries = 2           // after a function's error
	asyncPause   = time.Second // a minute and more on AWS
)

// Lambda runs functions: each concurrent invocation has an environment of its own, a process of the function's bootstrap, which
// stays for the next one.
type Lambda struct {
	stack     *Stack
	bootstrap func(logical string) string
	extra     map[string]string
	logs      string // folder
	log       *slog.Logger
	lose      atomic.Bool
	api       net.Listener // the Runtime API
	server    http.Server
	ctx       context.Context
	stop      context.CancelFunc
	async     sync.WaitGroup

	mu          sync.Mutex
	envs        map[string]*environment
	invocations []Invocation
	starts      []Start
	givenUp     []Invocation
	ids         int
}

// An Invocation was answered.
type Invocation struct {
	Function string // logical id
	Payload  []byte
	Result   Result
	Took     time.Duration
	Cold     bool // it started its environment
}

// A Start of an environment.
type Start struct {
	Function string
	Next     time.Duration // from exec until it asked for its first event
	Answer   time.Duration // from exec until it had answered it
}

// A Result is what an invocation came to.
type Result struct {
	Error   string // "" or "Unhandled"
	Payload []byte
}

// NewLambda makes the functions of a stack ready to be invoked. bootstrap names the binary of each; extra is added to its
// environment variables, over what the template has. What they log goes to files in the folder logs.
func NewLambda(stack *Stack, bootstrap func(logical string) string, extra map[string]string, logs string, log *slog.Logger) (*Lambda, error) {
	api, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &Lambda{stack: stack, bootstrap: bootstrap, extra: extra, logs: logs, log: log, api: api, envs: map[string]*environment{}}
	l.ctx, l.stop = context.WithCancel(context.Background())
	l.server.Handler = l.runtimeAPI()
	go l.server.Serve(api)
	return l, nil
}

// Close ends all environments.
func (l *Lambda) Close() {
	l.stop()
	l.mu.Lock()
	envs := make([]*environment, 0, len(l.envs))
	for _, e := range l.envs {
		envs = append(envs, e)
	}
	l.mu.Unlock()
	for _, e := range envs {
		e.kill()
		<-e.exited
	}
	l.async.Wait()
	l.server.Close()
}

// Invocations are those that were answered, in that order.
func (l *Lambda) Invocations() []Invocation {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Invocation(nil), l.invocations...)
}

// Starts are the environments that were started and have answered an event.
func (l *Lambda) Starts() []Start {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Start(nil), l.starts...)
}

// GivenUp are the events that a function failed on each time, which AWS would put into its dead-letter queue.
func (l *Lambda) GivenUp() []Invocation {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Invocation(nil), l.givenUp...)
}

// Lose tells whether events are lost from now on, as happens to those that AWS sends but once. Other invocations are not.
func (l *Lambda) Lose(events bool) { l.lose.Store(events) }

// Kill ends the environments of a function that work on an invocation, as kill -9 does, and tells how many.
func (l *Lambda) Kill(logical string) int { return l.end(logical, true) }

// Cool ends the environments of a function that are idle, as Lambda does at will, and tells how many.
func (l *Lambda) Cool(logical string) int { return l.end(logical, false) }

func (l *Lambda) end(logical string, busy bool) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, e := range l.envs {
		if e.function == logical && e.busy == busy {
			e.kill()
			n++
			if !busy {
				delete(l.envs, e.id)
			}
		}
	}
	return n
}

// A refusal is an answer of Lambda itself.
type refusal struct {
	status int
	kind   string
	text   string
}

func (e *refusal) Error() string { return e.kind + ": " + e.text }

// Invoke invokes a function, by its logical id, name or ARN, and waits for what comes of it. An error is Lambda's own; what goes
// wrong in the function is in the Result.
func (l *Lambda) Invoke(ctx context.Context, function string, payload []byte) (Result, error) {
	logical := l.stack.Logical(function)
	switch {
	case logical == "":
		return Result{}, &refusal{http.StatusNotFound, "ResourceNotFoundException", "Function not found: " + function}
	case len(payload) > maxPayload:
		return Result{}, &refusal{http.StatusRequestEntityTooLarge, "RequestTooLargeException", fmt.Sprintf("%d bytes", len(payload))}
	}
	began := time.Now()
	e, cold, err := l.acquire(logical)
	if err != nil {
		return Result{}, err
	}
	inv := newInvocation(payload)
	r := e.run(ctx, inv, time.Duration(l.stack.Functions[logical].Timeout)*time.Second)
	l.release(e)
	took := time.Since(began)
	l.mu.Lock()
	defer l.mu.Unlock()
	if cold && r.Error == "" {
		l.starts = append(l.starts, Start{logical, e.ready.Sub(e.started), time.Since(e.started)})
	}
	l.invocations = append(l.invocations, Invocation{logical, payload, r, took, cold})
	l.log.Debug("invoked", "function", logical, "request", inv.id, "cold", cold, "took", took, "error", r.Error, "payload", clip(payload),
		"answer", clip(r.Payload))
	return r, nil
}

func clip(b []byte) string { return string(b[:min(len(b), 2000)]) }

// acquire takes an idle environment of a function, or starts one.
func (l *Lambda) acquire(logical string) (e *environment, cold bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	busy, all := 0, 0
	for _, e := range l.envs {
		if e.busy {
			all++
		}
		if e.function != logical {
			continue
		}
		if !e.busy {
			e.busy = true
			return e, false, nil
		}
		busy++
	}
	if reserved := l.stack.Functions[logical].Reserved; reserved != nil && busy >= *reserved || all >= concurrency {
		return nil, false, &refusal{http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded."}
	}
	if l.ctx.Err() != nil {
		return nil, false, &refusal{http.StatusInternalServerError, "ServiceException", "closed"}
	}
	l.ids++
	if e, err = l.start(logical, fmt.Sprint(l.ids)); err != nil {
		return nil, false, &refusal{http.StatusBadGateway, "InvalidRuntimeException", err.Error()}
	}
	e.busy = true
	l.envs[e.id] = e
	return e, true, nil
}

// release keeps an environment for the next invocation, unless it has ended.
func (l *Lambda) release(e *environment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.busy = false
	if e.dead() {
		delete(l.envs, e.id)
	}
}

// variables are the environment variables of a function's process.
func (l *Lambda) variables(logical, id string) []string {
	f := l.stack.Functions[logical]
	vars := map[string]string{
		"AWS_REGION": region, "AWS_DEFAULT_REGION": region,
		"AWS_LAMBDA_RUNTIME_API":          l.api.Addr().String() + "/env/" + id,
		"AWS_LAMBDA_FUNCTION_NAME":        f.Name,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": fmt.Sprint(f.Memory),
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + f.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      id,
		"AWS_EXECUTION_ENV":               "AWS_Lambda_provided.al2023",
		"AWS_SESSION_TOKEN":               logical, // whose role's policies hold
		"_HANDLER":                        "bootstrap",
		"LAMBDA_TASK_ROOT":                filepath.Dir(l.bootstrap(logical)),
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
		"TZ":                              ":UTC",
		"LANG":                            "en_US.UTF-8",
		"PATH":                            "/usr/local/bin:/usr/bin:/bin",
	}
	for _, more := range []map[string]string{f.Environment, l.extra} {
		for k, v := range more {
			vars[k] = v
		}
	}
	var list []string
	for k, v := range vars {
		list = append(list, k+"="+v)
	}
	return list
}

func (l *Lambda) logFile(logical, id string) (*os.File, error) {
	return os.OpenFile(filepath.Join(l.logs, logical+"-"+id+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
}

// ServeHTTP answers Lambda's Invoke.
func (l *Lambda) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, call, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), functionsPath), "/")
	w.Header().Set("X-Amzn-Requestid", requestID())
	name, err := url.PathUnescape(name)
	if err != nil || call != "invocations" || r.Method != http.MethodPost {
		l.refuse(w, &refusal{http.StatusNotFound, "ResourceNotFoundException", r.Method + " " + r.URL.Path})
		return
	}
	payload, err := io.ReadAll(io.LimitReader(r.Body, maxPayload+1))
	if err != nil {
		l.refuse(w, &refusal{http.StatusBadRequest, "InvalidRequestContentException", err.Error()})
		return
	}
	if r.Header.Get("X-Amz-Invocation-Type") == "Event" {
		if len(payload) > maxEvent {
			l.refuse(w, &refusal{http.StatusRequestEntityTooLarge, "RequestTooLargeException", fmt.Sprintf("%d bytes", len(payload))})
			return
		}
		if !l.lose.Load() {
			l.async.Go(func() { l.invokeLater(name, payload) })
		}
		w.WriteHeader(http.StatusAccepted)
		return
	}
	result, err := l.Invoke(r.Context(), name, payload)
	if err != nil {
		l.refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amz-Executed-Version", "$LATEST")
	if result.Error != "" {
		w.Header().Set("X-Amz-Function-Error", result.Error)
	}
	w.Write(result.Payload)
}

// invokeLater invokes as for an event: errors are tried again, in vain ones are logged.
func (l *Lambda) invokeLater(name string, payload []byte) {
	for try := 0; l.ctx.Err() == nil; try++ {
		r, err := l.Invoke(l.ctx, name, payload)
		if err == nil && r.Error == "" {
			return
		}
		if try == asyncRetries {
			l.log.Error("event given up", "function", name, "payload", clip(payload), "answer", clip(r.Payload), "error", err)
			l.mu.Lock()
			defer l.mu.Unlock()
			l.givenUp = append(l.givenUp, Invocation{Function: l.stack.Logical(name), Payload: payload, Result: r})
			return
		}
		select {
		case <-time.After(asyncPause):
		case <-l.ctx.Done():
		}
	}
}

func (l *Lambda) refuse(w http.ResponseWriter, err error) {
	no, ok := err.(*refusal)
	if !ok {
		no = &refusal{http.StatusInternalServerError, "ServiceException", err.Error()}
	}
	l.log.Warn("invocation refused", "error", no)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", no.kind)
	w.WriteHeader(no.status)
	json.NewEncoder(w).Encode(map[string]string{"message": no.text, "Type": "User"})
}

// errorPayload is what Lambda answers for an error of a function.
func errorPayload(kind, format string, args ...any) []byte {
	var b bytes.Buffer
	json.NewEncoder(&b).Encode(map[string]string{"errorType": kind, "errorMessage": fmt.Sprintf(format, args...)})
	return bytes.TrimSpace(b.Bytes())
}
