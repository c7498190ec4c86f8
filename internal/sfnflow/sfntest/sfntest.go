// Package sfntest is a Step Functions server for tests: it keeps executions by name as AWS does, runs none of them, counts every
// request, and fails, cuts off and lies where a test says so. It knows StartExecution, DescribeExecution and StopExecution.
package sfntest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// The one state machine of a Server, in a partition, region and account that do not exist.
const (
	prefix       = "arn:aws-test:states:xx-test-1:000000000000:"
	machine      = "cairn-refresh"
	StateMachine = prefix + "stateMachine:" + machine
)

// ExecutionARN is the ARN of an execution of StateMachine.
func ExecutionARN(name string) string { return prefix + "execution:" + machine + ":" + name }

// The actions that a Server counts, by their names.
const (
	Start    = "StartExecution"
	Describe = "DescribeExecution"
	Stop     = "StopExecution"
)

// An Execution is one of StateMachine.
type Execution struct {
	Name    string
	Input   string
	Status  types.ExecutionStatus
	Error   string // with Cause: why it ended early
	Cause   string
	Started time.Time
	Ended   time.Time // zero while it runs
}

// Running tells whether it has not ended.
func (e Execution) Running() bool { return e.Ended.IsZero() }

// A Fault is what becomes of a request.
type Fault struct {
	Code    string // of the error that is answered, such as "ThrottlingException"; "": the connection is cut
	Status  int    // HTTP status; 0: 400
	Applied bool   // first the request is carried out, and its answer is lost
	Nth     int    // only the nth request of its action since the Fault was set, from 1; 0: every one
}

type rule struct {
	action string
	fault  Fault
	seen   int
	fired  int
}

// A Server is a Step Functions endpoint. Its fields may be set before the first request.
type Server struct {
	// OnStart and OnStop, if set, are called once for each execution that was started or stopped, before the answer is sent. They
	// may call the Server.
	OnStart, OnStop func(Execution)
	// Now is the clock of the executions' times; time.Now by default.
	Now func() time.Time

	server *httptest.Server

	mu         sync.Mutex
	executions map[string]*Execution
	counts     map[string]int
	inputs     []string // raw bodies of StartExecution
	rules      []*rule
}

// New starts a Server that is closed when the test ends.
func New(t testing.TB) *Server {
	s := &Server{Now: time.Now, executions: map[string]*Execution{}, counts: map[string]int{}}
	s.server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.server.Close)
	return s
}

// URL is the endpoint, for AWS_ENDPOINT_URL_SFN.
func (s *Server) URL() string { return s.server.URL }

// Client is the SDK's client of the Server. It repeats nothing by itself, so that each call is one request.
func (s *Server) Client() *sfn.Client {
	return sfn.New(sfn.Options{
		Region: "xx-test-1", BaseEndpoint: aws.String(s.server.URL), Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), HTTPClient: s.server.Client(),
	})
}

// Fault sets what becomes of the requests of an action. The first one that was set meets a request. The returned function tells how
// many it has met.
func (s *Server) Fault(action string, f Fault) (fired func() int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &rule{action: action, fault: f}
	s.rules = append(s.rules, r)
	return func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return r.fired
	}
}

// Heal removes every Fault.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = nil
}

// Count is how many requests of an action there were, failed ones too.
func (s *Server) Count(action string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[action]
}

// Bodies are those of the StartExecution requests, in order.
func (s *Server) Bodies() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.inputs)
}

// Execution returns one by its name.
func (s *Server) Execution(name string) (Execution, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.executions[name]
	if !ok {
		return Execution{}, false
	}
	return *e, true
}

// Executions returns all, in the order of their names.
func (s *Server) Executions() []Execution {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Execution
	for _, e := range s.executions {
		out = append(out, *e)
	}
	slices.SortFunc(out, func(a, b Execution) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// End ends a running execution, as its last state, its time limit or an error would. One that has ended stays as it is.
func (s *Server) End(name string, status types.ExecutionStatus, errorName, cause string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.executions[name]; e != nil && e.Running() {
		e.Status, e.Error, e.Cause, e.Ended = status, errorName, cause, s.Now()
	}
}

// Forget removes an execution, as AWS does 90 days after its end.
func (s *Server) Forget(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.executions, name)
}

// A request has the members of all actions that the Server knows.
type request struct {
	StateMachineArn string `json:"stateMachineArn"`
	ExecutionArn    string `json:"executionArn"`
	Name            string `json:"name"`
	Input           string `json:"input"`
	Error           string `json:"error"`
	Cause           string `json:"cause"`
}

// An apiError is an error by its code.
type apiError struct{ code, message string }

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var (
		in  request
		raw json.RawMessage
	)
	if err := json.NewDecoder(r.Body).Decode(&raw); err != nil || json.Unmarshal(raw, &in) != nil {
		refuse(w, 400, "SerializationException", "not JSON")
		return
	}
	if action == Start {
		s.mu.Lock()
		s.inputs = append(s.inputs, string(raw))
		s.mu.Unlock()
	}
	fault, met := s.admit(action)
	if met && !fault.Applied {
		fault.answer(w)
		return
	}
	out, bad := s.act(action, in)
	switch {
	case met:
		fault.answer(w)
	case bad != nil:
		refuse(w, 400, bad.code, bad.message)
	default:
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_ = json.NewEncoder(w).Encode(out)
	}
}

