package template

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// What docs/operations.md says of times and numbers is what template and workflow do.
func TestNumbersOfDocuments(t *testing.T) {
	s := deploy(t, "ReserveConcurrency=true")
	n := func(resource string, names ...string) int { return number(t, s.properties(resource, names...)) }
	m := machine(t)
	deadline := 0
	tasks(m, func(_, function string, state object) {
		for _, r := range list(state["Retry"]) {
			if function == "ScanFunction" && texts(at(r, "ErrorEquals"))[0] == "DeadlineError" {
				deadline = number(t, at(r, "MaxAttempts"))
			}
		}
	})
	docs := strings.Join(strings.Fields(readFile(t, "docs/operations.md")), " ")
	for _, c := range []struct {
		says string
		so   bool
	}{
		{"failed ten times within an hour", n("EventsQueue", "RedrivePolicy", "maxReceiveCount") == 10 && 10*n("EventsQueue", "VisibilityTimeout") < 3600},
		{"one took the six hours of its workflow", number(t, m["TimeoutSeconds"]) == 6*3600},
		{"one has been running for two hours", n("RunTooLongAlarm", "Threshold") == 2*3600},
		{"events wait for longer than a quarter of an hour", n("EventsQueueAgeAlarm", "Threshold") == 900},
		{"a Shard in 15 minutes, 20 times over", n("ScanFunction", "Timeout") == 900 && deadline == 20},
		{"one function of 15 minutes and 2 GB", n("PlanFunction", "Timeout") == 900 && n("PlanFunction", "MemorySize") == 2048},
		{"readers at most 50, start 8, settle 2", n("ApiFunction", "ReservedConcurrentExecutions") == 50 &&
			n("StartFunction", "ReservedConcurrentExecutions") == 8 && n("SettleFunction", "ReservedConcurrentExecutions") == 2},
		{fmt.Sprintf("| %d rules |", len(s.of("AWS::Events::Rule"))), true},
	} {
		if !strings.Contains(docs, c.says) || !c.so {
			t.Errorf("%q: documented %v, true %v", c.says, strings.Contains(docs, c.says), c.so)
		}
	}
}

// Commands of the documents name resources and outputs that are there.
func TestCommandsOfDocuments(t *testing.T) {
	s := deploy(t)
	docs := readFile(t, "README.md") + readFile(t, "docs/operations.md")
	resources := regexp.MustCompile(`--logical-resource-id (\w+)`).FindAllStringSubmatch(docs, -1)
	for _, r := range resources {
		if s.properties(r[1]) == nil {
			t.Errorf("there is no resource %s", r[1])
		}
	}
	outputs := regexp.MustCompile(`(?:OutputKey=='|\$\(output |\$\(arn )(\w+)`).FindAllStringSubmatch(docs, -1)
	for _, o := range outputs {
		if _, ok := s.outputs[o[1]]; !ok {
			t.Errorf("there is no output %s", o[1])
		}
	}
	if len(resources) == 0 || len(outputs) == 0 {
		t.Errorf("%d resources and %d outputs are named", len(resources), len(outputs))
	}
	// EventBridge puts messages into it too, which SQS cannot send back by itself.
	if !strings.Contains(docs, `--source-arn "$(arn EventsDeadLetters)" --destination-arn "$(arn EventsQueue)"`) ||
		s.properties("SourceRule", "Targets").([]any)[0].(object)["DeadLetterConfig"] == nil {
		t.Error("dead letters are not sent back to the queue of events by name")
	}
	// A header without a value is signed by curl, and not sent: the signature does not match.
	if strings.Contains(docs, `-H "x-amz-security-token: $`) || !strings.Contains(docs, `${AWS_SESSION_TOKEN:+"-Hx-amz-security-token:$AWS_SESSION_TOKEN"}`) {
		t.Error("requests are signed with a session token where there may be none")
	}
	for _, name := range regexp.MustCompile(`--function-name ([\w-]+)`).FindAllStringSubmatch(docs, -1) {
		t.Errorf("functions have names that CloudFormation makes, %s is none", name[1])
	}
}
