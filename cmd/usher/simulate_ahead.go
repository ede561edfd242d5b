package main

import (
	"github.com/usher-audiences/usher/actors/dryrun"
	"github.com/usher-audiences/usher/rules"
)

// Lines are decoded in batches, of which a few are under way at a time.
const (
	aheadLines   = 256
	aheadBatches = 4
)

// ahead decodes the lines of a log on a goroutine of its own, while lines
// before them are applied.
type ahead struct {
	full chan batch
	free chan []dryrun.Line
	stop chan struct{}
}

// batch is some lines, in order. After a batch with an error, io.EOF at the
// end, there is none.
type batch struct {
	lines []dryrun.Line
	err   error
}

// readAhead begins to decode; end must be called when no more is wanted.
func readAhead(lines *dryrun.Lines, set *rules.RuleSet) *ahead {
	a := &ahead{full: make(chan batch, aheadBatches), free: make(chan []dryrun.Line, aheadBatches), stop: make(chan struct{})}
	for range aheadBatches {
		a.free <- make([]dryrun.Line, aheadLines)
	}
	go a.decode(lines, set)
	return a
}

// end ends the decoding and waits for it.
func (a *ahead) end() {
	close(a.stop)
	for range a.full { // until it is closed
	}
}

func (a *ahead) decode(lines *dryrun.Lines, set *rules.RuleSet) {
	defer close(a.full)
	for {
		var b batch
		select {
		case b.lines = <-a.free:
		case <-a.stop:
			return
		}
		n := 0
		for ; n < len(b.lines) && b.err == nil; n++ {
			b.err = lines.Decode(set, &b.lines[n])
		}
		if b.err != nil {
			n-- // the last was none
		}
		b.lines = b.lines[:n]
		a.full <- b // there is room for as many as there are
		if b.err != nil {
			return
		}
	}
}

// next returns the next lines; the ones before are decoded into again.
func (a *ahead) next(before []dryrun.Line) batch {
	if before != nil {
		a.free <- before[:cap(before)]
	}
	return <-a.full
}
