package actors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

// attemptMax bounds one attempt to have a question answered. A partition
// that fails meanwhile does not say so.
const attemptMax = 5 * time.Second

// againAfter is how long a question waits before it is asked again.
const againAfter = 20 * time.Millisecond

// askMax bounds a question whose context has no deadline.
const askMax = 30 * time.Second

// question is asked of the virtual actor of a key. It goes to the door of the
// owner, from there to the key's partition, and, unless it is forget, from
// there to the key's session, which is activated for it.
type question struct {
	key     rules.UserKey
	forget  bool
	explain *explainQuestion // nil to inspect, or forget
}

// unavailable answers a question that cannot be answered now.
type unavailable struct{}

// forgottenKey answers a question that was to forget its key.
type forgottenKey struct{}

// Inspect returns what is known of a key, after every message that its
// partition has read. While the partition is not served it waits, until ctx
// ends or half a minute has passed; then, and at once when the node has been
// drained, it returns [ErrUnavailable].
func (n *Node) Inspect(ctx context.Context, key rules.UserKey) (*Inspection, error) {
	answer, err := n.ask(ctx, &question{key: key})
	if err != nil {
		return nil, fmt.Errorf("inspect %q: %w", key, err)
	}
	in, ok := answer.(*Inspection)
	if !ok {
		return nil, fmt.Errorf("inspect %q: the answer is a %T", key, answer)
	}
	return in, nil
}

// Forget erases a key from log, registers and snapshots. It returns when all
// is erased; [ErrUnavailable] is as for [Node.Inspect].
func (n *Node) Forget(ctx context.Context, key rules.UserKey) error {
	if _, err := n.ask(ctx, &question{key: key, forget: true}); err != nil {
		return fmt.Errorf("forget %q: %w", key, err)
	}
	return nil
}

// ask asks until there is an answer: a partition may move or be restarted at
// any time, and both questions may be asked twice.
func (n *Node) ask(ctx context.Context, q *question) (any, error) {
	if _, err := subject.Encode(string(q.key)); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askMax)
	defer cancel()
	for {
		answer, err := n.attempt(ctx, q)
		if err == nil {
			return answer, nil
		}
		select {
		case <-time.After(againAfter):
		case <-n.ended:
			return nil, err
		case <-ctx.Done():
			return nil, errors.Join(err, context.Cause(ctx))
		}
	}
}

func (n *Node) attempt(ctx context.Context, q *question) (any, error) {
	pid, err := n.config.Cluster.Locate(SessionKind, string(q.key))
	if err != nil {
		return nil, errors.Join(ErrUnavailable, err)
	}
	system := n.config.Cluster.System()
	r := &reply{answer: make(chan any, 1)}
	self, _ := system.ProcessRegistry.Add(r, "reply"+system.ProcessRegistry.NextId())
	defer system.ProcessRegistry.Remove(self)
	system.Root.RequestWithCustomSender(pid, q, self)
	select {
	case answer := <-r.answer:
		switch answer.(type) {
		case unavailable, *actor.DeadLetterResponse:
			return nil, ErrUnavailable
		}
		return answer, nil
	case <-time.After(attemptMax):
	case <-ctx.Done():
	}
	return nil, ErrUnavailable
}

// reply is the process that an answer is sent to. The library's futures would
// do, but they cannot be given up early, and a second message to one is a
// data race.
type reply struct{ answer chan any }

// SendUserMessage takes the first message.
func (r *reply) SendUserMessage(_ *actor.PID, message any) {
	_, answer, _ := actor.UnwrapEnvelope(message)
	select {
	case r.answer <- answer:
	default:
	}
}

// SendSystemMessage has nothing to do.
func (r *reply) SendSystemMessage(*actor.PID, any) {}

// Stop has nothing to stop.
func (r *reply) Stop(*actor.PID) {}

// ask passes a question to the machine, which says when and about what the
// session is to be asked.
func (a *partitionActor) ask(ctx actor.Context, q *question) {
	if a.over {
		ctx.Respond(unavailable{})
		return
	}
	a.asks++
	a.asked[a.asks] = asked{by: ctx.Sender(), explain: q.explain}
	if q.forget {
		a.feed(ctx, partition.Forget{Key: q.key, ID: a.asks})
		return
	}
	a.feed(ctx, partition.Query{Key: q.key, ID: a.asks})
}

// inspect has the session answer whoever asked.
func (a *partitionActor) inspect(ctx actor.Context, e partition.Inspect) {
	q := a.question(e.ID)
	if e.Unavailable {
		ctx.Send(q.by, unavailable{})
		return
	}
	a.tell(ctx, e.Key, &actor.MessageEnvelope{
		Message: &inspectSession{partition: a.number, registers: e.Registers, explain: q.explain},
		Sender:  q.by,
	})
}

func (a *partitionActor) forgotten(ctx actor.Context, e partition.Forgotten) {
	if e.Unavailable {
		ctx.Send(a.question(e.ID).by, unavailable{})
		return
	}
	ctx.Send(a.question(e.ID).by, forgottenKey{})
}

// asked is a question that the machine has and has not let through.
type asked struct {
	by      *actor.PID
	explain *explainQuestion
}

func (a *partitionActor) question(id uint64) asked {
	q := a.asked[id]
	delete(a.asked, id)
	return q
}
