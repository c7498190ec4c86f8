package cloud

import (
	"runtime/debug"
	"testing"
	"time"
)

// A request of a client has to be answered within 20 seconds, also where the table answers late.
func TestRetriesFitIntoAnAnswer(t *testing.T) {
	if all := attempts*attemptTime + (attempts-1)*mostBackOff; all >= 20*time.Second {
		t.Errorf("a call may take %v", all)
	}
}

func TestLimitMemory(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	for _, megabytes := range []string{"", "many", "0", "-5"} {
		if limitMemory(megabytes); debug.SetMemoryLimit(-1) != before {
			t.Errorf("%q sets a limit", megabytes)
		}
	}
	limitMemory("512")
	if got := debug.SetMemoryLimit(-1); got < 440<<20 || got >= 512<<20 {
		t.Errorf("the limit is %d of 512 MB", got>>20)
	}
}
