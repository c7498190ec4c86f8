package template

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestEachFunctionIsThere(t *testing.T) {
	s := deploy(t)
	var want []string
	for _, step := range seven {
		want = append(want, logical(step, "Function"))
		if _, err := os.Stat(root + "functions/" + step + "/main.go"); err != nil {
			t.Error(err)
		}
		if got := s.properties(logical(step, "Function"), "Role"); got != "<"+logical(step, "Role")+".Arn>" {
			t.Errorf("%s has the role %v", step, got)
		}
		if got := s.properties(logical(step, "Logs"), "LogGroupName"); got != "/aws/lambda/stack-"+step {
			t.Errorf("%s logs to %v", step, got)
		}
		if got := s.properties(logical(step, "Function"), "LoggingConfig"); at(got, "LogGroup") != "<"+logical(step, "Logs")+">" || at(got, "LogFormat") != "JSON" {
			t.Errorf("%s logs by %v", step, got)
		}
		if got := at(s.resources, logical(step, "Function"), "Metadata", "BuildMethod"); got != "makefile" {
			t.Errorf("%s is built by %v", step, got)
		}
	}
	slices.Sort(want)
	if got := s.of("AWS::Serverless::Function"); !slices.Equal(got, want) {
		t.Errorf("functions %v, want %v", got, want)
	}
	if !strings.Contains(readFile(t, "Makefile"), "\nSTEPS = "+strings.Join(seven, " ")+"\n") {
		t.Error("make functions builds others")
	}
	g := s.globals["Function"]
	if at(g, "Runtime") != "provided.al2023" || at(g, "Handler") != "bootstrap" || at(g, "Tracing") != "Active" ||
		!slices.Equal(texts(at(g, "Architectures")), []string{"arm64"}) {
		t.Errorf("functions are %v", g)
	}
}

func TestEnvironmentIsWhatFunctionsRead(t *testing.T) {
	variable := regexp.MustCompile(`"(CAIRN_[A-Z_]+)"`)
	read := map[string]bool{}
	files, err := filepath.Glob(root + "internal/cloud/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		for _, m := range variable.FindAllStringSubmatch(readFile(t, strings.TrimPrefix(f, root)), -1) {
			read[m[1]] = true
		}
	}
	given := at(deploy(t).globals, "Function", "Environment", "Variables").(object)
	if a, b := slices.Sorted(maps.Keys(read)), slices.Sorted(maps.Keys(given)); !slices.Equal(a, b) {
		t.Errorf("functions read %v and are given %v", a, b)
	}
}

