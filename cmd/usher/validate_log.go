package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/usher-audiences/usher/actors/dryrun"
	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/rules"
)

// trial runs definitions over a recorded log to find what no recorded event
// could satisfy, and audiences that change too often.
type trial struct {
	set         *rules.RuleSet
	run         *dryrun.Run
	sightings   *rules.Sightings
	transitions map[rules.AudienceKey]int
	events      int
	bad         int
}

func newTrial(d *documents, idle rules.Millis) (*trial, error) {
	set, err := d.compile()
	if err != nil {
		return nil, err
	}
	t := &trial{set: set, sightings: rules.NewSightings(d.definitions), transitions: make(map[rules.AudienceKey]int)}
	t.run = dryrun.New(set, session.Config{Idle: idle}, func(p *rules.Published) { t.transitions[p.Audience]++ })
	return t, nil
}

// read takes every line of the log; lines that cannot be used are counted.
func (t *trial) read(source *source) error {
	lines := dryrun.NewLines(source.lines)
	for {
		line, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var m dryrun.Message
		if err == nil {
			m, err = dryrun.ParseLine(line)
			m.Seq = uint64(lines.Number()) //nolint:gosec // counted from 1
		}
		if err == nil {
			err = t.run.Apply(m)
		}
		if err == nil {
			err = t.sight(m)
		}
		var unusable *rules.Rejection
		switch {
		case errors.As(err, &unusable):
			t.bad++
		case err != nil:
			return fmt.Errorf("%s: %w", source.name, err)
		}
	}
}

func (t *trial) sight(m dryrun.Message) error {
	switch m.Kind {
	case rules.EventInput:
		ev, err := t.set.DecodeEvent(m.Body, m.Encoding)
		if err != nil {
			return err
		}
		t.events++
		t.sightings.Event(ev, t.run.Now())
	case rules.TraitsInput:
		u, err := rules.DecodeTraits(m.Body, m.Encoding)
		if err != nil {
			return err
		}
		t.sightings.Traits(u)
	}
	return nil
}

// findings returns what the log shows; budget bounds an audience's
// transitions per event.
func (t *trial) findings(d *documents, budget float64) rules.Diagnostics {
	found := t.sightings.Findings()
	for _, definition := range d.definitions {
		n := t.transitions[definition.Audience]
		if rate := float64(n) / float64(max(t.events, 1)); rate > budget {
			found = append(found, rules.Diagnostic{
				Place: definition.Place,
				Message: fmt.Sprintf("audience %q would have %.3g transitions per event (%d over %s): the budget is %g",
					definition.Audience, rate, n, count(t.events, "event"), budget),
				Remedy: "linger:, cooldown: or a wider window make it calmer; --budget allows more",
			})
		}
	}
	return found
}

// tryOut returns the findings of a recorded log.
func (d *documents) tryOut(con *console, flags *validateFlags) (rules.Diagnostics, error) {
	t, err := newTrial(d, rules.Millis(flags.idle.Milliseconds()))
	if err != nil {
		return nil, err
	}
	source, err := openSource(con, flags.log)
	if err != nil {
		return nil, &usageError{err: err}
	}
	defer source.close()
	if err := t.read(source); err != nil {
		return nil, err
	}
	if t.bad > 0 {
		con.say("%s of %s cannot be used", count(t.bad, "line"), source.name)
	}
	return t.findings(d, flags.budget), nil
}
