package template

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/lambdafn"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// The alarm for a refresh that takes long is fed by a line of the reaper's log.
func TestTheReaperRemarksOnLongRuns(t *testing.T) {
	c := newCloud(t)
	run := c.start(refresh.Request{})
	if _, err := c.desk("plan").Renew(t.Context(), run, 0); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	desk := c.desk("settle")
	desk.Log = lambdafn.NewLog(&log, slog.LevelInfo)
	remark := func(after time.Duration) string {
		log.Reset()
		c.now = c.now.Add(after)
		if changed, err := desk.Reap(t.Context()); changed || err != nil {
			t.Fatal(changed, err)
		}
		return log.String()
	}
	if got := remark(30 * time.Minute); got != "" {
		t.Errorf("after half an hour: %s", got)
	}
	var line map[string]any
	if got := remark(3 * time.Hour); json.Unmarshal([]byte(got), &line) != nil || line["lease_seconds"] != 3.5*3600 || line["run"] != run {
		t.Errorf("after 3.5 hours: %s", got)
	}

	filter, alarm := c.stack.properties("LeaseAge"), c.stack.properties("RunTooLongAlarm")
	metric := at(filter, "MetricTransformations").([]any)[0]
	if at(filter, "LogGroupName") != "<SettleLogs>" || at(metric, "MetricValue") != "$.lease_seconds" ||
		!strings.Contains(fmt.Sprint(at(filter, "FilterPattern")), "$.lease_seconds") {
		t.Errorf("filter %v", filter)
	}
	if at(metric, "MetricName") != at(alarm, "MetricName") || at(metric, "MetricNamespace") != at(alarm, "Namespace") {
		t.Errorf("the alarm watches %v, the filter makes %v", alarm, metric)
	}
}

// A function that was not called has no metric for that time. An alarm over several must hear of the others' all the same.
func TestAlarmsOverSeveralMetricsBearWithMissingOnes(t *testing.T) {
	s, sums := deploy(t), 0
	for _, name := range s.of("AWS::CloudWatch::Alarm") {
		metrics := list(s.properties(name, "Metrics"))
		if metrics == nil {
			continue
		}
		sums++
		returned := 0
		for _, m := range metrics {
			if at(m, "ReturnData") == true {
				returned++
				if got := at(m, "Expression"); got != "SUM(FILL(METRICS(), 0))" {
					t.Errorf("%s watches %v", name, got)
				}
			}
		}
		if returned != 1 || len(metrics) < 3 {
			t.Errorf("%s has %d metrics, of which it watches %d", name, len(metrics), returned)
		}
	}
	if sums != 3 {
		t.Errorf("%d alarms are over several metrics", sums)
	}
}
