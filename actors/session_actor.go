package actors

import (
	"errors"
	"fmt"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/rules"
)

// SessionKind is the kind of the virtual actor that a session is.
const SessionKind = "session"

// sessionProps is shared by all sessions of a node.
func sessionProps() *actor.Props {
	return actor.PropsFromProducer(
		func() actor.Actor { return new(sessionActor) },
		actor.WithMailbox(newMailbox),
	)
}

// home is what the sessions of one partition share with their parent. Because
// they run on the parent's goroutine (see mailbox) it needs no lock, and one
// evaluator is enough for all of them.
type home struct {
	evaluator *rules.Evaluator
	answers   []partition.Input // for the machine, in the order of the questions
	encoded   []byte            // scratch memory of captures
}

// sessionActor is a session: the virtual actor of one key. It answers into
// its home and does nothing else; it starts no I/O and never waits.
type sessionActor struct {
	home    *home
	session *session.Session
}

// What a session is told. One value of each type is used again for every
// send, since a send returns after the session has taken it.
type (
	beginSession struct {
		home    *home
		session *session.Session
	}
	stepSession    struct{ input rules.Input }
	captureSession struct{}
	inspectSession struct {
		partition int
		registers []partition.Register
		explain   *explainQuestion // nil to inspect
	}
)

// Receive takes one message. A panic inside a step is the session's to
// survive. Any other is a broken invariant: it comes out where the message was
// sent, and the whole partition is given up.
func (a *sessionActor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *stepSession:
		a.step(m.input)
	case *beginSession:
		a.home, a.session = m.home, m.session
	case *captureSession:
		a.capture()
	case *inspectSession:
		if m.explain != nil {
			ctx.Respond(explanation(a.session, m))
			return
		}
		ctx.Respond(inspection(a.session.View(), m))
	}
}

func (a *sessionActor) step(in rules.Input) {
	out, err := a.session.Step(a.home.evaluator, in)
	answer := partition.Stepped{Key: a.session.Key(), Skipped: out.Skipped, Transitions: out.Transitions, Next: out.Next}
	if err != nil {
		if !errors.As(err, &answer.Rejection) {
			panic(fmt.Sprintf("step of %q: %v is not a rejection", a.session.Key(), err))
		}
		answer.Next = a.session.Next()
	}
	a.home.answers = append(a.home.answers, answer)
}

func (a *sessionActor) capture() {
	s := a.session
	at, seq := s.Applied()
	a.home.encoded = s.Encode(a.home.encoded[:0])
	a.home.answers = append(a.home.answers, partition.Captured{
		Key: s.Key(), State: slices.Clone(a.home.encoded),
		AppliedAt: at, AppliedSeq: seq, Next: s.Next(), Revision: s.Rules().Revision(),
	})
}