// machine is workflow.asl.json.
func machine(t testing.TB) object {
	t.Helper()
	var out object
	if err := json.Unmarshal([]byte(readFile(t, "workflow.asl.json")), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWorkflowSubstitutions(t *testing.T) {
	s := deploy(t)
	wanted := map[string]bool{}
	for _, m := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(readFile(t, "workflow.asl.json"), -1) {
		wanted[m[1]] = true
	}
	given := s.properties("Workflow", "DefinitionSubstitutions").(object)
	if a, b := slices.Sorted(maps.Keys(wanted)), slices.Sorted(maps.Keys(given)); !slices.Equal(a, b) {
		t.Errorf("the workflow wants %v and is given %v", a, b)
	}
	for name, arn := range given {
		if strings.HasSuffix(name, "Function") && arn != "<"+name+".Arn>" {
			t.Errorf("%s is %v", name, arn)
		}
	}
	arn := at(s.globals, "Function", "Environment", "Variables", "CAIRN_STATE_MACHINE").(string)
	if name := s.properties("Workflow", "Name"); !strings.HasSuffix(arn, ":stateMachine:"+name.(string)) {
		t.Errorf("functions start %s, the workflow is called %s", arn, name)
	}
}

// tasks visits the Task states of a machine and of its Maps, with the function that each calls.
func tasks(m any, visit func(name, function string, state object)) {
	for name, state := range at(m, "States").(object) {
		state := state.(object)
		if state["Type"] == "Task" {
			visit(name, strings.Trim(at(state, "Parameters", "FunctionName").(string), "${}"), state)
		}
		if inner := state["ItemProcessor"]; inner != nil {
			tasks(inner, visit)
		}
	}
}

func TestTimesAreInOrder(t *testing.T) {
	s := deploy(t)
	timeout := func(function string) int { return number(t, s.properties(function, "Timeout")) }
	whole := number(t, machine(t)["TimeoutSeconds"])
	n := 0
	tasks(machine(t), func(name, function string, state object) {
		n++
		if wait := number(t, state["TimeoutSeconds"]); wait <= timeout(function) || wait >= whole {
			t.Errorf("%s waits %d s for a function of %d s, the workflow lasts %d", name, wait, timeout(function), whole)
		}
	})
	if n < 5 {
		t.Errorf("%d tasks", n)
	}
	for _, r := range s.routes() {
		if timeout(r.function) >= 30 {
			t.Errorf("API Gateway does not wait %d s for %s", timeout(r.function), r.function)
		}
	}
	queue := s.properties("EventsQueue")
	window := number(t, s.properties("EventsToStart", "MaximumBatchingWindowInSeconds"))
	if got, want := number(t, at(queue, "VisibilityTimeout")), 6*timeout("StartFunction")+window; got < want || window != 60 {
		t.Errorf("messages come again after %d s, the function and the window of %d s want %d", got, window, want)
	}
	for _, dead := range []string{"EventsDeadLetters", "EndingsDeadLetters"} {
		if got := number(t, s.properties(dead, "MessageRetentionPeriod")); got != 14*24*3600 || got <= number(t, at(queue, "MessageRetentionPeriod")) {
			t.Errorf("%s keeps for %d s", dead, got)
		}
	}
	for _, step := range seven {
		if got := timeout(logical(step, "Function")); got > 900 {
			t.Errorf("%s may take %d s", step, got)
		}
	}
}

func TestNothingIsLostUnseen(t *testing.T) {
	s := deploy(t)
	if got := at(s.properties("EventsQueue", "RedrivePolicy"), "deadLetterTargetArn"); got != "<EventsDeadLetters.Arn>" {
		t.Errorf("the queue gives up to %v", got)
	}
	if got := texts(s.properties("EventsToStart", "FunctionResponseTypes")); !slices.Equal(got, []string{"ReportBatchItemFailures"}) {
		t.Errorf("one bad message takes others with it: %v", got)
	}
	rules := s.of("AWS::Events::Rule")
	if want := []string{"EndingRule", "ReaperRule", "ScheduleRule", "SourceRule"}; !slices.Equal(rules, want) {
		t.Fatalf("rules %v", rules)
	}
	for _, name := range rules {
		target := s.properties(name, "Targets").([]any)[0]
		dead, retries := at(target, "DeadLetterConfig", "Arn"), number(t, at(target, "RetryPolicy", "MaximumRetryAttempts"))
		if name == "ReaperRule" { // comes again by itself
			continue
		}
		if retries < 10 || dead == nil {
			t.Errorf("%s tries %d times and gives up to %v", name, retries, dead)
		}
		allowed := false
		for _, policy := range s.of("AWS::SQS::QueuePolicy") {
			for _, st := range list(s.properties(policy, "PolicyDocument", "Statement")) {
				if slices.Contains(texts(at(st, "Resource")), fmt.Sprint(dead)) &&
					slices.Contains(texts(at(st, "Condition", "ArnEquals", "aws:SourceArn")), "<"+name+".Arn>") {
					allowed = true
				}
			}
		}
		if !allowed {
			t.Errorf("%s may not send to %v", name, dead)
		}
	}
	for _, function := range []string{"StartFunction", "SettleFunction"} { // called without anybody waiting
		if got := s.properties(function, "DeadLetterQueue", "TargetArn"); got != "<EndingsDeadLetters.Arn>" {
			t.Errorf("%s gives up to %v", function, got)
		}
	}
	for _, queue := range s.of("AWS::SQS::Queue") {
		if s.properties(queue, "SqsManagedSseEnabled") != true {
			t.Errorf("%s is not encrypted", queue)
		}
		watched := slices.ContainsFunc(s.of("AWS::CloudWatch::Alarm"), func(alarm string) bool {
			return strings.Contains(fmt.Sprint(s.properties(alarm, "Dimensions")), "<"+queue+".QueueName>")
		})
		if !watched {
			t.Errorf("no alarm watches %s", queue)
		}
	}
	for _, alarm := range s.of("AWS::CloudWatch::Alarm") {
		if got := texts(s.properties(alarm, "AlarmActions")); !slices.Equal(got, []string{"<AlarmTopic>"}) {
			t.Errorf("%s tells %v", alarm, got)
		}
	}
}

func TestEndingsOfTheWorkflowAreSettled(t *testing.T) {
	s := deploy(t)
	pattern := s.properties("EndingRule", "EventPattern")
	if got := texts(at(pattern, "detail", "status")); !slices.Equal(got, []string{"FAILED", "TIMED_OUT", "ABORTED"}) {
		t.Errorf("statuses %v", got)
	}
	// By the machine's own ARN: children of its Map have another one.
	if got := texts(at(pattern, "detail", "stateMachineArn")); !slices.Equal(got, []string{"<Workflow>"}) {
		t.Errorf("machines %v", got)
	}
	for rule, want := range map[string]string{"EndingRule": "<SettleFunction.Arn>", "ReaperRule": "<SettleFunction.Arn>", "ScheduleRule": "<StartFunction.Arn>"} {
		if got := at(s.properties(rule, "Targets").([]any)[0], "Arn"); got != want {
			t.Errorf("%s calls %v", rule, got)
		}
	}
	if got := at(s.properties("ReaperRule", "Targets").([]any)[0], "Input"); got != `{"cairn":"reap"}` {
		t.Errorf("the reaper is given %v", got)
	}
	if got := at(s.properties("ScheduleRule", "Targets").([]any)[0], "Input"); got != `{"cairn":"schedule"}` {
		t.Errorf("the schedule gives %v", got)
	}
	if s := deploy(t, "Schedule=", "SourceEvents=false"); len(s.of("AWS::Events::Rule")) != 2 {
		t.Errorf("turned off, there are %v", s.of("AWS::Events::Rule"))
	}
}

func TestTheCatalogsOwnWritesAreNotEvents(t *testing.T) {
	s := deploy(t, "SourcePrefix=2024/")
	if got := s.of("AWS::S3::Bucket"); !slices.Equal(got, []string{"CatalogBucket"}) {
		t.Fatalf("buckets %v", got)
	}
	if got := s.properties("CatalogBucket", "NotificationConfiguration"); got != nil {
		t.Errorf("the Catalog notifies %v", got)
	}
	detail := at(s.properties("SourceRule", "EventPattern"), "detail")
	if got := texts(at(detail, "bucket", "name")); !slices.Equal(got, []string{"imagery"}) {
		t.Errorf("events of %v", got)
	}
	if got := fmt.Sprint(at(detail, "object", "key")); got != "[map[prefix:2024/]]" {
		t.Errorf("events of keys %v", got)
	}
	if got := at(deploy(t).properties("SourceRule", "EventPattern"), "detail", "object"); got != nil {
		t.Errorf("without a prefix, events of %v", got)
	}
	// The Catalog's bucket has a name of CloudFormation's making, which no parameter can be.
	parameter := at(parse(t, readFile(t, "template.yaml")), "Parameters", "SourceBucket")
	pattern, ok := strings.CutPrefix(at(parameter, "AllowedPattern").(string), "^(?!.*-catalogbucket-)")
	if !ok || s.properties("CatalogBucket", "BucketName") != nil {
		t.Error("the Source may be the Catalog's bucket")
	}
	rest := regexp.MustCompile("^" + pattern)
	for name, want := range map[string]bool{"imagery": true, "a.b-c": true, "s3://imagery": false, "*": false, "im": false, "": false} {
		if rest.MatchString(name) != want {
			t.Errorf("bucket %q is taken: %v", name, !want)
		}
	}
}

func TestPrefixesHoldNoWildcards(t *testing.T) {
	parameter := at(parse(t, readFile(t, "template.yaml")), "Parameters", "SourcePrefix")
	pattern := regexp.MustCompile(at(parameter, "AllowedPattern").(string))
	for prefix, want := range map[string]bool{
		"": true, "2024/": true, "a b/c-d_e.f/": true, // what is a prefix
		"2024": false, "/a/": false, "a//": false, "*/": false, "a?/": false, "${aws:username}/": false, "a/\x00/": false,
	} {
		if pattern.MatchString(prefix) != want {
			t.Errorf("prefix %q is taken: %v", prefix, !want)
		}
	}
}

func TestWhatIsKeptIsKeptSafely(t *testing.T) {
	s := deploy(t)
	for _, name := range []string{"CatalogBucket", "Table"} {
		if r := s.resources[name]; at(r, "DeletionPolicy") != "Retain" || at(r, "UpdateReplacePolicy") != "Retain" {
			t.Errorf("%s goes with the stack", name)
		}
	}
	b := s.properties("CatalogBucket")
	for _, what := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
		if at(b, "PublicAccessBlockConfiguration", what) != true {
			t.Errorf("the Catalog's bucket is without %s", what)
		}
	}
	if at(b, "VersioningConfiguration", "Status") != "Enabled" || at(b, "BucketEncryption") == nil {
		t.Errorf("the Catalog's bucket is %v", b)
	}
	if rules := fmt.Sprint(at(b, "LifecycleConfiguration", "Rules")); !strings.Contains(rules, "NoncurrentVersionExpiration") ||
		!strings.Contains(rules, "AbortIncompleteMultipartUpload") {
		t.Errorf("old versions stay: %v", rules)
	}
	for _, r := range list(at(b, "LifecycleConfiguration", "Rules")) {
		if at(r, "ExpirationInDays") != nil || at(r, "Expiration") != nil {
			t.Errorf("%v removes what the Catalog needs", at(r, "Id"))
		}
	}
	table := s.properties("Table")
	if at(table, "TimeToLiveSpecification", "AttributeName") != "expires" || at(table, "BillingMode") != "PAY_PER_REQUEST" ||
		at(table, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled") != true || at(table, "DeletionProtectionEnabled") != "true" {
		t.Errorf("the table is %v", table)
	}
	if got := fmt.Sprint(at(table, "KeySchema")); got != "[map[AttributeName:pk KeyType:HASH] map[AttributeName:sk KeyType:RANGE]]" {
		t.Errorf("the table's keys are %v", got)
	}
	if got := s.properties("Workflow", "Logging"); at(got, "IncludeExecutionData") != false {
		t.Errorf("the workflow logs %v", got)
	}
}

// A second stack lives beside the first: what must be unique in a region has no name of its own, or the stack's in it.
func TestNamesBearTheStacks(t *testing.T) {
	s := deploy(t)
	unique := regexp.MustCompile(`^(Bucket|Table|Queue|Topic|Role|Alarm|LogGroup|Function|StateMachine|ManagedPolicy|Dashboard)?Name$`)
	named := 0
	for name, r := range s.resources {
		properties, _ := at(r, "Properties").(object)
		for property, value := range properties {
			text, ok := value.(string)
			if !unique.MatchString(property) || !ok || strings.HasPrefix(text, "<") { // a reference to another resource
				continue
			}
			named++
			if !strings.Contains(text, "stack") && name != "JwtAuthorizer" && at(r, "Type") != "AWS::CloudWatch::Alarm" {
				t.Errorf("%s is called %s in every stack", name, text)
			}
			if at(r, "Type") == "AWS::CloudWatch::Alarm" && property == "AlarmName" {
				t.Errorf("%s has the name %s", name, text)
			}
		}
	}
	if named < 10 {
		t.Errorf("only %d names were looked at", named)
	}
}

func TestEverythingIsDocumented(t *testing.T) {
	tpl := parse(t, readFile(t, "template.yaml"))
	grouped := map[string]int{}
	for _, g := range list(at(tpl, "Metadata", "AWS::CloudFormation::Interface", "ParameterGroups")) {
		for _, p := range texts(at(g, "Parameters")) {
			grouped[p]++
		}
	}
	docs := readFile(t, "README.md") + readFile(t, "docs/operations.md")
	for name, p := range tpl["Parameters"].(object) {
		if at(p, "Description") == nil {
			t.Errorf("parameter %s has no description", name)
		}
		if grouped[name] != 1 {
			t.Errorf("parameter %s is in %d groups", name, grouped[name])
		}
		if !strings.Contains(docs, "`"+name+"`") {
			t.Errorf("no document tells of parameter %s", name)
		}
		if _, ok := at(p, "Default").(string); !ok && name != "SourceBucket" {
			t.Errorf("parameter %s has no default", name)
		}
	}
	if len(grouped) != len(tpl["Parameters"].(object)) {
		t.Errorf("groups name %d parameters, there are %d", len(grouped), len(tpl["Parameters"].(object)))
	}
	s := deploy(t, "AlarmEmail=a@b")
	for _, alarm := range s.of("AWS::CloudWatch::Alarm") {
		if !strings.Contains(docs, "`"+alarm+"`") {
			t.Errorf("no document tells what %s means", alarm)
		}
	}
	for name, o := range s.outputs {
		if at(o, "Description") == nil {
			t.Errorf("output %s has no description", name)
		}
	}
}
