package cloudtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

var testCaller = aws.Credentials{AccessKeyID: "caller", SecretAccessKey: "callers-secret"}

// sign signs a request to the HTTP API.
func sign(t testing.TB, r *http.Request, body []byte, as aws.Credentials) {
	t.Helper()
	hash := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(context.Background(), as, r, hex.EncodeToString(hash[:]), "execute-api", region, time.Now()); err != nil {
		t.Fatal(err)
	}
}

func TestSpecificRoutesComeFirst(t *testing.T) {
	g := &Gateway{Routes: []Route{
		{"GET", "/{proxy+}", "NONE", "All"}, {"GET", "/", "NONE", "Root"}, {"GET", "/refresh/status", "NONE", "Status"},
		{"GET", "/refresh/{proxy+}", "NONE", "History"}, {"DELETE", "/refresh/runs/{run}", "NONE", "Cancel"},
	}}
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/", "Root"}, {"GET", "/collections", "All"}, {"GET", "/refresh/status", "Status"},
		{"GET", "/refresh/runs/x", "History"}, {"DELETE", "/refresh/runs/x", "Cancel"}, {"DELETE", "/refresh/runs/x/y", ""},
		{"DELETE", "/refresh/runs/", ""}, {"POST", "/", ""}, {"GET", "/refresh", "All"}, {"GET", "/refresh/", "All"},
	} {
		got := ""
		if r, _ := g.route(c.method, c.path); r != nil {
			got = r.Function
		}
		if got != c.want {
			t.Errorf("%s %s goes to %q, want %q", c.method, c.path, got, c.want)
		}
	}
}

func TestOnlyTheCallerIsLetIn(t *testing.T) {
	l := newTestLambda(t, &Function{Timeout: 20})
	s := httptest.NewServer(&Gateway{Routes: []Route{{"POST", "/refresh", "AWS_IAM", "Odd"}, {"GET", "/jwt", "JWT", "Odd"}}, Lambda: l, Caller: testCaller})
	defer s.Close()
	do := func(method, path string, edit func(r *http.Request, body []byte)) int {
		t.Helper()
		body := []byte(`{"mode":"full"}`)
		r, _ := http.NewRequest(method, s.URL+path, bytes.NewReader(body))
		edit(r, body)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for name, c := range map[string]struct {
		method, path string
		edit         func(r *http.Request, body []byte)
		want         int
	}{
		"signed":   {"POST", "/refresh?a=b", func(r *http.Request, body []byte) { sign(t, r, body, testCaller) }, 200},
		"unsigned": {"POST", "/refresh", func(*http.Request, []byte) {}, 403},
		"other secret": {"POST", "/refresh", func(r *http.Request, body []byte) {
			sign(t, r, body, aws.Credentials{AccessKeyID: "caller", SecretAccessKey: "x"})
		}, 403},
		"other body":    {"POST", "/refresh", func(r *http.Request, _ []byte) { sign(t, r, nil, testCaller) }, 403},
		"other query":   {"POST", "/refresh", func(r *http.Request, body []byte) { sign(t, r, body, testCaller); r.URL.RawQuery = "x=y" }, 403},
		"without token": {"GET", "/jwt", func(*http.Request, []byte) {}, 401},
		"no route":      {"GET", "/refresh", func(*http.Request, []byte) {}, 404},
	} {
		if got := do(c.method, c.path, c.edit); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
