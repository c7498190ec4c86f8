package snapshot

import "testing"

func TestPosition(t *testing.T) {
	for s, want := range map[string]Position{"0.0": {}, "a.1k": {10, 56}, "zik0zj.zik0zj": {1<<31 - 1, 1<<31 - 1}} {
		if got, err := ParsePosition(s); err != nil || got != want {
			t.Errorf("%s is %v, error %v, want %v", s, got, err, want)
		}
	}
	for _, bad := range []string{"", ".", "1", "1.", ".1", "01.0", "A.0", "1.2.3", "-1.0", "+1.0", "1. 0", "zik0zk.0", "0.0\n", "0_1.0"} {
		if p, err := ParsePosition(bad); err == nil {
			t.Errorf("%q is %v", bad, p)
		}
	}
}

func FuzzParsePosition(f *testing.F) {
	f.Add("0.0")
	f.Add("1z.00")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePosition(s)
		if err == nil && (p.String() != s || p.Row < 0 || p.Item < 0) {
			t.Errorf("%q is %v", s, p)
		}
	})
}
