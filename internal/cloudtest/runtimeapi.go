package cloudtest

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

// runtimeAPI is Lambda's Runtime API, where each environment has a path of its own.
func (l *Lambda) runtimeAPI() http.Handler {
	const api = "/env/{env}/2018-06-01/runtime/"
	mux := http.NewServeMux()
	handle := func(pattern string, f func(e *environment, w http.ResponseWriter, r *http.Request)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			l.mu.Lock()
			e := l.envs[r.PathValue("env")]
			l.mu.Unlock()
			if e == nil {
				http.Error(w, "no such environment", http.StatusForbidden)
				return
			}
			f(e, w, r)
		})
	}
	handle("GET "+api+"invocation/next", l.next)
	handle("POST "+api+"invocation/{id}/response", func(e *environment, w http.ResponseWriter, r *http.Request) {
		body, ok := e.read(w, r)
		if !ok {
			return
		}
		if len(body) > maxPayload {
			e.answer(w, r, Result{"Unhandled", errorPayload("Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (6291556 bytes).")})
			return
		}
		e.answer(w, r, Result{Payload: body})
	})
	handle("POST "+api+"invocation/{id}/error", func(e *environment, w http.ResponseWriter, r *http.Request) {
		if body, ok := e.read(w, r); ok {
			e.answer(w, r, Result{"Unhandled", body})
		}
	})
	handle("POST "+api+"init/error", func(e *environment, w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		l.log.Error("environment cannot start", "function", e.function, "error", string(body))
		w.WriteHeader(http.StatusAccepted)
	})
	return mux
}

// next hands out the environment's next event. The request waits as long as there is none.
func (l *Lambda) next(e *environment, w http.ResponseWriter, r *http.Request) {
	e.first.Do(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		e.ready = time.Now()
	})
	select {
	case e.asked <- struct{}{}:
	default:
	}
	select {
	case inv := <-e.work:
		e.mu.Lock()
		e.current = inv
		e.mu.Unlock()
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
		h.Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(inv.deadline.UnixMilli()))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", l.stack.Functions[e.function].ARN)
		h.Set("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1")
		w.Write(inv.payload)
	case <-e.exited:
	case <-r.Context().Done():
	}
}

// read reads an answer, up to what shows that it is too large.
func (e *environment) read(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxPayload+1))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return nil, false
	}
	return body, true
}

// answer gives a Result to the invocation that the environment works on.
func (e *environment) answer(w http.ResponseWriter, r *http.Request, result Result) {
	e.mu.Lock()
	inv := e.current
	e.mu.Unlock()
	if inv == nil || inv.id != r.PathValue("id") {
		http.Error(w, "not the current request", http.StatusBadRequest)
		return
	}
	inv.answer(result)
	w.WriteHeader(http.StatusAccepted)
}
