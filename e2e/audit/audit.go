package audit

import (
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"

	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

// Config says what the log was judged under.
type Config struct {
	Partition  int
	Partitions int
	Idle       rules.Millis // default 30 minutes
	// Revisions are the definitions that each revision named in the log has.
	// Revision 0, in force before the first, is empty unless it is given.
	Revisions map[uint64][]rules.Versioned
	// Panicked tells the messages whose step was made to panic; nil for none.
	Panicked func(seq uint64) bool
	Every    Evaluation
	// Until lets time run on to this instant after the last message; Unix
	// milliseconds, 0 for not at all.
	Until int64
}

// Evaluation says which audiences are computed at an instant.
type Evaluation uint8

// At an instant at which only some audiences can change by time, ConcernedOnly
// computes these and those that refer to them. AllAudiences computes all and
// proves that the short cut is one.
const (
	ConcernedOnly Evaluation = iota
	AllAudiences
)

// Expected is a transition that must be stored.
type Expected struct {
	rules.Published
	// TimeAlone tells that no message was applied to the key since the
	// register's transition before this one.
	TimeAlone bool
}

// Rejected is a message that must be set aside.
type Rejected struct {
	Seq    uint64
	Reason string
}

// Verdict is what a partition's log must have led to.
type Verdict struct {
	Transitions []Expected // by key, audience, n
	Rejected    []Rejected // by sequence
	Keys        int
	Messages    int
	LogTime     int64 // at the end of the log
}

// step is one usable message, or a change of rules, in one key's history.
type step struct {
	message *Message
	at      int64
	body    *body
}

// timeline is a partition's log, sorted by key.
type timeline struct {
	keys    []rules.UserKey
	steps   map[rules.UserKey][]step
	forces  []*inForce // the first is in force from the beginning
	exprs   expressions
	verdict Verdict
}

// Partition computes what one partition's log must have led to.
func Partition(cfg Config, log iter.Seq[Message]) (Verdict, error) {
	exprs, err := compileExpressions(cfg.Revisions)
	if err != nil {
		return Verdict{}, err
	}
	tl := &timeline{steps: make(map[rules.UserKey][]step), exprs: exprs}
	tl.forces = []*inForce{enforce(nil, 0, 0, 0, cfg.Revisions[0])}
	for m := range log {
		if err := tl.add(&cfg, &m); err != nil {
			return Verdict{}, err
		}
	}
	tl.verdict.Keys = len(tl.keys)
	until := max(tl.verdict.LogTime, cfg.Until)
	results := make([][]Expected, len(tl.keys))
	var workers sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range next {
				results[i] = tl.judge(&cfg, tl.keys[i], until)
			}
		})
	}
	for i := range tl.keys {
		next <- i
	}
	close(next)
	workers.Wait()
	for _, ts := range results {
		tl.verdict.Transitions = append(tl.verdict.Transitions, ts...)
	}
	sortExpected(tl.verdict.Transitions)
	return tl.verdict, nil
}

// add takes the next message of the log.
func (tl *timeline) add(cfg *Config, m *Message) error {
	v := &tl.verdict
	v.Messages++
	v.LogTime = max(v.LogTime, m.Time/1_000_000)
	switch m.Kind {
	case subject.KindTick:
		return nil
	case subject.KindRules:
		return tl.addRules(cfg, m)
	}
	b, err := decode(m, cfg.Partition, cfg.Partitions)
	if err == nil && cfg.Panicked != nil && cfg.Panicked(m.Seq) {
		err = unusable(rules.ReasonPanic)
	}
	var reason unusable
	if errors.As(err, &reason) {
		v.Rejected = append(v.Rejected, Rejected{Seq: m.Seq, Reason: string(reason)})
		return nil
	}
	b.exprs = tl.exprs
	if _, known := tl.steps[b.key]; !known {
		tl.keys = append(tl.keys, b.key)
	}
	tl.steps[b.key] = append(tl.steps[b.key], step{message: m, at: v.LogTime, body: b})
	return nil
}

// addRules puts a revision in force, unless one as high already is.
func (tl *timeline) addRules(cfg *Config, m *Message) error {
	revision, err := revisionOf(m)
	if err != nil {
		return err
	}
	last := tl.forces[len(tl.forces)-1]
	if revision <= last.revision {
		return nil
	}
	defs, known := cfg.Revisions[revision]
	if !known {
		return fmt.Errorf("message %d puts revision %d in force, which is not given", m.Seq, revision)
	}
	tl.forces = append(tl.forces, enforce(last, revision, m.Seq, tl.verdict.LogTime, defs))
	return nil
}

// judge walks one key through its messages and the changes of rules after its
// first.
func (tl *timeline) judge(cfg *Config, key rules.UserKey, until int64) []Expected {
	steps := tl.steps[key]
	current := 0
	for current+1 < len(tl.forces) && tl.forces[current+1].seq < steps[0].message.Seq {
		current++
	}
	k := newKeyAudit(key, cfg, tl.forces[current])
	for _, s := range steps {
		for ; current+1 < len(tl.forces) && tl.forces[current+1].seq < s.message.Seq; current++ {
			k.change(tl.forces[current+1])
		}
		if s.message.Kind == subject.KindTraits {
			k.update(s.body, s.at, s.message.Seq)
		} else {
			k.event(s.body, s.at, s.message.Seq)
		}
	}
	for ; current+1 < len(tl.forces); current++ {
		k.change(tl.forces[current+1])
	}
	k.passTo(until)
	return k.out
}
