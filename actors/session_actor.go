package actors

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/rules"
)

// SessionKind is the kind of the virtual actor that a session is.
const SessionKind = "session"

// sessionThroughput is how many messages a session takes in one go. Its
// mailbox never holds more than one.
const sessionThroughput = 300

// sessionProps is shared by all sessions of a node. With the synchronized
// dispatcher a session runs on the goroutine of whoever sends to it, before
// the send returns. That is its partition's actor and nobody else: strangers
// are given the address of the node's partitions, never a session's.
func sessionProps() *actor.Props {
	return actor.PropsFromProducer(
		func() actor.Actor { return new(sessionActor) },
		actor.WithDispatcher(actor.NewSynchronizedDispatcher(sessionThroughput)),
	)
}

// home is what the sessions of one partition share with their parent. Because
// they run on the parent's goroutine it needs no lock, and one evaluator is
// enough for all of them.
type home struct {
	evaluator *rules.Evaluator
	answers   []partition.Input // for the machine, in the order of the questions
	encoded   []byte            // scratch memory of captures
	failure   string            // why a session's actor broke, with its stack
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
	}
)

// Receive takes one message. A panic inside a step is the session's to
// survive; any other is a broken invariant: it is handed to the parent, which
// gives the whole partition up.
func (a *sessionActor) Receive(ctx actor.Context) {
	defer a.broke(ctx.Self())
	switch m := ctx.Message().(type) {
	case *stepSession:
		a.step(m.input)
	case *beginSession:
		a.home, a.session = m.home, m.session
	case *captureSession:
		a.capture()
	case *inspectSession:
		ctx.Respond(inspection(a.session.View(), m))
	}
}

func (a *sessionActor) broke(self *actor.PID) {
	if r := recover(); r != nil {
		a.home.failure = fmt.Sprintf("session %s: %v\n%s", self.Id, r, debug.Stack())
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
