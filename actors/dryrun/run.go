package dryrun

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/rules"
)

// FromTimestamp stands for the log time of an event that came without one: it
// is the event's own timestamp, or the greatest log time so far.
const FromTimestamp int64 = -1

// Message is one message of a log.
type Message struct {
	Kind rules.InputKind // EventInput, TraitsInput or TickInput
	// At is log time in Unix milliseconds, or FromTimestamp for an event. Log
	// time never goes back: an earlier one counts as the greatest so far.
	At       int64
	Seq      uint64 // its place in the log; it grows from message to message
	Encoding rules.Encoding
	Body     []byte // not retained
}

// Run is one run over one log. It is not safe for concurrent use.
type Run struct {
	set    *rules.RuleSet
	config session.Config
	emit   func(*rules.Published)
	ev     *rules.Evaluator
	users  map[rules.UserKey]*user
	timers timers
	now    int64           // the greatest log time so far
	line   Line            // of Step
	one    decoded         // the message at hand, its memory used again for the next
	out    rules.Published // the transition going out, likewise
	// failed is the first failure of a deadline since the last message.
	failed error
}

// user is what a run keeps of one key.
type user struct {
	session   *session.Session
	registers []register // by audience
	due       int64      // where the user stands in the timers: not after its next deadline
	place     int        // index there, or absent
}

// register counts one audience's transitions of one key.
type register struct {
	audience rules.AudienceKey
	n        uint64
}

// New returns a run that gives every transition to emit, which must not
// retain it.
func New(set *rules.RuleSet, config session.Config, emit func(*rules.Published)) *Run {
	return &Run{set: set, config: config, emit: emit, ev: rules.NewEvaluator(), users: make(map[rules.UserKey]*user)}
}

// Now returns the greatest log time so far, 0 at the beginning.
func (r *Run) Now() int64 { return r.now }

// Keys returns how many keys have had a message.
func (r *Run) Keys() int { return len(r.users) }

// Session returns the session of a key, nil if it had no message.
func (r *Run) Session(key rules.UserKey) *session.Session {
	if u := r.users[key]; u != nil {
		return u.session
	}
	return nil
}

// Apply applies the next message. The error is a *rules.Rejection if the
// message cannot be used: then nothing but its log time, if it came with one,
// has an effect.
func (r *Run) Apply(m Message) error {
	r.one.decode(r.set, &m)
	return r.apply(&r.one)
}

func (r *Run) apply(d *decoded) error {
	at := d.at
	if at == FromTimestamp {
		if d.err != nil {
			return d.err
		}
		if at = d.event.Timestamp; at == rules.Never {
			at = r.now
		}
	}
	r.pass(max(at, r.now))
	err := d.err
	if err == nil && d.kind != rules.TickInput {
		err = r.step(d)
	}
	if r.failed == nil {
		return err
	}
	return errors.Join(r.fault(), err)
}

// Advance lets time pass without a message.
func (r *Run) Advance(to int64) error {
	r.pass(max(to, r.now))
	return r.fault()
}

func (r *Run) user(key rules.UserKey) *user {
	u := r.users[key]
	if u == nil {
		// The event's key shares memory with the whole event.
		key = rules.UserKey(strings.Clone(string(key)))
		u = &user{session: session.New(key, r.set, r.config), place: absent}
		r.users[key] = u
	}
	return u
}

// pass fires the deadlines at or before an instant, which becomes now.
func (r *Run) pass(to int64) {
	r.now = to
	for {
		u := r.timers.first(to)
		if u == nil {
			return
		}
		next := u.session.Next()
		if next <= u.due {
			next = r.fire(u, next)
		}
		r.timers.set(u, next)
	}
}

// fire fires the deadline at which a user stands and returns the next one.
func (r *Run) fire(u *user, at int64) (next int64) {
	out, err := u.session.Step(r.ev, rules.Input{Kind: rules.TickInput, At: at})
	if err == nil && (out.Skipped || out.Next <= at) {
		panic(fmt.Sprintf("dryrun: the deadline %d of %q did not pass: next is %d", at, u.session.Key(), out.Next))
	}
	if err != nil {
		// It would fail for ever: the user rests until the next message.
		if r.failed == nil {
			r.failed = fmt.Errorf("deadline %s of %q: %w", rules.FormatTime(at), u.session.Key(), err)
		}
		return rules.Never
	}
	r.publish(u, out.Transitions)
	return out.Next
}

// step applies an input to its user.
func (r *Run) step(d *decoded) error {
	in := rules.Input{Kind: d.kind, At: r.now, Seq: d.seq}
	var u *user
	if d.kind == rules.EventInput {
		in.Event, u = &d.event, r.user(d.event.Key)
	} else {
		in.Traits, u = d.traits, r.user(d.traits.Key)
	}
	out, err := u.session.Step(r.ev, in)
	r.publish(u, out.Transitions)
	if next := out.Next; next < u.due || u.place == absent {
		r.timers.set(u, next)
	}
	return err
}

func (r *Run) publish(u *user, ts []rules.Transition) {
	for i := range ts {
		r.out = rules.Published{Transition: ts[i], N: u.next(ts[i].Audience)}
		r.emit(&r.out)
	}
}

// next returns the n of the user's next transition of an audience.
func (u *user) next(audience rules.AudienceKey) uint64 {
	i, known := slices.BinarySearchFunc(u.registers, audience, func(r register, a rules.AudienceKey) int {
		return cmp.Compare(r.audience, a)
	})
	if !known {
		u.registers = slices.Insert(u.registers, i, register{audience: audience})
	}
	u.registers[i].n++
	return u.registers[i].n
}

// fault returns the failure of a deadline, once.
func (r *Run) fault() error {
	err := r.failed
	r.failed = nil
	return err
}
