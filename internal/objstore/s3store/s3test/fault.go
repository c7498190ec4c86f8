package s3test

import "net/http"

// A Match picks requests. Its zero value picks all of them.
type Match struct {
	Op    Op     // any of these; 0: every one
	Key   string // just this key (for List: this prefix); "": every one
	Nth   int    // only the nth that matches, from 1, counted since it was set; 0: every one
	First int    // only the first so many that match; 0: every one
}

// A Fault is what becomes of a request.
type Fault struct {
	Status   int           // answered without anything being done, with Code
	Code     string        // S3's error code
	Reset    bool          // the connection is cut instead of an answer
	Applied  bool          // with Status, Reset or Stall: first the request is carried out
	Truncate int           // the body ends after so many bytes, and the connection with it
	Stall    bool          // nothing more is sent, until the client goes away; with Truncate, after so many bytes
	ETag     string        // the answer has this one, whatever the Object's
	Gate     chan struct{} // the request is held, before anything is done, until it can be received from
}

type rule struct {
	match Match
	fault Fault
	seen  int
	fired int
}

// Fault sets a rule. Where several match a request, the first that was set counts. It returns how often it was met.
func (s *Server) Fault(m Match, f Fault) (fired func() int) {
	r := &rule{match: m, fault: f}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = append(s.rules, r)
	return func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return r.fired
	}
}

func (s *Server) fault(op Op, key string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	var by *rule
	for _, r := range s.rules {
		if m := r.match; m.Op != 0 && m.Op&op == 0 || m.Key != "" && m.Key != key {
			continue
		}
		r.seen++
		m := r.match
		if by == nil && (m.Nth == 0 || m.Nth == r.seen) && (m.First == 0 || r.seen <= m.First) {
			by = r
		}
	}
	if by == nil {
		return Fault{}
	}
	by.fired++
	return by.fault
}

// stall holds a request until its client or the Server is gone.
func (s *Server) stall(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.closing:
	}
	panic(http.ErrAbortHandler)
}
