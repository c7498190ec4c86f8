// Package faultstore wraps an objstore.Store so that it fails, stalls and lies like a network, at the calls that a test
// picks, and counts every call. With no rule set it keeps the whole contract.
//
//	s := faultstore.New(memstore.New())
//	s.Set(faultstore.Match{Op: faultstore.Put, Key: "head.json"}, faultstore.Fault{Applied: true}) // the reply is lost
//
// Sweep tries every way of failing at every call of a piece of code.
package faultstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// ErrInjected is what a Fault without an error of its own returns.
var ErrInjected = errors.New("injected fault")

// An Op is a set of methods.
type Op uint8

// The methods, and the usual sets of them.
const (
	List Op = 1 << iota
	Get
	Put
	Delete
	Sync

	Reads  = List | Get
	Writes = Put | Delete
	Any    = Reads | Writes | Sync
)

func (o Op) String() string {
	var names []string
	for i, name := range []string{"list", "get", "put", "delete", "sync"} {
		if o&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "|")
}

// A Call is one call of a method. Key is the start of the Range for List and empty for Sync.
type Call struct {
	Op  Op
	Key string
}

// A Match picks calls. Its zero value picks all of them.
type Match struct {
	Op     Op     // any of these; 0: every one
	Key    string // just this key; "": every one
	Prefix string // keys that begin so
	Nth    int    // only the nth of the calls that match, from 1, counted since the rule was set; 0: every one
}

func (m Match) picks(c Call) bool {
	return (m.Op == 0 || m.Op&c.Op != 0) && (m.Key == "" || m.Key == c.Key) && strings.HasPrefix(c.Key, m.Prefix)
}

// A Fault is what becomes of a call.
type Fault struct {
	// Err is returned. Nil stands for ErrInjected, except in a Fault that has only a Gate or a Body.
	Err error
	// Applied: first the call is carried out, and its answer is lost. A List yields its Objects and then breaks off.
	Applied bool
	// Gone: the process ends with this call. It and every later one of this Store return Err; the later ones do nothing.
	Gone bool
	// Gate holds the call until the Gate is released.
	Gate *Gate
	// Body changes what a Get returns, as a file that was cut short or damaged would.
	Body func([]byte) []byte
}

func (f Fault) err() error {
	if f.Err == nil && (f.Applied || f.Gone || f.Gate == nil && f.Body == nil) {
		return ErrInjected
	}
	return f.Err
}

// A Rule is a Fault that is set on a Store.
type Rule struct {
	store *Store
	match Match
	fault Fault
	seen  int
	fired int
}

// Fired is how many calls the Rule's Fault has met.
func (r *Rule) Fired() int {
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	return r.fired
}

// A Store passes calls on to another one, except where a Rule says otherwise. It may be used by many goroutines. A process
// that was ended by Fault.Gone is restarted by a new Store over the same inner one.
type Store struct {
	inner objstore.Store

	mu    sync.Mutex
	rules []*Rule
	calls []Call
	gone  error
}

var _ objstore.Store = (*Store)(nil)

// New wraps inner.
func New(inner objstore.Store) *Store { return &Store{inner: inner} }

// Set adds a Rule. Where several meet a call, the first that was set does.
func (s *Store) Set(m Match, f Fault) *Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &Rule{store: s, match: m, fault: f}
	s.rules = append(s.rules, r)
	return r
}

// Clear removes every Rule. A process that is gone stays so.
func (s *Store) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = nil
}

// Calls returns the calls so far that m picks, in order; m.Nth is not looked at. Failed and held ones count, those after
// the process was gone do not.
func (s *Store) Calls(m Match) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var calls []Call
	for _, c := range s.calls {
		if m.picks(c) {
			calls = append(calls, c)
		}
	}
	return calls
}

// Count is the number of Calls.
func (s *Store) Count(m Match) int { return len(s.Calls(m)) }

// Forget empties what Calls returns.
func (s *Store) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = nil
}

var pass = Fault{Body: func(b []byte) []byte { return b }}

// admit records a call and says what becomes of it.
func (s *Store) admit(c Call) (Fault, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone != nil {
		return Fault{}, s.gone
	}
	s.calls = append(s.calls, c)
	met := pass
	var by *Rule
	for _, r := range s.rules {
		if !r.match.picks(c) {
			continue
		}
		r.seen++
		if by == nil && (r.match.Nth == 0 || r.match.Nth == r.seen) {
			by, met = r, r.fault
		}
	}
	if by != nil {
		by.fired++
	}
	if met.Gone {
		s.gone = met.err()
	}
	return met, nil
}

// do carries out one call that has one answer.
func do[T any](ctx context.Context, s *Store, c Call, call func(ctx context.Context) (T, error)) (T, Fault, error) {
	var none T
	fault, err := s.admit(c)
	if err != nil {
		return none, fault, c.wrap(err)
	}
	run := func(ctx context.Context) (T, error) {
		if fault.err() != nil && !fault.Applied {
			return none, c.wrap(fault.err())
		}
		answer, err := call(ctx)
		if fault.err() != nil {
			return none, c.wrap(fault.err())
		}
		return answer, err
	}
	if fault.Gate != nil {
		answer, err := hold(ctx, fault.Gate, run)
		return answer, fault, err
	}
	answer, err := run(ctx)
	return answer, fault, err
}

func (c Call) wrap(err error) error { return fmt.Errorf("%v %q: %w", c.Op, c.Key, err) }

// List implements objstore.Reader. Each iteration is one call.
func (s *Store) List(ctx context.Context, r objstore.Range) iter.Seq2[objstore.Object, error] {
	return func(yield func(objstore.Object, error) bool) {
		c := Call{List, r.Start}
		fault, err := s.admit(c)
		if err == nil && fault.Gate != nil {
			err = fault.Gate.pause(ctx)
		}
		if err == nil && !fault.Applied {
			err = fault.err()
		}
		if err != nil {
			yield(objstore.Object{}, c.wrap(err))
			return
		}
		for o, err := range s.inner.List(ctx, r) {
			if !yield(o, err) || err != nil {
				return
			}
		}
		if err := fault.err(); err != nil {
			yield(objstore.Object{}, c.wrap(err))
		}
	}
}

type got struct {
	body   []byte
	object objstore.Object
}

// Get implements objstore.Reader.
func (s *Store) Get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	g, fault, err := do(ctx, s, Call{Get, key}, func(ctx context.Context) (got, error) {
		body, o, err := s.inner.Get(ctx, key, off, n, ifMatch)
		return got{body, o}, err
	})
	if err == nil && fault.Body != nil {
		g.body = fault.Body(g.body)
	}
	return g.body, g.object, err
}

// Put implements objstore.Store.
func (s *Store) Put(ctx context.Context, key string, body []byte, opt objstore.PutOptions) (string, error) {
	body = bytes.Clone(body) // a held Put may be carried out after its caller has gone on
	etag, _, err := do(ctx, s, Call{Put, key}, func(ctx context.Context) (string, error) {
		return s.inner.Put(ctx, key, body, opt)
	})
	return etag, err
}

// Delete implements objstore.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	_, _, err := do(ctx, s, Call{Delete, key}, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.inner.Delete(ctx, key)
	})
	return err
}

// Sync implements objstore.Store.
func (s *Store) Sync(ctx context.Context) error {
	_, _, err := do(ctx, s, Call{Op: Sync}, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.inner.Sync(ctx)
	})
	return err
}
