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
			a := Access{Action: "s3:ListBucket", Resource: arn, Keys: map[string][]string{}}
			if q.Has("prefix") {
				a.Keys["s3:prefix"] = q["prefix"][:1]
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

// A tableAccess is what of a request to DynamoDB, or of a part of it, says what it does.
type tableAccess struct {
	TableName                 string
	Key, Item                 map[string]any
	KeyConditionExpression    string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues map[string]any
}

func dynamoAccesses(r *http.Request, body []byte) ([]Access, error) {
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var in struct {
		tableAccess
		TransactItems []map[string]tableAccess
		RequestItems  map[string]json.RawMessage
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	var all []Access
	for _, item := range in.TransactItems { // each needs the right to its own operation
		for part, a := range item {
			all = append(all, a.access(map[string]string{"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "Get": "GetItem",
				"ConditionCheck": "ConditionCheckItem"}[part]))
		}
	}
	for name, batch := range in.RequestItems {
		a := tableAccess{TableName: name}.access(op)
		a.Keys["dynamodb:LeadingKeys"] = partitions(batch)
		all = append(all, a)
	}
	if in.TableName != "" {
		all = append(all, in.access(op))
	}
	return all, nil
}

func (t tableAccess) access(op string) Access {
	a := Access{Action: "dynamodb:" + op, Resource: "arn:aws:dynamodb:" + region + ":" + account + ":table/" + t.TableName, Keys: map[string][]string{}}
	key := t.Key["pk"]
	if t.Item != nil {
		key = t.Item["pk"]
	}
	if left, right, ok := strings.Cut(t.KeyConditionExpression, "="); ok { // of a Query: pk = :value, first
		name := strings.Trim(left, " (")
		if alias, ok := t.ExpressionAttributeNames[name]; ok {
			name = alias
		}
		if value, _, _ := strings.Cut(strings.Trim(right, " ("), " "); name == "pk" {
			key = t.ExpressionAttributeValues[strings.TrimRight(value, ")")]
		}
	}
	if value, ok := key.(map[string]any); ok {
		a.Keys["dynamodb:LeadingKeys"] = []string{fmt.Sprint(value["S"])}
	}
	return a
}

// partitions are the values of all attributes pk in a batch.
func partitions(batch json.RawMessage) []string {
	var found []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			if pk, ok := v["pk"].(map[string]any); ok {
				found = append(found, fmt.Sprint(pk["S"]))
				return
			}
			for _, x := range v {
				walk(x)
			}
		}
	}
	var v any
	if json.Unmarshal(batch, &v) == nil {
		walk(v)
	}
	return found
}

func statesAccesses(r *http.Request, body []byte) ([]Access, error) {
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var in struct{ StateMachineARN, ExecutionARN string }
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return []Access{{Action: "states:" + op, Resource: in.StateMachineARN + in.ExecutionARN}}, nil
}
