package sim

import (
	"errors"
	"fmt"

	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/e2e/audit"
	"github.com/usher-audiences/usher/e2e/generate"
	"github.com/usher-audiences/usher/rules"
)

// direct feeds a log to sessions without anything between: no machine, no
// bus. It is what the sessions alone make of the log.
type direct struct {
	source   *generate.Source
	cfg      session.Config
	sets     map[uint64]*rules.RuleSet
	current  *rules.RuleSet
	revision uint64
	at       int64
	scratch  *rules.Evaluator
	sessions map[rules.UserKey]*session.Session
	keys     []rules.UserKey
	counts   map[string]uint64

	transitions []rules.Published
	rejected    []audit.Rejected
}

// newDirect returns one with the revisions compiled. Source decides when a
// session is encoded and decoded again, and when it gets a tick first.
func newDirect(source *generate.Source, cfg session.Config, revisions map[uint64][]rules.Versioned) (*direct, error) {
	d := &direct{
		source: source, cfg: cfg, sets: make(map[uint64]*rules.RuleSet), scratch: rules.NewEvaluator(),
		sessions: make(map[rules.UserKey]*session.Session), counts: make(map[string]uint64),
	}
	for revision := range uint64(len(revisions) + 1) {
		set, err := rules.Compile(revision, revisions[revision])
		if err != nil {
			return nil, fmt.Errorf("revision %d: %w", revision, err)
		}
		d.sets[revision] = set
	}
	d.current = d.sets[0]
	return d, nil
}

// read applies one message of the log.
func (d *direct) read(m *audit.Message, revision uint64) error {
	d.at = max(d.at, m.Time/1_000_000)
	in := rules.Input{At: d.at, Seq: m.Seq}
	switch m.Kind {
	case subject.KindRules:
		return d.change(in, revision)
	case subject.KindTick:
		return d.tick(m.Seq)
	case subject.KindTraits:
		u, err := rules.DecodeTraits(m.Payload, m.Encoding)
		if err != nil {
			return d.reject(m.Seq, err)
		}
		in.Kind, in.Traits = rules.TraitsInput, u
		return d.step(u.Key, in)
	default:
		e, err := d.current.DecodeEvent(m.Payload, m.Encoding)
		if err != nil {
			return d.reject(m.Seq, err)
		}
		in.Kind, in.Event = rules.EventInput, e
		return d.step(e.Key, in)
	}
}

func (d *direct) change(in rules.Input, revision uint64) error {
	if revision <= d.revision {
		return nil
	}
	d.revision, d.current = revision, d.sets[revision]
	in.Kind, in.Rules = rules.RulesInput, d.current
	for _, key := range d.keys {
		if err := d.step(key, in); err != nil {
			return err
		}
	}
	return nil
}

// tick lets time pass for every key that has a deadline.
func (d *direct) tick(seq uint64) error {
	for _, key := range d.keys {
		if d.sessions[key].Next() > d.at {
			continue
		}
		if err := d.step(key, rules.Input{Kind: rules.TickInput, At: d.at, Seq: seq - 1}); err != nil {
			return err
		}
	}
	return nil
}

func (d *direct) reject(seq uint64, err error) error {
	var r *rules.Rejection
	if !errors.As(err, &r) {
		return fmt.Errorf("message %d: %w", seq, err)
	}
	d.rejected = append(d.rejected, audit.Rejected{Seq: seq, Reason: r.Reason})
	return nil
}

// step applies an input to a key's session, which is now and then stored and
// loaded again before it.
func (d *direct) step(key rules.UserKey, in rules.Input) error {
	s := d.sessions[key]
	if s == nil {
		s = session.New(key, d.current, d.cfg)
		d.sessions[key] = s
		d.keys = append(d.keys, key)
	} else if d.source.IntN(4) == 0 {
		loaded, err := session.Decode(key, s.Encode(nil), s.Rules(), d.cfg)
		if err != nil {
			return fmt.Errorf("decode %q: %w", key, err)
		}
		s, d.sessions[key] = loaded, loaded
	}
	if in.Kind != rules.TickInput && s.Next() <= in.At && d.source.IntN(2) == 0 {
		if err := d.apply(s, rules.Input{Kind: rules.TickInput, At: in.At, Seq: in.Seq - 1}); err != nil {
			return err
		}
	}
	return d.apply(s, in)
}

func (d *direct) apply(s *session.Session, in rules.Input) error {
	out, err := s.Step(d.scratch, in)
	if err != nil {
		return fmt.Errorf("step %q at %d seq %d: %w", s.Key(), in.At, in.Seq, err)
	}
	if out.Skipped {
		return fmt.Errorf("step %q at %d seq %d was skipped", s.Key(), in.At, in.Seq)
	}
	for _, t := range out.Transitions {
		name := fmt.Sprint(t.Audience, t.Shadow, t.Key)
		d.counts[name]++
		d.transitions = append(d.transitions, rules.Published{Transition: t, N: d.counts[name]})
	}
	return nil
}
