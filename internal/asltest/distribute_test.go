package asltest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/asltest"
)

// mapped is a machine of one Distributed Map over the items of b/k.
func mapped(fields, child string) string {
	return `{"StartAt":"M","States":{"M":{"Type":"Map","Label":"L","ItemReader":{"Resource":"arn:aws:states:::s3:getObject",
		"ReaderConfig":{"InputType":"JSON"},"Parameters":{"Bucket.$":"$.b","Key":"k"}},"ItemProcessor":{"ProcessorConfig":
		{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"C","States":{"C":` + child + `}},"End":true` + fields + `}}}`
}

func over(w *world, items string) *world {
	w.read = func(bucket, key string) ([]byte, error) {
		if bucket != "b" || key != "k" {
			return nil, errors.New("NoSuchKey")
		}
		return []byte(items), nil
	}
	return w
}

func TestMap(t *testing.T) {
	t.Parallel()
	selector := `,"ItemSelector":{"v.$":"$$.Map.Item.Value","i.$":"$$.Map.Item.Index","b.$":"$.b"}`
	for name, c := range map[string]struct{ fields, child, items, want string }{
		"items":        {``, `{"Type":"Pass","End":true}`, `[1,{"a":2}]`, `[1,{"a":2}]`},
		"selector":     {selector, `{"Type":"Pass","End":true}`, `["x"]`, `[{"b":"b","i":0,"v":"x"}]`},
		"none":         {``, `{"Type":"Pass","End":true}`, `[]`, `[]`},
		"result":       {`,"ResultPath":null`, `{"Type":"Pass","End":true}`, `[1]`, `{"b":"b"}`},
		"no array":     {``, `{"Type":"Pass","End":true}`, `{}`, `FAILED States.ItemReaderFailed`},
		"one fails":    {``, `{"Type":"Fail","Error":"E"}`, `[1]`, `FAILED States.ExceedToleratedFailureThreshold`},
		"may fail":     {`,"ToleratedFailurePercentage":100`, `{"Type":"Fail","Error":"E"}`, `[1]`, `[null]`},
		"item missing": {`,"ItemSelector":{"v.$":"$$.Map.Item.Value.no"}`, `{"Type":"Pass","End":true}`, `[{}]`, `FAILED States.Runtime`},
		"concurrency":  {`,"MaxConcurrencyPath":"$.b"`, `{"Type":"Pass","End":true}`, `[1]`, `FAILED States.Runtime`},
		"results too large": {``, `{"Type":"Pass","Result":"` + strings.Repeat("x", 1000) + `","End":true}`, `[` + strings.Repeat("1,", 300) + `1]`,
			`FAILED States.DataLimitExceeded`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := outcome(over(newWorld(t, mapped(c.fields, c.child)), c.items).run(`{"b":"b"}`)); got != c.want {
				t.Errorf("%.200s\nwant %s", got, c.want)
			}
		})
	}
	if got := outcome(over(newWorld(t, mapped(``, `{"Type":"Succeed"}`)), `[]`).run(`{"b":"other"}`)); got != "FAILED States.ItemReaderFailed" {
		t.Error(got)
	}
}

func TestMapRunsSoManyAtOnce(t *testing.T) {
	t.Parallel()
	w := over(newWorld(t, mapped(`,"MaxConcurrencyPath":"$.n"`, task(``))), `[`+strings.Repeat("1,", 99)+`1]`)
	now, most := 0, 0
	w.reply = func(any) (any, error) {
		now++
		most = max(most, now)
		w.clock.Sleep(time.Second)
		now--
		return nil, nil
	}
	x := w.run(`{"b":"b","n":7}`)
	if most != 7 || x.Status != asltest.Succeeded || len(x.Children) != 100 || x.Stopped.Sub(x.Started) != 15*time.Second {
		t.Errorf("%s: at most %d at once, %d children, in %v", outcome(x), most, len(x.Children), x.Stopped.Sub(x.Started))
	}
}

// One that fails ends the others; an execution that is stopped ends its children.
func TestMapEndsItsChildren(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]bool{"one failed": false, "stopped": true} {
		t.Run(name, func(t *testing.T) {
			w := over(newWorld(t, mapped(``, task(``))), `[1,2,3]`)
			w.reply = func(in any) (any, error) {
				w.clock.Sleep(10 * time.Second)
				if in == 2.0 && !stop {
					return nil, errPlain
				}
				w.clock.Sleep(10 * time.Second)
				return nil, nil
			}
			x, err := w.engine.Start("x", []byte(`{"b":"b"}`))
			if err != nil {
				t.Fatal(err)
			}
			w.clock.Run(5 * time.Second)
			if stop {
				if err := w.engine.Stop("x", nil); err != nil {
					t.Fatal(err)
				}
			}
			w.clock.Run(time.Hour)
			var got []string
			for _, c := range x.Children {
				got = append(got, c.Status)
			}
			want := "FAILED [ABORTED FAILED ABORTED]"
			if stop {
				want = "ABORTED [ABORTED ABORTED ABORTED]"
			}
			if s := fmt.Sprint(x.Status, " ", got); s != want || len(w.ended) != 1 {
				t.Errorf("%s, %d events; want %s", s, len(w.ended), want)
			}
		})
	}
}

func TestTenThousandChildren(t *testing.T) {
	t.Parallel()
	w := over(newWorld(t, mapped(`,"MaxConcurrency":40,"ResultPath":null`, task(`,"OutputPath":null`))), `[`+strings.Repeat("1,", 9999)+`1]`)
	x := w.run(`{"b":"b"}`)
	if x.Status != asltest.Succeeded || len(x.Children) != 10_000 || len(w.lambda.Calls) != 10_000 || len(x.History) > 10 {
		t.Errorf("%s: %d children, %d calls, %d events", outcome(x), len(x.Children), len(w.lambda.Calls), len(x.History))
	}
}
