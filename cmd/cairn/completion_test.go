package main

import (
	"strings"
	"testing"
)

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out := must(t, "completion", shell); !strings.Contains(out, "cairn") || strings.Count(out, "\n") < 50 {
			t.Errorf("%s: %d lines", shell, strings.Count(out, "\n"))
		}
	}
	if out := must(t, "--help"); !strings.Contains(out, "completion") {
		t.Errorf("help lacks it:\n%s", out)
	}
	const folders, files, nothing = ":16", ":8", ":4"
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"refresh", ""}, folders},
		{[]string{"serve", ""}, folders},
		{[]string{"inspect", ""}, ":0"},
		{[]string{"inspect", "a.tif", "b.tif", ""}, ":0"},
		{[]string{"inspect", "--source", ""}, folders},
		{[]string{"refresh", "--catalog", ""}, folders},
		{[]string{"demo", "--dir", ""}, folders},
		{[]string{"refresh", "--config", ""}, files},
		{[]string{"status", ""}, nothing},
		{[]string{"status", "--code", ""}, nothing},
		{[]string{"serve", "--addr", ""}, nothing},
	} {
		out := must(t, append([]string{"__complete"}, c.args...)...)
		if !strings.HasSuffix(strings.TrimSpace(out), c.want) {
			t.Errorf("%q completes to %q; want the directive %s", c.args, out, c.want)
		}
	}
	if out := must(t, "__complete", "status", "--code", ""); !contains(out, "not_tiff", "no_crs") {
		t.Errorf("codes complete to %q", out)
	}
	if out := must(t, "__complete", "refresh", "--config", ""); !contains(out, "yaml", "yml") {
		t.Errorf("config completes to %q", out)
	}
}
