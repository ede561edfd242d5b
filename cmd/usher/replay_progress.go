package main

import (
	"fmt"
	"io"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress shows how far the reading of a source is, on standard error.
type progress interface {
	sent(n int)
	// say prints a line without spoiling the bar.
	say(text string)
	done()
}

// newProgress shows how far what reads the source is, under that name.
func newProgress(con *console, s *source, what string) progress {
	if con.errTerminal && s.size > 0 {
		return newBar(con.err, s, what)
	}
	return &plainProgress{con: con, what: what, source: s, start: time.Now(), last: time.Now()}
}

// plainInterval is how often progress without a terminal says a line.
const plainInterval = 5 * time.Second

type plainProgress struct {
	con         *console
	what        string
	source      *source
	start, last time.Time
}

func (p *plainProgress) sent(n int) {
	now := time.Now()
	if now.Sub(p.last) < plainInterval {
		return
	}
	p.last = now
	text := fmt.Sprintf("%s: %d lines, %.0f lines/s", p.what, n, float64(n)/now.Sub(p.start).Seconds())
	if p.source.size > 0 {
		text += fmt.Sprintf(", %d %% of the file read", 100*p.source.read.Load()/p.source.size)
	}
	p.con.say("%s", text)
}

func (p *plainProgress) say(text string) { p.con.say("%s", text) }
func (p *plainProgress) done()           {}

// barProgress is a bar over the bytes of the file.
type barProgress struct {
	container *mpb.Progress
	bar       *mpb.Bar
	source    *source
	start     time.Time
}

func newBar(out io.Writer, s *source, what string) *barProgress {
	p := &barProgress{source: s, start: time.Now()}
	p.container = mpb.New(mpb.WithOutput(out), mpb.WithWidth(40), mpb.WithRefreshRate(200*time.Millisecond))
	p.bar = p.container.AddBar(s.size,
		mpb.PrependDecorators(decor.Name(what+" "), decor.Percentage(decor.WC{W: 5})),
		mpb.AppendDecorators(decor.Any(p.rate)))
	return p
}

// rate is drawn by the bar's own goroutine, from what the bar was told.
func (p *barProgress) rate(s decor.Statistics) string {
	return fmt.Sprintf("%.0f s, %.1f of %.1f MB", time.Since(p.start).Seconds(), float64(s.Current)/1e6, float64(s.Total)/1e6)
}

func (p *barProgress) sent(int) {
	p.bar.SetCurrent(min(p.source.read.Load(), p.source.size-1)) // the end is for done
}

func (p *barProgress) say(text string) {
	fmt.Fprintln(p.container, text)
}

func (p *barProgress) done() {
	p.bar.SetCurrent(p.source.read.Load())
	if !p.bar.Completed() {
		p.bar.Abort(false)
	}
	p.container.Wait()
}
