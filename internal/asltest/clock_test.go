package asltest_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/asltest"
)

var noon = time.Date(2050, 1, 1, 12, 0, 0, 0, time.UTC)

func TestClock(t *testing.T) {
	t.Parallel()
	c := asltest.NewClock(noon, nil)
	var log []string
	say := func(what string) { log = append(log, fmt.Sprintf("%s@%v", what, c.Now().Sub(noon))) }
	s := c.Signal()
	c.Go(func() {
		say("a")
		c.Sleep(time.Hour)
		say("b")
		s.Fire()
		s.Fire()
	})
	c.Go(func() {
		if c.Wait(time.Minute, s) != nil {
			t.Error("not fired yet")
		}
		say("c")
		if c.Wait(-1, s) != s {
			t.Error("fired")
		}
		say("d")
		if c.Wait(time.Hour, s) != s {
			t.Error("it stays fired")
		}
		say("e")
	})
	c.Run(30 * time.Minute)
	say("f")
	c.Do(func() { c.Sleep(time.Hour); say("g") })
	if got, want := strings.Join(log, " "), "a@0s c@1m0s f@30m0s b@1h0m0s d@1h0m0s e@1h0m0s g@1h30m0s"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// What is due at once comes in an order that the seed decides.
func TestOrderIsDrawn(t *testing.T) {
	t.Parallel()
	order := func(seed uint64) string {
		c := asltest.NewClock(noon, rand.New(rand.NewPCG(seed, 0)))
		var log strings.Builder
		for i := range 10 {
			c.Go(func() { fmt.Fprint(&log, i); c.Sleep(time.Second); fmt.Fprint(&log, i) })
		}
		c.Run(time.Minute)
		return log.String()
	}
	first, again, other := order(1), order(1), order(2)
	if first != again || first == other || len(first) != 20 {
		t.Errorf("%s, %s, %s", first, again, other)
	}
}
