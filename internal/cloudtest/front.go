package cloudtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// A Front is the one address of AWS for the functions and for the engine's workflow. Requests for Lambda it answers, those for S3,
// DynamoDB and all else it passes on to their servers. Those of a function must be allowed to its role; a function is
// known by the session token that it was given.
type Front struct {
	Stack  *Stack
	Lambda *Lambda
	Log    *slog.Logger
	S3     aws.Credentials // of the S3 server
	// Hold, if not nil, is called before an Access of a function ("": of anybody else) is passed on, which waits for it. It is
	// denied for an error, and not passed on any more once ctx has ended, which is when its sender has gone.
	Hold func(ctx context.Context, function string, a Access) error

	servers map[string]*httputil.ReverseProxy // by service; "" for all else

	mu     sync.Mutex
	calls  []Call
	denied []Call
	used   map[string]bool // function and action, of all times
}

// A Call is an Access of a function, by its logical id, or of anybody else ("").
type Call struct {
	Function string
	Access
}

// NewFront makes a Front before servers of S3 and DynamoDB and the engine, which does all else.
func NewFront(stack *Stack, lambda *Lambda, log *slog.Logger, s3, dynamodb, engine *url.URL, credentials aws.Credentials) *Front {
	f := &Front{Stack: stack, Lambda: lambda, Log: log, S3: credentials, servers: map[string]*httputil.ReverseProxy{}, used: map[string]bool{}}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true
	transport.MaxIdleConnsPerHost = 64
	for name, to := range map[string]*url.URL{"s3": s3, "dynamodb": dynamodb, "": engine} {
		f.servers[name] = &httputil.ReverseProxy{
			Transport: transport,
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(to)
				r.Out.Host = r.In.Host // it is signed
				if name == "s3" {
					f.resign(r.Out)
				}
			},
			ModifyResponse: f.hide,
			ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		}
	}
	return f
}

// Calls are the Accesses that were passed on since the last Reset.
func (f *Front) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Call(nil), f.calls...)
}

// Denied are the Accesses that the function's role did not allow, of all times.
func (f *Front) Denied() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Call(nil), f.denied...)
}

// Unused are the actions on S3, DynamoDB and Step Functions that a function's role allows and that it never took.
func (f *Front) Unused(function string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var unused []string
	for _, s := range f.Stack.Functions[function].Statements {
		if s == nil || s.Effect != "Allow" {
			continue
		}
		for _, action := range s.Action {
			service, _, _ := strings.Cut(action, ":")
			if !f.used[function+" "+action] && slices.Contains([]string{"s3", "dynamodb", "states"}, service) {
				unused = append(unused, action)
			}
		}
	}
	return unused
}

// Reset forgets the Calls so far, and sets Hold.
func (f *Front) Reset(hold func(ctx context.Context, function string, a Access) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls, f.Hold = nil, hold
}

const functionsPath = "/2015-03-31/functions/"

func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, functionsPath) {
		f.Lambda.ServeHTTP(w, r)
		return
	}
	name := service(r)
	if err := f.admit(name, r); err != nil {
		f.Log.Error("access refused", "method", r.Method, "url", r.URL.String(), "error", err)
		refuse(w, name, err)
		return
	}
	r = r.WithContext(context.WithValue(r.Context(), sender{}, f.sender(r)))
	server, ok := f.servers[name]
	if !ok {
		server = f.servers[""]
	}
	server.ServeHTTP(w, r)
}

// sender is the key of a request's context for the function that sent it.
type sender struct{}

func (f *Front) sender(r *http.Request) string {
	return f.Stack.Logical(r.Header.Get("X-Amz-Security-Token"))
}

// admit notes what a request does, and tells whether its sender may.
func (f *Front) admit(service string, r *http.Request) error {
	who := f.sender(r)
	var body []byte
	if service != "s3" || r.Method == http.MethodPost {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	all, err := accesses(service, r, body)
	if err != nil && who != "" {
		return err
	}
	for _, a := range all {
		f.mu.Lock()
		hold := f.Hold
		f.mu.Unlock()
		if hold != nil {
			if err := hold(r.Context(), who, a); err != nil {
				return err
			}
		}
		if err := r.Context().Err(); err != nil {
			return fmt.Errorf("%s: %w", a, err)
		}
		if who == "" {
			continue
		}
		ok, err := allowed(f.Stack.Functions[who].Statements, a)
		f.mu.Lock()
		if ok {
			f.calls = append(f.calls, Call{who, a})
			f.used[who+" "+a.Action] = true
		} else {
			f.denied = append(f.denied, Call{who, a})
		}
		f.mu.Unlock()
		if !ok {
			return errors.Join(fmt.Errorf("the role of %s does not allow %s", who, a), err)
		}
	}
	return nil
}

// resign signs a request for S3 again without the function's session token, which its server does not know.
func (f *Front) resign(r *http.Request) {
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || r.Header.Get("X-Amz-Security-Token") == "" {
		return // whatever it is, the server judges
	}
	r.Header.Del("X-Amz-Security-Token")
	r.Header.Del("Authorization")
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	if err := signer.SignHTTP(r.Context(), f.S3, r, r.Header.Get("X-Amz-Content-Sha256"), "s3", region, at); err != nil {
		f.Log.Error("sign again", "error", err)
	}
}

// hide makes "not there" of S3 "denied" for who may not list the bucket, as AWS does.
func (f *Front) hide(resp *http.Response) error {
	r := resp.Request
	who, _ := r.Context().Value(sender{}).(string)
	if who == "" || service(r) != "s3" || resp.StatusCode != http.StatusNotFound {
		return nil
	}
	bucket, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	ok, err := allowed(f.Stack.Functions[who].Statements, Access{Action: "s3:ListBucket", Resource: "arn:aws:s3:::" + bucket})
	if err == nil && !ok {
		resp.StatusCode, resp.Status = http.StatusForbidden, ""
		body := denial("s3", errors.New("not there, which only who may list the bucket is told"))
		resp.Body.Close()
		resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		resp.Header.Set("Content-Length", fmt.Sprint(len(body)))
	}
	return err
}

func refuse(w http.ResponseWriter, service string, err error) {
	status := http.StatusForbidden
	if service != "s3" {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		status = http.StatusBadRequest
	}
	w.WriteHeader(status)
	io.WriteString(w, denial(service, err))
}

func denial(service string, err error) string {
	if service == "s3" {
		return fmt.Sprintf("<Error><Code>AccessDenied</Code><Message>%s</Message></Error>", err)
	}
	return fmt.Sprintf(`{"__type":"AccessDeniedException","message":%q}`, err)
}
