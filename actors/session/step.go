package session

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/usher-audiences/usher/rules"
)

// Step fires the deadlines at or before the input's log time and applies the
// input. Transitions of a deadline carry the exact deadline and sequence 0;
// those of the input, and of a session that the input ends, carry the input's
// log time and sequence, their order counting on through both evaluations.
//
// The error is a *rules.Rejection: the input could not be applied, for its
// reason, or because the step panicked. The state is then exactly as before
// the call, deadlines included.
func (s *Session) Step(ev *rules.Evaluator, in rules.Input) (out Output, err error) {
	if in.At < s.at || in.At == s.at && in.Seq <= s.seq {
		return Output{Next: s.next, Skipped: true}, nil
	}
	before := s.register
	oldest := before.counted.oldest()
	ev.Begin(&s.state, s.key, s.set, s.idle)
	ev.At(s.at)
	defer func() {
		if cause := recover(); cause != nil {
			err = &rules.Rejection{Reason: rules.ReasonPanic, Detail: fmt.Sprintf("%v at %s", cause, panicPlace())}
		}
		if err != nil {
			ev.Restore()
			s.register = before
			s.counted.undo(before.counted, oldest)
			out = Output{Next: s.next}
		}
	}()
	st := step{s: s, ev: ev, in: in}
	st.fire()
	if rejection := st.apply(); rejection != nil {
		return Output{}, rejection
	}
	s.at, s.seq = in.At, in.Seq
	s.next = ev.Deadline()
	return Output{Transitions: st.out, Next: s.next}, nil
}

// panicPlace returns file:line of the code that panicked. It is called while
// the panic is being recovered: the panicking frames are those above the
// runtime's own.
func panicPlace() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	panicking := false
	for {
		f, more := frames.Next()
		if strings.HasPrefix(f.Function, "runtime.") {
			panicking = panicking || f.Function == "runtime.gopanic"
		} else if panicking {
			return fmt.Sprintf("%s:%d", f.File[strings.LastIndexByte(f.File, '/')+1:], f.Line)
		}
		if !more {
			return "an unknown place"
		}
	}
}

// step is one Step under way.
type step struct {
	s     *Session
	ev    *rules.Evaluator
	in    rules.Input
	out   []rules.Transition
	order int // of the next transition at the message's position
}

// fire lets time pass up to the input's log time: one evaluation at each
// instant at which a deadline lies, the end of the session applied first.
func (st *step) fire() {
	for fired := int64(-1); ; {
		// A deadline lies after what was applied, unless the installation's
		// idle time was shortened since: then it is due at once.
		at := max(st.ev.Deadline(), st.s.at+1)
		if at > st.in.At {
			return
		}
		if at <= fired {
			panic(fmt.Sprintf("session %q: the deadline %d did not pass at %d", st.s.key, at, fired))
		}
		fired = at
		st.ev.At(at)
		visit := st.s.state.Visit
		ended := visit.Open && visit.Last+int64(st.s.idle) <= at
		if ended {
			st.ev.EndSession()
		}
		st.ev.Expire()
		e := evaluation{at: at, visit: visit}
		if ended {
			e.cause = rules.CauseSessionEnd
		}
		st.evaluate(e)
	}
}

// apply applies the input at its log time.
func (st *step) apply() *rules.Rejection {
	st.ev.At(st.in.At)
	switch st.in.Kind {
	case rules.EventInput:
		return st.event(st.in.Event)
	case rules.TraitsInput:
		return st.traits(st.in.Traits)
	case rules.RulesInput:
		st.rules(st.in.Rules)
	}
	return nil
}

func (st *step) traits(u *rules.TraitUpdate) *rules.Rejection {
	st.ev.Greet()
	st.s.see(u.UserID, u.AnonymousID)
	if rejection := st.ev.Merge(u.Traits); rejection != nil {
		return rejection
	}
	st.evaluate(st.onMessage(rules.CauseTraits))
	return nil
}

// rules puts a rule set in force, unless a later one already is.
func (st *step) rules(rs *rules.RuleSet) {
	if rs.Revision() < st.s.set.Revision() {
		return
	}
	st.ev.Replace(rs)
	st.s.set = rs
	st.evaluate(st.onMessage(rules.CauseRuleChanged))
}

