package asltest

import (
	"container/heap"
	"math/rand/v2"
	"sync"
	"time"
)

// A Clock is virtual time and what happens in it. Its processes are goroutines of which one runs at a time, until it waits; time
// passes only when all of them wait. Which of two things happens first that are due at once is the order in which they were
// asked for, or is drawn.
type Clock struct {
	mu      sync.Mutex
	now     time.Time
	draw    *rand.Rand
	due     events
	asked   uint64
	current *process
	idle    chan struct{} // the current process waits or has ended
}

// A process is a goroutine that waits for its turn.
type process struct{ turn chan struct{} }

// NewClock returns a Clock that stands at start. draw, where it is not nil, orders what is due at once.
func NewClock(start time.Time, draw *rand.Rand) *Clock {
	return &Clock{now: start, draw: draw, idle: make(chan struct{})}
}

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Go starts a process.
func (c *Clock) Go(f func()) { c.After(0, f) }

// After starts a process once d has passed.
func (c *Clock) After(d time.Duration, f func()) {
	p := &process{turn: make(chan struct{})}
	c.at(d, func() {
		c.give(p, func() {
			go func() {
				defer func() { c.idle <- struct{}{} }()
				f()
			}()
		})
	})
}

// at puts what happens after d on the list.
func (c *Clock) at(d time.Duration, happen func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	e := event{at: c.now.Add(max(d, 0)), order: c.asked, happen: happen}
	if c.draw != nil {
		e.order = c.draw.Uint64()
	}
	heap.Push(&c.due, e)
}

// give lets a process run until it waits or ends.
func (c *Clock) give(p *process, resume func()) {
	c.current = p
	resume()
	<-c.idle
	c.current = nil
}

// Busy tells whether a process runs: what asks may wait.
func (c *Clock) Busy() bool { return c.current != nil }

// Wait holds the running process until one of the signals is fired, or d has passed: then it returns nil. Below 0 d is for ever.
func (c *Clock) Wait(d time.Duration, signals ...*Signal) *Signal {
	for _, s := range signals {
		if s.fired {
			return s
		}
	}
	p := c.current
	if p == nil {
		panic("asltest: only a process of the clock can wait")
	}
	w := &waiter{process: p}
	for _, s := range signals {
		s.waiting = append(s.waiting, w)
	}
	if d >= 0 {
		c.at(d, func() { c.wake(w, nil) })
	}
	c.idle <- struct{}{}
	<-p.turn
	return w.by
}

// Sleep holds the running process for d.
func (c *Clock) Sleep(d time.Duration) { c.Wait(max(d, 0)) }

type waiter struct {
	process *process
	woken   bool
	by      *Signal
}

func (c *Clock) wake(w *waiter, by *Signal) {
	if w.woken {
		return
	}
	w.woken, w.by = true, by
	c.give(w.process, func() { w.process.turn <- struct{}{} })
}

// A Signal is something that happens once, which processes wait for.
type Signal struct {
	clock   *Clock
	fired   bool
	waiting []*waiter
}

// Signal returns one that has not happened.
func (c *Clock) Signal() *Signal { return &Signal{clock: c} }

// Fire makes it happen. Again has no effect.
func (s *Signal) Fire() {
	if s.fired {
		return
	}
	s.fired = true
	for _, w := range s.waiting {
		s.clock.at(0, func() { s.clock.wake(w, s) })
	}
	s.waiting = nil
}

// Fired tells whether it has happened.
func (s *Signal) Fired() bool { return s.fired }

// step lets the next thing happen that is due by until. It is false where there is none.
func (c *Clock) step(until time.Time) bool {
	c.mu.Lock()
	if len(c.due) == 0 || c.due[0].at.After(until) {
		c.mu.Unlock()
		return false
	}
	e := heap.Pop(&c.due).(event)
	c.now = e.at
	c.mu.Unlock()
	e.happen()
	return true
}

// Run lets d pass with all that happens meanwhile.
func (c *Clock) Run(d time.Duration) {
	until := c.Now().Add(d)
	for c.step(until) {
	}
	c.now = until
}

// Until lets time pass until done, but not longer than d. It tells whether it is done.
func (c *Clock) Until(d time.Duration, done func() bool) bool {
	until := c.Now().Add(d)
	for !done() {
		if !c.step(until) {
			return false
		}
	}
	return true
}

// Do runs f as a process and lets time pass until it has ended.
func (c *Clock) Do(f func()) {
	ended := false
	c.Go(func() {
		defer func() { ended = true }()
		f()
	})
	if !c.Until(1<<62, func() bool { return ended }) {
		panic("asltest: a process waits for what never happens")
	}
}

type event struct {
	at     time.Time
	order  uint64
	happen func()
}

type events []event

func (e events) Len() int      { return len(e) }
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e events) Less(i, j int) bool {
	if !e[i].at.Equal(e[j].at) {
		return e[i].at.Before(e[j].at)
	}
	return e[i].order < e[j].order
}
func (e *events) Push(x any) { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