func (s *Server) admit(action string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[action]++
	var by *rule
	for _, r := range s.rules {
		if r.action != action {
			continue
		}
		r.seen++
		if by == nil && (r.fault.Nth == 0 || r.fault.Nth == r.seen) {
			by = r
		}
	}
	if by == nil {
		return Fault{}, false
	}
	by.fired++
	return by.fault, true
}

func (f Fault) answer(w http.ResponseWriter) {
	if f.Code == "" {
		panic(http.ErrAbortHandler)
	}
	refuse(w, cmp.Or(f.Status, 400), f.Code, "injected fault")
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("x-amzn-RequestId", "test")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": message})
}

func (s *Server) act(action string, in request) (any, *apiError) {
	switch action {
	case Start:
		return s.start(in)
	case Describe:
		return s.describe(in)
	case Stop:
		return s.stop(in)
	}
	return nil, &apiError{"UnknownOperationException", action}
}

func (s *Server) start(in request) (any, *apiError) {
	switch {
	case !strings.HasPrefix(in.StateMachineArn, "arn:"):
		return nil, &apiError{"InvalidArn", "Invalid Arn: " + in.StateMachineArn}
	case in.StateMachineArn != StateMachine:
		return nil, &apiError{"StateMachineDoesNotExist", "State Machine Does Not Exist: " + in.StateMachineArn}
	case in.Name == "" || len(in.Name) > 80 || strings.ContainsAny(in.Name, " \t\n<>{}[]?*\"#%\\^|~`$&,;:/"):
		return nil, &apiError{"InvalidName", "Invalid Name: " + in.Name}
	case !json.Valid([]byte(in.Input)):
		return nil, &apiError{"InvalidExecutionInput", "Invalid State Machine Execution Input"}
	}
	s.mu.Lock()
	e, there := s.executions[in.Name]
	if there && (!e.Running() || e.Input != in.Input) {
		s.mu.Unlock()
		return nil, &apiError{"ExecutionAlreadyExists", "Execution Already Exists: " + ExecutionARN(in.Name)}
	}
	if !there {
		e = &Execution{Name: in.Name, Input: in.Input, Status: types.ExecutionStatusRunning, Started: s.Now()}
		s.executions[in.Name] = e
	}
	now := *e
	s.mu.Unlock()
	if !there && s.OnStart != nil {
		s.OnStart(now)
	}
	return map[string]any{"executionArn": ExecutionARN(now.Name), "startDate": seconds(now.Started)}, nil
}

func (s *Server) find(arn string) (*Execution, *apiError) {
	name, ok := strings.CutPrefix(arn, ExecutionARN(""))
	if !ok {
		return nil, &apiError{"InvalidArn", "Invalid Arn: " + arn}
	}
	e := s.executions[name]
	if e == nil {
		return nil, &apiError{"ExecutionDoesNotExist", "Execution Does Not Exist: " + arn}
	}
	return e, nil
}

func (s *Server) describe(in request) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, bad := s.find(in.ExecutionArn)
	if bad != nil {
		return nil, bad
	}
	out := map[string]any{
		"executionArn": in.ExecutionArn, "stateMachineArn": StateMachine, "name": e.Name, "status": e.Status, "input": e.Input,
		"startDate": seconds(e.Started),
	}
	if !e.Running() {
		out["stopDate"], out["error"], out["cause"] = seconds(e.Ended), e.Error, e.Cause
	}
	return out, nil
}

func (s *Server) stop(in request) (any, *apiError) {
	s.mu.Lock()
	e, bad := s.find(in.ExecutionArn)
	if bad != nil {
		s.mu.Unlock()
		return nil, bad
	}
	was := e.Running()
	if was {
		e.Status, e.Error, e.Cause, e.Ended = types.ExecutionStatusAborted, in.Error, in.Cause, s.Now()
	}
	now := *e
	s.mu.Unlock()
	if was && s.OnStop != nil {
		s.OnStop(now)
	}
	return map[string]any{"stopDate": seconds(now.Ended)}, nil
}

// seconds is a time as the protocol has it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
