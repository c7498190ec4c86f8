package cloudtest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAllowed(t *testing.T) {
	var statements []*Statement
	if err := json.Unmarshal([]byte(`[null,
		{"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/in/*"},
		{"Sid": "List", "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": "arn:aws:s3:::b",
			"Condition": {"StringLike": {"s3:prefix": "in/*"}}},
		{"Sid": "Missing", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::c",
			"Condition": {"Null": {"s3:prefix": "true"}}},
		{"Sid": "MissingToo", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::d",
			"Condition": {"StringLikeIfExists": {"s3:prefix": "in/*"}}},
		{"Sid": "Not", "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::b/in/secret/*"}]`), &statements); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, url, body string
		want              bool
	}{
		{"GET", "/b/in/a/b.tif", "", true},
		{"HEAD", "/b/in/a.tif", "", true},
		{"GET", "/b/out/a.tif", "", false},
		{"GET", "/b/in/secret/a.tif", "", false},
		{"GET", "/b/in/a.tif?versionId=1", "", false},
		{"PUT", "/b/in/a.tif", "", false},
		{"DELETE", "/b/in/a.tif", "", false},
		{"GET", "/b?list-type=2&prefix=in/a", "", true},
		{"GET", "/b?list-type=2&prefix=out/", "", false},
		{"GET", "/b?list-type=2", "", false},
		{"GET", "/c", "", true},
		{"GET", "/c?prefix=", "", false},
		{"GET", "/d", "", true},
		{"GET", "/d?prefix=in/", "", true},
		{"GET", "/d?prefix=out/", "", false},
		{"POST", "/b?delete", "<Delete><Object><Key>in/a</Key></Object></Delete>", false},
	} {
		r := httptest.NewRequest(c.method, "http://s3"+c.url, strings.NewReader(c.body))
		all, err := accesses("s3", r, []byte(c.body))
		if err != nil || len(all) != 1 {
			t.Fatalf("%s %s: %v, %v", c.method, c.url, all, err)
		}
		if got, err := allowed(statements, all[0]); err != nil || got != c.want {
			t.Errorf("%s %s (%s): %v, %v, want %v", c.method, c.url, all[0], got, err, c.want)
		}
	}
}

func TestLeadingKeys(t *testing.T) {
	var statements []*Statement
	if err := json.Unmarshal([]byte(`[{"Sid": "Progress", "Effect": "Allow", "Action": "dynamodb:*", "Resource": "*",
		"Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["progress#*"]}}}]`), &statements); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		target, body string
		want         bool
	}{
		{"UpdateItem", `{"TableName":"t","Key":{"pk":{"S":"progress#1"},"sk":{"S":"x"}}}`, true},
		{"UpdateItem", `{"TableName":"t","Key":{"pk":{"S":"control"},"sk":{"S":"x"}}}`, false},
		{"PutItem", `{"TableName":"t","Item":{"pk":{"S":"control"},"sk":{"S":"x"}}}`, false},
		{"Query", `{"TableName":"t","KeyConditionExpression":"pk = :run AND sk > :a","ExpressionAttributeValues":{":run":{"S":"progress#1"}}}`, true},
		{"Query", `{"TableName":"t","KeyConditionExpression":"(#0 = :0) AND (#1 > :1)","ExpressionAttributeNames":{"#0":"pk"},
			"ExpressionAttributeValues":{":0":{"S":"control"}}}`, false},
		{"BatchWriteItem", `{"RequestItems":{"t":[{"PutRequest":{"Item":{"pk":{"S":"progress#1"}}}},{"DeleteRequest":{"Key":{"pk":{"S":"control"}}}}]}}`, false},
		{"TransactWriteItems", `{"TransactItems":[{"Update":{"TableName":"t","Key":{"pk":{"S":"progress#1"}}}}]}`, true},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+c.target)
		all, err := accesses("dynamodb", r, []byte(c.body))
		if err != nil || len(all) != 1 {
			t.Fatalf("%s: %v, %v", c.target, all, err)
		}
		if got, err := allowed(statements, all[0]); err != nil || got != c.want {
			t.Errorf("%s %s: %v, %v, want %v", c.target, c.body, got, err, c.want)
		}
	}
}

func TestAccessesOfJSONServices(t *testing.T) {
	for _, c := range []struct{ service, target, body, want string }{
		{"dynamodb", "DynamoDB_20120810.GetItem", `{"TableName":"t"}`, "dynamodb:GetItem on arn:aws:dynamodb:us-east-1:123456789012:table/t"},
		{"dynamodb", "DynamoDB_20120810.TransactWriteItems", `{"TransactItems":[{"ConditionCheck":{"TableName":"t"}}]}`,
			"dynamodb:ConditionCheckItem on arn:aws:dynamodb:us-east-1:123456789012:table/t"},
		{"dynamodb", "DynamoDB_20120810.BatchWriteItem", `{"RequestItems":{"t":[]}}`,
			"dynamodb:BatchWriteItem on arn:aws:dynamodb:us-east-1:123456789012:table/t"},
		{"states", "AWSStepFunctions.StartExecution", `{"stateMachineArn":"arn:m"}`, "states:StartExecution on arn:m"},
		{"states", "AWSStepFunctions.StopExecution", `{"executionArn":"arn:e"}`, "states:StopExecution on arn:e"},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("X-Amz-Target", c.target)
		all, err := accesses(c.service, r, []byte(c.body))
		if err != nil || len(all) != 1 || all[0].String() != c.want {
			t.Errorf("%s: %v, %v, want %s", c.target, all, err, c.want)
		}
	}
}
