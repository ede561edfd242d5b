package sim

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/e2e/generate"
	"github.com/usher-audiences/usher/rules"
)

// session does what a machine asks of a session, as the session's actor does.
// The answer is nil if there is none.
func (o *owner) session(e partition.Effect) partition.Input {
	switch e := e.(type) {
	case partition.Activate:
		return o.activate(e)
	case partition.Deliver:
		return o.deliver(e)
	case partition.Capture:
		s := o.sessions[e.Key]
		at, seq := s.Applied()
		return partition.Captured{
			Key: e.Key, State: s.Encode(nil), AppliedAt: at, AppliedSeq: seq,
			Next: s.Next(), Revision: s.Rules().Revision(),
		}
	case partition.Passivate:
		delete(o.sessions, e.Key)
		return partition.Passivated(e)
	}
	panic(fmt.Sprintf("sim: %T is not for a session", e))
}

func (o *owner) activate(e partition.Activate) partition.Input {
	if o.sessions[e.Key] != nil {
		panic(fmt.Sprintf("sim: %s: the session %q is active already", o, e.Key))
	}
	s := session.New(e.Key, e.Rules, session.Config{})
	o.sessions[e.Key] = s
	if e.State == nil {
		return nil
	}
	loaded, err := session.Decode(e.Key, e.State, e.Rules, session.Config{})
	if err != nil {
		return partition.ActivationFailed{Key: e.Key, State: e.State, Err: err}
	}
	o.sessions[e.Key] = loaded
	return nil
}

// deliver steps a session. The step of a message that is marked for it
// panics: it lacks its event.
func (o *owner) deliver(e partition.Deliver) partition.Input {
	s := o.sessions[e.Key]
	in := e.Input
	if in.Kind == rules.EventInput && strings.HasPrefix(in.Event.MessageID, generate.PanicPrefix) {
		o.w.fault("panic in a step")
		in.Event = nil
	}
	out, err := s.Step(o.scratch, in)
	answer := partition.Stepped{Key: e.Key, Skipped: out.Skipped, Next: out.Next, Transitions: slices.Clone(out.Transitions)}
	if err != nil {
		if !errors.As(err, &answer.Rejection) {
			panic(fmt.Sprintf("sim: step of %q: %v is not a rejection", e.Key, err))
		}
		answer.Next, answer.Transitions = s.Next(), nil
		if in.Event != nil || in.Kind != rules.EventInput {
			panic(fmt.Sprintf("sim: step of %q: %v", e.Key, err))
		}
	}
	if out.Skipped {
		o.w.faults["input replayed"]++
	}
	return answer
}
