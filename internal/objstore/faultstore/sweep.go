package faultstore

import (
	"strconv"
	"testing"
)

// Modes are the ways in which a call goes wrong, with ErrInjected. Copy and change one to have another error.
var Modes = []struct {
	Name  string
	Fault Fault
}{
	{"fails", Fault{}},
	{"reply lost", Fault{Applied: true}},
	{"gone before", Fault{Gone: true}},
	{"gone after", Fault{Applied: true, Gone: true}},
}

// Sweep runs test for every one of Modes and n = 1, 2, … with the nth call that m picks going wrong, until a test ends in
// which there was no nth call. The test makes its own Store, hands it to arm before the code that is to be tried, runs
// that, and checks what it left behind, usually with a fresh Store over the same inner one:
//
//	faultstore.Sweep(t, faultstore.Match{Op: faultstore.Writes}, func(t *testing.T, arm func(*faultstore.Store)) {
//		kept := memstore.New()
//		s := faultstore.New(kept)
//		arm(s)
//		err := publish(s)                    // may fail
//		check(t, publish(faultstore.New(kept)), kept) // the next one must succeed
//	})
func Sweep(t *testing.T, m Match, test func(t *testing.T, arm func(*Store))) {
	for _, mode := range Modes {
		t.Run(mode.Name, func(t *testing.T) {
			for n := 1; ; n++ {
				var rule *Rule
				ok := t.Run(strconv.Itoa(n), func(t *testing.T) {
					test(t, func(s *Store) {
						at := m
						at.Nth = n
						rule = s.Set(at, mode.Fault)
					})
					if rule == nil {
						t.Fatal("the test armed no Store")
					}
					if n == 1 && rule.Fired() == 0 {
						t.Fatalf("no call matched %+v", m)
					}
				})
				if !ok || rule.Fired() == 0 {
					return
				}
			}
		})
	}
}
