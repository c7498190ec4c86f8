package template

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// A policy is what a role may do.
type policy struct {
	role       string
	statements []any
}

func (s *stack) policy(step string) policy {
	s.t.Helper()
	p := policy{role: logical(step, "Role")}
	for _, inline := range s.properties(p.role, "Policies").([]any) {
		p.statements = append(p.statements, at(inline, "PolicyDocument", "Statement").([]any)...)
	}
	if s.properties(p.role, "ManagedPolicyArns") != nil {
		s.t.Errorf("%s has policies that are not written out", p.role)
	}
	return p
}

// allows tells whether an action on a resource is allowed, where the request has these condition keys.
func (p policy) allows(action, resource string, keys map[string][]string) bool {
	for _, st := range p.statements {
		if at(st, "Effect") == "Allow" && slices.Contains(texts(at(st, "Action")), action) &&
			slices.ContainsFunc(texts(at(st, "Resource")), func(pattern string) bool { return like(pattern, resource) }) &&
			met(at(st, "Condition"), keys) {
			return true
		}
	}
	return false
}

// met tells whether the conditions of a statement hold.
func met(conditions any, keys map[string][]string) bool {
	if conditions == nil {
		return true
	}
	for operator, wanted := range conditions.(object) {
		for key, patterns := range wanted.(object) {
			values, there := keys[key]
			all := !slices.ContainsFunc(values, func(v string) bool {
				return !slices.ContainsFunc(texts(patterns), func(p string) bool { return like(p, v) })
			})
			switch operator {
			case "StringLike":
				if !there || !all {
					return false
				}
			case "StringLikeIfExists", "ForAllValues:StringLike":
				if !all {
					return false
				}
			default:
				panic("operator " + operator)
			}
		}
	}
	return true
}

// like matches as IAM does, with * for anything.
func like(pattern, s string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, head)
	if !ok || rest == "" {
		return ok
	}
	for i := range len(s) + 1 {
		if like(rest, s[i:]) {
			return true
		}
	}
	return false
}

// A guarded store does what a policy allows, and answers as S3 does. What it refused is told at the end of the test.
type guarded struct {
	objstore.Store
	t      testing.TB
	policy policy
	bucket string // ARN
	prefix string // of the keys
}

func (g *guarded) may(action, key string) error {
	resource, keys := g.bucket+"/"+g.prefix+key, map[string][]string{}
	if action == "s3:ListBucket" {
		resource, keys = g.bucket, map[string][]string{"s3:prefix": {g.prefix + key}}
	}
	if g.policy.allows(action, resource, keys) {
		return nil
	}
	g.t.Errorf("%s may not %s %s", g.policy.role, action, resource)
	return fmt.Errorf("%s of %s: %w", action, resource, fs.ErrPermission)
}

func (g *guarded) List(ctx context.Context, r objstore.Range) iter.Seq2[objstore.Object, error] {
	if err := g.may("s3:ListBucket", ""); err != nil {
		return func(yield func(objstore.Object, error) bool) { yield(objstore.Object{}, err) }
	}
	return g.Store.List(ctx, r)
}

func (g *guarded) Get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	if err := g.may("s3:GetObject", key); err != nil {
		return nil, objstore.Object{}, err
	}
	body, o, err := g.Store.Get(ctx, key, off, n, ifMatch)
	if missing := err != nil && strings.Contains(err.Error(), fs.ErrNotExist.Error()); missing &&
		!g.policy.allows("s3:ListBucket", g.bucket, nil) { // such a request names no prefix
		g.t.Errorf("%s is not told that %s is missing", g.policy.role, key)
	}
	return body, o, err
}

func (g *guarded) Put(ctx context.Context, key string, body []byte, opt objstore.PutOptions) (string, error) {
	actions := []string{"s3:PutObject"}
	if opt.IfMatch != "" || opt.IfAbsent { // which looks at what is there, itself or after a lost reply
		actions = append(actions, "s3:GetObject")
	}
	for _, action := range actions {
		if err := g.may(action, key); err != nil {
			return "", err
		}
	}
	return g.Store.Put(ctx, key, body, opt)
}

