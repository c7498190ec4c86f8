package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// A display shows how far a Run is.
type display interface {
	show(refresh.Progress)
	// end takes down what is not meant to stay.
	end()
}

// display chooses how progress is shown: a bar on a terminal, plain lines elsewhere.
func (a *app) display(quiet bool) display {
	switch f, ok := a.stderr.(*os.File); {
	case quiet:
		return noDisplay{}
	case ok && term.IsTerminal(int(f.Fd())):
		return &barDisplay{w: f}
	default:
		return &lineDisplay{w: a.stderr, now: time.Now, last: time.Now()}
	}
}

type noDisplay struct{}

func (noDisplay) show(refresh.Progress) {}
func (noDisplay) end()                  {}

// A barDisplay is a bar on a terminal, with the files that are done and those that there are, the rate and the time left.
// While planning, when the total is unknown, it spins.
type barDisplay struct {
	w     io.Writer
	bar   *progressbar.ProgressBar
	phase refresh.Phase
}

func (d *barDisplay) show(p refresh.Progress) {
	if p.Phase == "" {
		return
	}
	if d.phase != p.Phase {
		d.end()
		d.phase = p.Phase
		d.bar = d.newBar(p)
	}
	// A terminal that is gone is no reason to stop.
	if p.Phase != refresh.Scanning {
		_ = d.bar.Add(1)
		return
	}
	_ = d.bar.Set(p.Sum().Done)
	d.bar.Describe(pace(p, time.Now()))
}

func (d *barDisplay) newBar(p refresh.Progress) *progressbar.ProgressBar {
	options := []progressbar.Option{
		progressbar.OptionSetWriter(d.w), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(50 * time.Millisecond),
		progressbar.OptionSetElapsedTime(false), progressbar.OptionSetPredictTime(false), progressbar.OptionSetWidth(30),
	}
	if p.Phase == refresh.Scanning {
		return progressbar.NewOptions(max(1, p.Totals.Objects), append(options, progressbar.OptionShowCount(),
			progressbar.OptionShowDescriptionAtLineEnd())...)
	}
	return progressbar.NewOptions(-1, append(options, progressbar.OptionSetSpinnerChangeInterval(0),
		progressbar.OptionSetDescription(phaseText[p.Phase]))...)
}

func (d *barDisplay) end() {
	if d.bar != nil {
		_ = d.bar.Clear()
		_ = d.bar.Exit()
		d.bar = nil
	}
}

// lineEvery is how often a lineDisplay writes.
const lineEvery = 3 * time.Second

// A lineDisplay writes a plain line now and then, for logs.
type lineDisplay struct {
	w    io.Writer
	now  func() time.Time
	last time.Time
}

func (d *lineDisplay) show(p refresh.Progress) {
	now := d.now()
	if p.Phase == "" || now.Sub(d.last) < lineEvery {
		return
	}
	d.last = now
	line := phaseText[p.Phase]
	if p.Phase == refresh.Scanning {
		line += fmt.Sprintf(" %d of %d (%d%%) %s", p.Sum().Done, p.Totals.Objects, p.Percent(), pace(p, now))
	}
	fmt.Fprintln(d.w, line)
}

func (*lineDisplay) end() {}

var phaseText = map[refresh.Phase]string{
	refresh.Planning: "listing files", refresh.Scanning: "reading headers", refresh.Publishing: "publishing",
}

// pace is the rate and the time left, once they are known.
func pace(p refresh.Progress, now time.Time) string {
	left, ok := p.ETA(now)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%.0f files/s, %s left", p.Rate.Average, left.Round(time.Second))
}
