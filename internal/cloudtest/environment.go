package cloudtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os/exec"
	"sync"
	"time"
)

// An environment is a process of a function. It works on one invocation at a time.
type environment struct {
	id       string
	function string // logical id
	cmd      *exec.Cmd
	started  time.Time
	ready    time.Time // it asked for its first event
	first    sync.Once
	asked    chan struct{}    // holds one while it asks for an event
	work     chan *invocation // what it is to work on next
	exited   chan struct{}    // closed when the process has ended
	exit     error            // how, once exited
	busy     bool             // guarded by Lambda.mu

	mu      sync.Mutex
	current *invocation
}

// An invocation is one event and what comes of it.
type invocation struct {
	id       string
	payload  []byte
	deadline time.Time
	answered chan Result // of one
	once     sync.Once
}

func newInvocation(payload []byte) *invocation {
	return &invocation{id: requestID(), payload: payload, answered: make(chan Result, 1)}
}

// answer gives the invocation its Result, unless it has one.
func (i *invocation) answer(r Result) { i.once.Do(func() { i.answered <- r }) }

func requestID() string {
	var b [16]byte
	rand.Read(b[:])
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// start starts a process of a function's bootstrap.
func (l *Lambda) start(logical, id string) (*environment, error) {
	out, err := l.logFile(logical, id)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	e := &environment{id: id, function: logical, asked: make(chan struct{}, 1), work: make(chan *invocation), exited: make(chan struct{})}
	e.cmd = exec.Command(l.bootstrap(logical))
	e.cmd.Env = l.variables(logical, id)
	e.cmd.Stdout, e.cmd.Stderr = out, out
	e.started = time.Now()
	if err := e.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		e.exit = e.cmd.Wait()
		close(e.exited)
		l.mu.Lock()
		defer l.mu.Unlock()
		if !e.busy {
			delete(l.envs, e.id)
		}
	}()
	return e, nil
}

func (e *environment) kill() { e.cmd.Process.Kill() }

func (e *environment) dead() bool {
	select {
	case <-e.exited:
		return true
	default:
		return false
	}
}

// run lets the environment work on an invocation. Who takes longer than timeout is killed, and who exits has failed.
func (e *environment) run(ctx context.Context, inv *invocation, timeout time.Duration) Result {
	began := time.Now()
	failed := func(kind, format string, args ...any) Result {
		text := fmt.Sprintf(format, args...)
		return Result{Error: "Unhandled", Payload: errorPayload(kind, "RequestId: %s Error: %s", inv.id, text)}
	}
	end := func(kind, format string, args ...any) Result {
		e.kill()
		<-e.exited
		return failed(kind, format, args...)
	}
	starting := time.After(initTimeout)
	select {
	case <-e.asked:
	case <-e.exited:
		return failed("Runtime.ExitError", "Runtime exited without providing a reason: %v", e.exit)
	case <-starting:
		return end("Sandbox.Timedout", "Task timed out after %.2f seconds", time.Since(began).Seconds())
	}
	inv.deadline = time.Now().Add(timeout)
	deadline := time.After(timeout)
	select {
	case e.work <- inv:
	case <-e.exited: // it was idle
		return failed("Runtime.ExitError", "Runtime exited with error: %v", e.exit)
	case <-deadline:
		return end("Sandbox.Timedout", "Task timed out after %.2f seconds", timeout.Seconds())
	}
	select {
	case r := <-inv.answered:
		select { // as after a panic: whoever does not ask again is not for the next one
		case <-e.asked:
			e.asked <- struct{}{}
		case <-e.exited:
		case <-time.After(time.Second):
		}
		return r
	case <-e.exited:
		select {
		case r := <-inv.answered: // as after a panic
			return r
		default:
			return failed("Runtime.ExitError", "Runtime exited with error: %v", e.exit)
		}
	case <-deadline:
		return end("Sandbox.Timedout", "Task timed out after %.2f seconds", timeout.Seconds())
	}
	// Not when ctx ends: a function goes on when its caller has gone away.
}