func (g *guarded) Delete(ctx context.Context, key string) error {
	if err := g.may("s3:DeleteObject", key); err != nil {
		return err
	}
	return g.Store.Delete(ctx, key)
}

// guardedTable makes a client's requests only where a policy allows them.
func guardedTable(t testing.TB, p policy) func(*dynamodb.Options) {
	return func(o *dynamodb.Options) { o.HTTPClient = &tableGuard{t, p} }
}

type tableGuard struct {
	t      testing.TB
	policy policy
}

func (g *tableGuard) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	for _, a := range tableActions(g.t, op, body) {
		if !g.policy.allows("dynamodb:"+a.action, "<Table.Arn>", map[string][]string{"dynamodb:LeadingKeys": {a.partition}}) {
			g.t.Errorf("%s may not dynamodb:%s %s", g.policy.role, a.action, a.partition)
		}
	}
	return http.DefaultClient.Do(r)
}

type tableAction struct{ action, partition string }

// tableActions are those that a request needs the right to: for a transaction, each of its parts'.
func tableActions(t testing.TB, op string, body []byte) []tableAction {
	type keyed struct {
		Key  map[string]map[string]string
		Item map[string]map[string]string
	}
	var in struct {
		keyed
		Values map[string]map[string]string `json:"ExpressionAttributeValues"`
		Parts  []map[string]keyed           `json:"TransactItems"`
	}
	_ = json.Unmarshal(body, &in) // other values than strings are not looked at
	partition := func(k keyed) string {
		if k.Key != nil {
			return k.Key["pk"]["S"]
		}
		return k.Item["pk"]["S"]
	}
	var out []tableAction
	switch op {
	case "TransactWriteItems":
		for _, part := range in.Parts {
			for kind, k := range part {
				out = append(out, tableAction{kind + "Item", partition(k)})
			}
		}
	case "Query":
		out = append(out, tableAction{op, in.Values[":pk"]["S"]})
	default:
		out = append(out, tableAction{op, partition(in.keyed)})
	}
	for _, a := range out {
		if a.partition == "" {
			t.Errorf("%s of an unknown partition: %s", a.action, body)
		}
	}
	return out
}

// forced are the actions for which AWS names no resource.
var forced = []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets",
	"logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery", "logs:ListLogDeliveries",
	"logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups"}

func TestPoliciesNameTheirResources(t *testing.T) {
	s := deploy(t, "SourceKmsKeyArn=arn:aws:kms:eu-west-1:111111111111:key/k", "SourcePrefix=2024/")
	if got := s.of("AWS::IAM::Role"); len(got) != len(seven)+1 {
		t.Errorf("roles %v", got)
	}
	for _, kind := range []string{"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"} {
		if got := s.of(kind); got != nil {
			t.Errorf("policies %v are not looked at", got)
		}
	}
	for _, step := range append([]string{"workflow"}, seven...) {
		p := s.policy(step)
		for _, st := range p.statements {
			for _, action := range texts(at(st, "Action")) {
				service, name, _ := strings.Cut(action, ":")
				for _, resource := range texts(at(st, "Resource")) {
					switch {
					case strings.Contains(name, "*"):
						t.Errorf("%s may do %s", p.role, action)
					case at(st, "Effect") != "Allow", at(st, "NotAction") != nil, at(st, "NotResource") != nil:
						t.Errorf("%s has statement %v", p.role, st)
					case resource == "*" && !slices.Contains(forced, action):
						t.Errorf("%s may %s everything", p.role, action)
					case strings.HasPrefix(resource, "arn:aws:s3:::imagery") && action != "s3:GetObject" && action != "s3:ListBucket":
						t.Errorf("%s may %s the Source", p.role, action)
					case resource == "arn:aws:s3:::imagery/*", strings.HasPrefix(resource, "arn:aws:s3:::*"):
						t.Errorf("%s may %s %s, beside the prefix", p.role, action, resource)
					case resource == "<CatalogBucket.Arn>/*":
						t.Errorf("%s may %s all of the Catalog", p.role, action)
					case resource == "*":
					case service == "s3" && !strings.HasPrefix(resource, "<CatalogBucket.Arn>") && !strings.HasPrefix(resource, "arn:aws:s3:::imagery"):
						t.Errorf("%s may %s %s", p.role, action, resource)
					case strings.HasPrefix(resource, "arn:aws:states:") && !strings.Contains(resource, ":stack-refresh"):
						t.Errorf("%s may %s %s", p.role, action, resource)
					}
				}
			}
		}
	}
}

