// Package cloudtest is what of AWS lies between the engines that scripts/cloud.sh starts: Lambda's Runtime API around the real
// bootstrap binaries, the HTTP API in front of them, the poller of their queue, and the policies of their roles. What it does it
// reads from the stack as it was deployed. It is for tests.
package cloudtest

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// A Stack is what scripts/cloud/deploy.py deployed.
type Stack struct {
	Functions map[string]*Function `json:"functions"` // by logical id
	Resources map[string]string    `json:"resources"` // logical to physical id
	Queues    []Queue              `json:"queues"`
	Clocks    []Clock              `json:"clocks"`
	Records   []Record             `json:"records"`
}

// A Function is a Lambda function.
type Function struct {
	Name        string            `json:"name"`
	ARN         string            `json:"arn"`
	Timeout     int               `json:"timeout"`  // seconds
	Memory      int               `json:"memory"`   // MB
	Reserved    *int              `json:"reserved"` // concurrency
	Environment map[string]string `json:"environment"`
	Statements  []*Statement      `json:"statements"` // of its role's policies
}

// A Queue is what feeds messages of SQS to a function.
type Queue struct {
	URL      string `json:"url"`
	ARN      string `json:"arn"`
	Function string `json:"function"` // ARN
	Batch    int    `json:"batch"`    // most messages at once
}

// A Clock is a rule that invokes a function from time to time.
type Clock struct {
	Expression string `json:"expression"`
	Function   string `json:"function"` // ARN
	Input      string `json:"input"`
}

// A Record is a resource that the engine does not know, with its properties resolved.
type Record struct {
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	Properties json.RawMessage `json:"properties"`
}

// ReadStack reads the file that deploy.py wrote.
func ReadStack(file string) (*Stack, error) {
	body, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var s Stack
	if err := json.Unmarshal(body, &s); err != nil {
		return nil, fmt.Errorf("decode %s: %w", file, err)
	}
	return &s, nil
}

// Logical is the logical id of a function by its name or ARN, or "".
func (s *Stack) Logical(name string) string {
	for logical, f := range s.Functions {
		if name == logical || name == f.Name || name == f.ARN {
			return logical
		}
	}
	return ""
}

// A Route is what of the HTTP API a function answers.
type Route struct {
	Method   string
	Path     string // with {variables}, the last one {greedy+} or not
	Auth     string // NONE, AWS_IAM, JWT
	Function string // logical id
}

// Routes are the HTTP API's routes.
func (s *Stack) Routes() ([]Route, error) {
	var routes []Route
	targets := map[string]string{}
	for _, r := range s.Records {
		if r.Type != "AWS::ApiGatewayV2::Integration" {
			continue
		}
		var p struct{ IntegrationURI, PayloadFormatVersion string }
		if err := json.Unmarshal(r.Properties, &p); err != nil {
			return nil, fmt.Errorf("integration %s: %w", r.ID, err)
		}
		_, arn, _ := strings.Cut(p.IntegrationURI, "/functions/")
		targets["integrations/"+r.ID] = s.Logical(strings.TrimSuffix(arn, "/invocations"))
		if p.PayloadFormatVersion != "2.0" || targets["integrations/"+r.ID] == "" {
			return nil, fmt.Errorf("integration %s: payload format %q of function %q", r.ID, p.PayloadFormatVersion, p.IntegrationURI)
		}
	}
	for _, r := range s.Records {
		if r.Type != "AWS::ApiGatewayV2::Route" {
			continue
		}
		var p struct{ RouteKey, Target, AuthorizationType string }
		if err := json.Unmarshal(r.Properties, &p); err != nil {
			return nil, fmt.Errorf("route %s: %w", r.ID, err)
		}
		method, path, ok := strings.Cut(p.RouteKey, " ")
		if !ok || targets[p.Target] == "" {
			return nil, fmt.Errorf("route %s: key %q, target %q", r.ID, p.RouteKey, p.Target)
		}
		routes = append(routes, Route{Method: method, Path: path, Auth: p.AuthorizationType, Function: targets[p.Target]})
	}
	return routes, nil
}
