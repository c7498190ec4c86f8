package cloudtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	gatewayTimeout = 30 * time.Second
	gatewayBody    = 10 << 20
	// Domain is the HTTP API's own name, which its events carry.
	Domain = "e2e.execute-api." + region + ".amazonaws.com"
)

// A Gateway is an HTTP API: it makes events (payload format 2.0) of the requests to its Routes, and answers what their functions
// say. Callers of Routes with AWS_IAM sign with Caller.
type Gateway struct {
	Routes []Route
	Lambda *Lambda
	Caller aws.Credentials
}

func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route, variables := g.route(r.Method, r.URL.Path)
	if route == nil {
		message(w, http.StatusNotFound, "Not Found")
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, gatewayBody+1))
	switch {
	case err != nil:
		message(w, http.StatusBadRequest, "Bad Request")
		return
	case len(body) > gatewayBody:
		message(w, http.StatusRequestEntityTooLarge, "Request Too Long")
		return
	}
	switch route.Auth {
	case "NONE":
	case "AWS_IAM":
		if !g.signed(r, body) {
			message(w, http.StatusForbidden, "Forbidden")
			return
		}
	default:
		message(w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	payload, err := json.Marshal(event(r, route, variables, body))
	if err != nil {
		message(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), gatewayTimeout)
	defer cancel()
	type outcome struct {
		r   Result
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		r, err := g.Lambda.Invoke(context.WithoutCancel(ctx), route.Function, payload)
		done <- outcome{r, err}
	}()
	select {
	case o := <-done:
		if o.err != nil || o.r.Error != "" {
			message(w, http.StatusInternalServerError, "Internal Server Error")
			return
		}
		write(w, o.r.Payload)
	case <-ctx.Done():
		message(w, http.StatusServiceUnavailable, "Service Unavailable")
	}
}

func message(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"message": text})
}

// route finds the most specific Route: a literal path before one with variables, those before a greedy one.
func (g *Gateway) route(method, path string) (best *Route, variables map[string]string) {
	bestRank := -1
	for i, r := range g.Routes {
		if r.Method != method && r.Method != "ANY" {
			continue
		}
		if vars, rank, ok := match(r.Path, path); ok && rank > bestRank {
			best, variables, bestRank = &g.Routes[i], vars, rank
		}
	}
	return best, variables
}

// match holds a path against a Route's. rank is higher the more literal the Route's is.
func match(pattern, path string) (variables map[string]string, rank int, ok bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	variables = map[string]string{}
	for i, w := range want {
		name, variable := strings.CutPrefix(w, "{")
		name = strings.TrimSuffix(name, "}")
		name, greedy := strings.CutSuffix(name, "+")
		switch {
		case variable && greedy:
			rest := ""
			if i < len(got) {
				rest = strings.Join(got[i:], "/")
			}
			variables[name] = rest
			return variables, rank, rest != ""
		case i >= len(got), !variable && w != got[i], variable && got[i] == "":
			return nil, 0, false
		case variable:
			variables[name] = got[i]
			rank++
		default:
			rank += 100
		}
	}
	return variables, rank + 1, len(got) == len(want)
}

// signed tells whether the Caller signed the request.
func (g *Gateway) signed(r *http.Request, body []byte) bool {
	auth := r.Header.Get("Authorization")
	_, names, _ := strings.Cut(auth, "SignedHeaders=")
	names, _, _ = strings.Cut(names, ",")
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || time.Since(at).Abs() > 15*time.Minute {
		return false
	}
	again, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+r.Host+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return false
	}
	for _, name := range strings.Split(names, ";") {
		if values := r.Header.Values(name); len(values) > 0 && name != "content-length" {
			again.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	hash := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(r.Context(), g.Caller, again, hex.EncodeToString(hash[:]), "execute-api", region, at); err != nil {
		return false
	}
	return auth != "" && again.Header.Get("Authorization") == auth
}

// event is what API Gateway makes of a request.
func event(r *http.Request, route *Route, variables map[string]string, body []byte) events.APIGatewayV2HTTPRequest {
	ip, _, _ := net.SplitHostPort(r.RemoteAddr)
	headers := map[string]string{"host": Domain, "x-forwarded-proto": "https", "x-forwarded-port": "443", "x-forwarded-for": ip}
	for name, values := range r.Header {
		if name != "Cookie" {
			headers[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	query := map[string]string{}
	for name, values := range r.URL.Query() {
		query[name] = strings.Join(values, ",")
	}
	var cookies []string
	for _, c := range r.Cookies() {
		cookies = append(cookies, c.String())
	}
	key := route.Method + " " + route.Path
	e := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: key, RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery, Cookies: cookies,
		Headers: headers, QueryStringParameters: query, PathParameters: variables,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: key, AccountID: account, Stage: "$default", RequestID: requestID(), APIID: "e2e", DomainName: Domain,
			DomainPrefix: "e2e", Time: time.Now().UTC().Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: time.Now().UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: r.Method, Path: r.URL.Path, Protocol: r.Proto, SourceIP: ip, UserAgent: r.UserAgent(),
			},
		},
	}
	if route.Auth == "AWS_IAM" {
		e.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
			IAM: &events.APIGatewayV2HTTPRequestContextAuthorizerIAMDescription{AccountID: account, UserARN: "arn:aws:iam::" + account + ":user/caller"},
		}
	}
	if len(body) > 0 {
		if e.Body = string(body); !textual(r.Header.Get("Content-Type")) {
			e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
		}
	}
	return e
}

// textual tells of which bodies API Gateway makes text.
func textual(contentType string) bool {
	kind, _, _ := mime.ParseMediaType(contentType)
	return kind == "" || strings.HasPrefix(kind, "text/") ||
		slices.Contains([]string{"application/json", "application/javascript", "application/xml"}, kind)
}

// write answers what a function said.
func write(w http.ResponseWriter, payload []byte) {
	var said struct {
		events.APIGatewayV2HTTPResponse
		StatusCode *int `json:"statusCode"`
	}
	if err := json.Unmarshal(payload, &said); err != nil || said.StatusCode == nil { // all of it is the body
		w.Header().Set("Content-Type", "application/json")
		w.Write(payload)
		return
	}
	body := []byte(said.Body)
	if said.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(said.Body); err != nil {
			message(w, http.StatusInternalServerError, "Internal Server Error")
			return
		}
	}
	for name, value := range said.Headers {
		w.Header().Set(name, value)
	}
	for _, c := range said.Cookies {
		w.Header().Add("Set-Cookie", c)
	}
	w.WriteHeader(*said.StatusCode)
	w.Write(body)
}