func TestOnlyWhoNeedsToMay(t *testing.T) {
	s := deploy(t)
	for action, want := range map[string][]string{
		"dynamodb:DeleteItem":   {"start", "settle"},
		"dynamodb:PutItem":      {"start", "plan", "settle", "api"},
		"s3:DeleteObject":       {"publish"},
		"s3:PutObject":          {"start", "plan", "scan", "publish", "settle"},
		"states:StartExecution": {"start", "settle"},
		"states:StopExecution":  {"start", "settle", "api"},
		"sqs:ReceiveMessage":    {"start"},
		"sqs:SendMessage":       {"start", "settle"},
		"lambda:InvokeFunction": nil,
	} {
		var got []string
		for _, step := range seven {
			if slices.ContainsFunc(s.policy(step).statements, func(st any) bool { return slices.Contains(texts(at(st, "Action")), action) }) {
				got = append(got, step)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s is allowed to %v, want %v", action, got, want)
		}
	}
	for _, step := range seven {
		if got := s.policy(step).allows("s3:GetObject", "arn:aws:s3:::imagery/a.tif", nil); got != (step == "scan") {
			t.Errorf("%s may read rasters: %v", step, got)
		}
	}
}

func TestWorkflowMayDoWhatItsStatesDo(t *testing.T) {
	s := deploy(t)
	p := s.policy("workflow")
	tasks(machine(t), func(name, function string, _ object) {
		if !p.allows("lambda:InvokeFunction", "<"+function+".Arn>", nil) {
			t.Errorf("the workflow may not do %s", name)
		}
	})
	machine := "arn:aws:states:eu-west-1:account:stateMachine:stack-refresh"
	for action, resource := range map[string]string{
		"s3:GetObject":             "<CatalogBucket.Arn>/runs/R/1/shards.json",
		"states:StartExecution":    machine,
		"states:DescribeExecution": "arn:aws:states:eu-west-1:account:execution:stack-refresh/Scan:child",
		"states:StopExecution":     "arn:aws:states:eu-west-1:account:execution:stack-refresh:child",
	} {
		if !p.allows(action, resource, nil) {
			t.Errorf("the workflow may not %s %s", action, resource)
		}
	}
	for _, c := range []struct{ step, action, resource string }{
		{"start", "states:StartExecution", machine},
		{"start", "states:DescribeExecution", "arn:aws:states:eu-west-1:account:execution:stack-refresh:R"},
		{"settle", "states:StartExecution", machine},
		{"settle", "states:DescribeExecution", "arn:aws:states:eu-west-1:account:execution:stack-refresh:R"},
		{"settle", "states:StopExecution", "arn:aws:states:eu-west-1:account:execution:stack-refresh:R"},
		{"api", "states:StopExecution", "arn:aws:states:eu-west-1:account:execution:stack-refresh:R"},
		{"start", "sqs:DeleteMessage", "<EventsQueue.Arn>"},
		{"start", "sqs:GetQueueAttributes", "<EventsQueue.Arn>"},
		{"start", "sqs:SendMessage", "<EndingsDeadLetters.Arn>"},
		{"settle", "sqs:SendMessage", "<EndingsDeadLetters.Arn>"},
	} {
		if !s.policy(c.step).allows(c.action, c.resource, nil) {
			t.Errorf("%s may not %s %s", c.step, c.action, c.resource)
		}
	}
	for _, step := range seven {
		for _, c := range [][2]string{
			// The Arn ends in ":*", which is what IAM wants; one more would ask for one more colon in the name of a stream.
			{"logs:PutLogEvents", "<" + logical(step, "Logs") + ".Arn>"}, {"logs:CreateLogStream", "<" + logical(step, "Logs") + ".Arn>"},
			{"xray:PutTraceSegments", "*"},
		} {
			if !s.policy(step).allows(c[0], c[1], nil) {
				t.Errorf("%s may not %s", step, c[0])
			}
		}
	}
}
