package actors

import (
	"fmt"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

// stepper is the machine that a partition's actor drives.
type stepper interface {
	Step(in partition.Input) []partition.Effect
	Status() partition.Status
}

// partitionActor drives the machine of one partition. Its mailbox takes the
// machine's inputs, questions and the end of its sessions.
//
// One value is one life: after a failure another takes its place, under
// another name, so that what comes late for the old machine never reaches the
// new one.
type partitionActor struct {
	node    *Node
	number  int
	machine stepper
	home    home
	gauge   *gauge

	root *actor.RootContext
	self *actor.PID

	sessions map[rules.UserKey]*actor.PID
	leaving  map[string]rules.UserKey // by actor id: poisoned, not yet terminated
	asked    map[uint64]asked         // who waits for the answer to a question, by its ID
	asks     uint64
	reader   Reader
	slots    slots
	alarm    alarmClock
	answer   answers
	over     bool // drained or failed: what still comes is of no use

	// Told to sessions; see sessionActor.
	step    stepSession
	capture captureSession
}

// What a partition's actor is told besides inputs of its machine. drainDue
// and question come from the node, checkpointDue from its own clock.
type (
	drainDue      struct{}
	checkpointDue struct{}
	clockDue      struct{}
)

func newPartitionActor(n *Node, number int) *partitionActor {
	return &partitionActor{
		node: n, number: number, gauge: &n.gauges[number],
		machine:  n.newMachine(number),
		home:     home{evaluator: rules.NewEvaluator()},
		sessions: make(map[rules.UserKey]*actor.PID),
		leaving:  make(map[string]rules.UserKey),
		asked:    make(map[uint64]asked),
		slots:    newSlots(n.config.MailboxMax),
	}
}

// Receive takes one message. A panic is a broken invariant: the life ends,
// and the parent decides about another.
func (a *partitionActor) Receive(ctx actor.Context) {
	defer a.failed(ctx)
	switch m := ctx.Message().(type) {
	case partition.Message:
		a.slots.release()
		a.feed(ctx, m)
	case partition.Input:
		a.feed(ctx, m)
	case *actor.Terminated:
		a.terminated(ctx, m.Who.Id)
	case clockDue:
		a.alarm.rang(ctx, a)
	case checkpointDue:
		a.feed(ctx, partition.CheckpointDue{})
		a.alarm.checkpointIn(a.node.config.CheckpointEvery)
	case *question:
		a.ask(ctx, m)
	case drainDue:
		a.gauge.set(draining)
		a.feed(ctx, partition.Drain{})
	case *actor.Started:
		a.begin(ctx)
	case *actor.Stopping:
		a.end()
	}
}

func (a *partitionActor) begin(ctx actor.Context) {
	a.root, a.self = ctx.ActorSystem().Root, ctx.Self()
	a.answer = a.answers()
	a.alarm = newAlarmClock(a.root, a.self)
	a.alarm.checkpointIn(a.node.config.CheckpointEvery)
	a.gauge.set(starting)
	a.feed(ctx, partition.Start{Now: time.Now().UnixMilli()})
}

// feed gives the machine an input and carries out what it asks for, until
// neither sessions nor machine have anything more to say. A session answers
// while an effect on it is carried out; the answer waits in home until all
// effects of the step are carried out, since they are valid no longer.
func (a *partitionActor) feed(ctx actor.Context, in partition.Input) {
	if a.over {
		return
	}
	a.gauge.count(in)
	a.carryOut(ctx, a.machine.Step(in))
	for i := 0; i < len(a.home.answers) && !a.over; i++ {
		next := a.home.answers[i]
		a.home.answers[i] = nil
		a.carryOut(ctx, a.machine.Step(next))
	}
	a.home.answers = a.home.answers[:0]
	a.gauge.tell(a.machine.Status(), len(a.sessions))
}

// activate starts a key's session. A state that cannot be decoded is replaced
// by an empty one, and reported.
func (a *partitionActor) activate(ctx actor.Context, e partition.Activate) {
	if pid, ok := a.sessions[e.Key]; ok {
		panic(fmt.Sprintf("activate %q: it is active as %s", e.Key, pid.Id))
	}
	s, err := a.node.decode(e)
	if err != nil {
		a.home.answers = append(a.home.answers, partition.ActivationFailed{Key: e.Key, State: e.State, Err: err})
	}
	token, err := subject.Encode(string(e.Key))
	if err != nil {
		panic(fmt.Sprintf("activate %q: %v", e.Key, err))
	}
	pid, err := ctx.SpawnNamed(a.node.props, string(token))
	if err != nil {
		panic(fmt.Sprintf("activate %q: %v", e.Key, err))
	}
	a.sessions[e.Key] = pid
	a.tell(ctx, e.Key, &beginSession{home: &a.home, session: s})
	a.gauge.activations.Add(1)
}

// tell has a key's session take a message, here and now.
func (a *partitionActor) tell(ctx actor.Context, key rules.UserKey, message any) {
	pid, ok := a.sessions[key]
	if !ok {
		panic(fmt.Sprintf("%T for %q, which has no session", message, key))
	}
	ctx.Send(pid, message)
}

// passivate ends a key's session. The machine is told when the session has
// terminated and this actor has taken note of it: a session of the same name
// begun earlier would be dropped from the actor's children together with the
// old one.
func (a *partitionActor) passivate(ctx actor.Context, key rules.UserKey) {
	pid, ok := a.sessions[key]
	if !ok {
		panic(fmt.Sprintf("passivate %q, which has no session", key))
	}
	delete(a.sessions, key)
	a.leaving[pid.Id] = key
	ctx.Poison(pid)
}

func (a *partitionActor) terminated(ctx actor.Context, id string) {
	if a.over {
		return
	}
	key, ok := a.leaving[id]
	if !ok {
		panic(fmt.Sprintf("session %s ended by itself", id))
	}
	delete(a.leaving, id)
	a.gauge.passivations.Add(1)
	a.feed(ctx, partition.Passivated{Key: key})
}

// post gives the machine an answer from any goroutine.
func (a *partitionActor) post(in partition.Input) { a.root.Send(a.self, in) }

// deliver is given to the log's reader. It waits while the mailbox is full.
func (a *partitionActor) deliver(in partition.Input) {
	if _, ok := in.(partition.Message); ok && !a.slots.acquire() {
		return
	}
	a.post(in)
}

func (a *partitionActor) drained(ctx actor.Context) {
	a.end()
	a.gauge.set(drained)
	ctx.Poison(ctx.Self())
}

// end stops what would send to this actor. It may be called more than once.
func (a *partitionActor) end() {
	a.over = true
	a.slots.close()
	a.alarm.stop()
	if a.reader != nil {
		a.reader.Stop()
		a.reader = nil
	}
}

// failed ends the life after a panic and leaves the rest to the parent, which
// also ends the sessions: their states are as good as lost.
func (a *partitionActor) failed(ctx actor.Context) {
	r := recover()
	if r == nil {
		return
	}
	s := a.machine.Status()
	a.node.log.Error("partition failed", "partition", a.number, "seq", s.Seq, "reason", r,
		"message", fmt.Sprintf("%T", ctx.Message()), "state", s, "stack", string(debug.Stack()))
	if a.over {
		return
	}
	a.end()
	a.gauge.set(broken)
	ctx.Send(ctx.Parent(), partitionFailed{number: a.number, reason: fmt.Sprint(r)})
}