// event applies an event, unless it was counted before.
func (st *step) event(e *rules.Event) *rules.Rejection {
	s := st.s
	if e.MessageID != "" {
		id := hashID(e.MessageID)
		if s.counted.has(id) {
			return nil
		}
		s.counted.add(id)
	}
	o := min(e.Timestamp, st.in.At)
	if s.endedBy(e, o) {
		visit := s.state.Visit
		st.ev.EndSession()
		ended := st.onMessage(rules.CauseSessionEnd)
		ended.visit = visit
		st.evaluate(ended)
	}
	on := st.onMessage(rules.CauseEvent)
	scope, began := st.visit(e, o)
	if began {
		on.cause = rules.CauseSessionStart
	}
	s.see(e.UserID, e.AnonymousID)
	st.ev.Greet()
	st.ev.Count(e, o, scope)
	on.visit, on.event = s.state.Visit, e
	if e.Call == rules.Identify {
		if rejection := st.ev.Merge(e.Traits); rejection != nil {
			return rejection
		}
	}
	st.evaluate(on)
	return nil
}

// endedBy reports whether an event that occurred at o ends the open session
// by carrying another id. A session that began without an id takes the first
// it meets, unless the event says that it starts one.
func (s *Session) endedBy(e *rules.Event, o int64) bool {
	v := &s.state.Visit
	if !v.Open || o < v.Start || e.SessionID == "" {
		return false
	}
	if v.ID == "" {
		return e.SessionStart
	}
	return e.SessionID != v.ID
}

// visit finds the session that the event belongs to, beginning one if it
// may. An event that occurred before the open session, or, when none is open,
// so long ago that a session of its own would be over, belongs to none.
func (st *step) visit(e *rules.Event, o int64) (scope rules.EventScope, began bool) {
	v := &st.s.state.Visit
	switch {
	case v.Open && o < v.Start, !v.Open && o+int64(st.s.idle) <= st.in.At:
		return rules.UserLevel, false
	case !v.Open:
		st.ev.BeginSession(o, st.s.own(e.SessionID))
		return rules.InSession, true
	default:
		return rules.InSession, false
	}
}

// evaluation is one evaluation: where it stands and why it takes place.
type evaluation struct {
	at    int64
	seq   uint64      // of the message; 0 for a deadline
	cause rules.Cause // empty at a deadline that ends no session
	event *rules.Event
	visit rules.Visit // the open session, or the one that just ended
}

func (st *step) onMessage(cause rules.Cause) evaluation {
	return evaluation{at: st.in.At, seq: st.in.Seq, cause: cause, visit: st.s.state.Visit}
}

// evaluate decides, and appends the transitions.
func (st *step) evaluate(e evaluation) {
	changes := st.ev.Evaluate()
	if len(changes) == 0 {
		return
	}
	order := 0
	if e.seq != 0 {
		order = st.order
	}
	for i := range changes {
		t := st.transition(&e, &changes[i])
		t.Position.Order = order
		st.out = append(st.out, t)
		order++
	}
	if e.seq != 0 {
		st.order = order
	}
}

func (st *step) transition(e *evaluation, c *rules.Change) rules.Transition {
	t := rules.Transition{
		Kind:        c.Kind,
		Audience:    c.Audience.Audience,
		Version:     c.Audience.Version,
		Shadow:      c.Shadow,
		Key:         st.s.key,
		UserID:      st.s.userID,
		AnonymousID: st.s.anonymousID,
		Position:    rules.Position{At: e.at, Seq: e.seq},
		Cause:       e.cause,
		ExpiresAt:   st.ev.ExpiresAt(c),
		Because:     st.ev.Because(c),
	}
	if e.visit.Open {
		t.SessionID = e.visit.SessionID()
	}
	if e.event != nil {
		t.MessageID, t.EventName = e.event.MessageID, e.event.Name
	}
	switch {
	case t.Cause != "":
	case c.RawChanged:
		t.Cause = rules.CauseWindow
	default:
		t.Cause = rules.CauseDeadline
	}
	return t
}
