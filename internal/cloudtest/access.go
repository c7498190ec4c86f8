package cloudtest

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
)

// account and region are the engine's.
const (
	account = "123456789012"
	region  = "us-east-1"
)

// service is the service of AWS that a request is signed for, or "".
func service(r *http.Request) string {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if parts := strings.Split(credential, "/"); len(parts) > 4 {
		return parts[3]
	}
	return ""
}

// accesses is what a request to a service does. body is that of the request where its meaning is there.
func accesses(service string, r *http.Request, body []byte) ([]Access, error) {
	switch service {
	case "s3":
		return s3Accesses(r, body)
	case "dynamodb":
		return dynamoAccesses(r, body)
	case "states":
		return statesAccesses(r, body)
	}
	return nil, fmt.Errorf("no policy speaks of service %q", service)
}

func s3Accesses(r *http.Request, body []byte) ([]Access, error) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	arn := "arn:aws:s3:::" + bucket
	q := r.URL.Query()
	if key == "" {
		switch {
		case r.Method == http.MethodPost && q.Has("delete"):
			var d struct {
				Object []struct{ Key string }
			}
			if err := xml.Unmarshal(body, &d); err != nil {
				return nil, fmt.Errorf("delete of %s: %w", bucket, err)
			}
			var all []Access
			for _, o := range d.Object {
				all = append(all, Access{Action: "s3:DeleteObject", Resource: arn + "/" + o.Key})
			}
			return all, nil
		case r.Method == http.MethodGet || r.Method == http.MethodHead:
			a := Access{Action: "s3:ListBucket", Resource: arn, Keys: map[string]string{}}
			if q.Has("prefix") {
				a.Keys["s3:prefix"] = q.Get("prefix")
			}
			return []Access{a}, nil
		}
		return nil, fmt.Errorf("%s of bucket %s", r.Method, bucket)
	}
	action := map[string]string{http.MethodGet: "s3:GetObject", http.MethodHead: "s3:GetObject", http.MethodPut: "s3:PutObject",
		http.MethodPost: "s3:PutObject", http.MethodDelete: "s3:DeleteObject"}[r.Method]
	switch {
	case q.Has("versionId"):
		action += "Version"
	case r.Method == http.MethodDelete && q.Has("uploadId"):
		action = "s3:AbortMultipartUpload"
	}
	all := []Access{{Action: action, Resource: arn + "/" + key}}
	if from := r.Header.Get("X-Amz-Copy-Source"); from != "" {
		all = append(all, Access{Action: "s3:GetObject", Resource: "arn:aws:s3:::" + strings.TrimPrefix(from, "/")})
	}
	return all, nil
}

func dynamoAccesses(r *http.Request, body []byte) ([]Access, error) {
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	type named struct{ TableName string }
	var in struct {
		named
		TransactItems []map[string]named
		RequestItems  map[string]any
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	table := func(op, name string) Access {
		return Access{Action: "dynamodb:" + op, Resource: "arn:aws:dynamodb:" + region + ":" + account + ":table/" + name}
	}
	var all []Access
	for _, item := range in.TransactItems { // each needs the right to its own operation
		for part, n := range item {
			all = append(all, table(map[string]string{"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "Get": "GetItem",
				"ConditionCheck": "ConditionCheckItem"}[part], n.TableName))
		}
	}
	for name := range in.RequestItems {
		all = append(all, table(op, name))
	}
	if in.TableName != "" {
		all = append(all, table(op, in.TableName))
	}
	return all, nil
}

func statesAccesses(r *http.Request, body []byte) ([]Access, error) {
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var in struct{ StateMachineARN, ExecutionARN string }
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return []Access{{Action: "states:" + op, Resource: in.StateMachineARN + in.ExecutionARN}}, nil
}
