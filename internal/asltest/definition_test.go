package asltest_test

import (
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/asltest"
)

// What a definition must not be: not by the specification, or not here. Nothing is ignored.
func TestRefused(t *testing.T) {
	t.Parallel()
	one := func(state string) string { return `{"StartAt":"A","States":{"A":` + state + `}}` }
	retry := func(r string) string { return one(task(`,"Retry":[` + r + `]`)) }
	for definition, want := range map[string]string{
		`{"StartAt":"A","States":{},"Version":"1.0"}`:                                                    "unknown field",
		`{"StartAt":"A","QueryLanguage":"JSONata","States":{}}`:                                          "unknown field",
		`{"StartAt":"B","States":{"A":{"Type":"Succeed"}}}`:                                              "no state",
		`{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"A"}}}`:                                      "no state ends",
		`{"StartAt":"A","States":{"A":{"Type":"Succeed"},"B":{"Type":"Succeed"}}}`:                       "cannot be reached",
		one(`{"Type":"Parallel","Branches":[]}`):                                                         "unknown field",
		one(`{"Type":"Wait","Timestamp":"2020-01-01T00:00:00Z","End":true}`):                             "unknown field",
		one(`{"Type":"Succeed","End":true}`):                                                             "not supported",
		one(`{"Type":"Pass","Next":"B"}`):                                                                "no state",
		one(`{"Type":"Pass"}`):                                                                           "either Next or End",
		one(`{"Type":"Pass","Parameters":{"a.$":"States.Format('x')"},"End":true}`):                      "does not begin with $",
		one(`{"Type":"Pass","Parameters":{"a.$":"$..b"},"End":true}`):                                    "not supported",
		one(`{"Type":"Pass","InputPath":"$.a[*]","End":true}`):                                           "not supported",
		one(`{"Type":"Pass","ResultPath":"$$.a","End":true}`):                                            "written",
		one(`{"Type":"Wait","End":true}`):                                                                "either Seconds",
		one(`{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","End":true}`):                  "not supported",
		one(`{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken","End":true}`):   "not supported",
		one(`{"Type":"Choice","Choices":[{"Variable":"$.a","StringMatches":"*","Next":"A"}]}`):           "unknown field",
		one(`{"Type":"Choice","Choices":[{"Variable":"$.a","IsNull":true}]}`):                            "Next",
		one(`{"Type":"Choice","Choices":[{"Variable":"$.a","IsNull":true,"IsString":true,"Next":"A"}]}`): "one comparison",
		retry(`{"ErrorEquals":["States.ALL","E"]}`):                                                      "ErrorEquals",
		retry(`{"ErrorEquals":["States.ALL"]},{"ErrorEquals":["E"]}`):                                    "last",
		retry(`{"ErrorEquals":["States.Al"]}`):                                                           "no error",
		retry(`{"ErrorEquals":[]}`):                                                                      "ErrorEquals",
		retry(`{"ErrorEquals":["E"],"IntervalSeconds":0}`):                                               "IntervalSeconds",
		retry(`{"ErrorEquals":["E"],"BackoffRate":0.5}`):                                                 "BackoffRate",
		retry(`{"ErrorEquals":["E"],"MaxAttempts":-1}`):                                                  "MaxAttempts",
		retry(`{"ErrorEquals":["E"],"IntervalSeconds":5,"MaxDelaySeconds":5}`):                           "MaxDelaySeconds",
		retry(`{"ErrorEquals":["E"],"JitterStrategy":"SOME"}`):                                           "JitterStrategy",
		retry(`{"ErrorEquals":["E"],"Jitter":"FULL"}`):                                                   "unknown field",
		mapped(`,"ItemBatcher":{}`, `{"Type":"Succeed"}`):                                                "unknown field",
		mapped(`,"ToleratedFailurePercentage":101`, `{"Type":"Succeed"}`):                                "ToleratedFailurePercentage",
		strings.Replace(mapped(``, `{"Type":"Succeed"}`), "DISTRIBUTED", "INLINE", 1):                    "not supported",
		strings.Replace(mapped(``, `{"Type":"Succeed"}`), `"JSON"`, `"CSV"`, 1):                          "not supported",
		strings.Replace(mapped(``, `{"Type":"Succeed"}`), `"L"`, `"a b"`, 1):                             "label",
		mapped(``, `{"Type":"Pass","Next":"M"}`):                                                         "no state",
		`{"StartAt":"${A}","States":{}}`:                                                                 "no substitution",
	} {
		if _, err := asltest.Parse([]byte(definition), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n%v; want %q", definition, err, want)
		}
	}
}
