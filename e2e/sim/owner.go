package sim

import (
	"fmt"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/bus/memory"
	"github.com/usher-audiences/usher/rules"
)

// owner is one machine of one partition on one node, with what it has asked
// for and not been answered.
type owner struct {
	w       *world
	node    *node
	p       int
	number  int
	machine *partition.Machine
	scratch *rules.Evaluator

	inbox     []partition.Input   // of the log, in order
	answers   [][]partition.Input // each in order within itself, not among each other
	requests  []request           // on their way to the bus
	sessions  map[rules.UserKey]*session.Session
	mail      map[rules.UserKey][]partition.Effect
	mailed    []rules.UserKey // that have mail
	armed     int64
	reader    memory.Reader
	unwatch   func()
	caught    bool
	gone      bool
	checkedAt int // turn of the last checkpoint asked for
}

// begin starts a machine for p on a node.
func (w *world) begin(n *node, p int) *owner {
	cfg := partition.Config{
		Partition: p, Partitions: partitions, Without: w.cfg.Without,
		SessionsMax: 2 + w.source.IntN(8), UndoneMax: 8 + w.source.IntN(60),
		SavesMax: 1 + w.source.IntN(6), LoadsMax: 1 + w.source.IntN(6),
	}
	o := &owner{
		w: w, node: n, p: p, number: len(w.owners), machine: partition.New(cfg), scratch: rules.NewEvaluator(),
		sessions: make(map[rules.UserKey]*session.Session), mail: make(map[rules.UserKey][]partition.Effect),
		armed: rules.Never, checkedAt: w.turn,
	}
	for _, other := range w.owners {
		o.number = max(o.number, other.number+1)
	}
	w.owners = append(w.owners, o)
	w.trace.line(w.turn, "node %d begins %s", n.id, o)
	o.step(partition.Start{Now: w.clock(n)})
	o.unwatch = w.bus.Watch(func(in partition.RevisionAvailable) { o.answer(in) })
	return o
}

func (o *owner) String() string { return fmt.Sprintf("p%d/%d", o.p, o.number) }

// end takes the owner out of the world. What it has on its way to the bus may
// still arrive there.
func (o *owner) end() {
	o.gone = true
	if o.reader != nil {
		o.reader.Stop()
	}
	o.unwatch()
	for _, r := range o.requests {
		if o.w.chance(50) {
			o.w.zombie = append(o.w.zombie, r)
		}
	}
	o.w.owners = without(o.w.owners, o)
}

// answer queues what the bus answers.
func (o *owner) answer(ins ...partition.Input) {
	if !o.gone {
		o.answers = append(o.answers, ins)
	}
}

// step gives the machine one input and carries its effects out.
func (o *owner) step(in partition.Input) {
	o.w.trace.input(o, in)
	// The slice is valid until the next Step, which may come before all is
	// carried out.
	effects := append([]partition.Effect(nil), o.machine.Step(in)...)
	for _, e := range effects {
		o.w.trace.effect(o, e)
		o.carryOut(e)
	}
}

func (o *owner) carryOut(e partition.Effect) {
	switch e := e.(type) {
	case partition.Activate:
		o.post(e.Key, e)
	case partition.Deliver:
		o.post(e.Key, e)
	case partition.Capture:
		o.post(e.Key, e)
	case partition.Passivate:
		o.post(e.Key, e)
	case partition.Arm:
		o.armed = e.At
	case partition.Pause:
		o.w.faults["reading paused"]++
		o.reader.Pause()
	case partition.Resume:
		o.reader.Resume()
	case partition.Read:
		o.reader = o.w.bus.Read(o.p, e, func(in partition.Input) { o.inbox = append(o.inbox, in) })
	case partition.Caught:
		o.caught = true
	case partition.Alarm:
		o.w.alarm(o, e)
	case partition.Drained:
		o.end()
	case partition.Inspect, partition.Forgotten:
	default:
		o.requests = append(o.requests, request{owner: o, p: o.p, effect: e})
	}
}

// post queues what a session is to do.
func (o *owner) post(key rules.UserKey, e partition.Effect) {
	if len(o.mail[key]) == 0 {
		o.mailed = append(o.mailed, key)
	}
	o.mail[key] = append(o.mail[key], e)
}

// work lets one session do the first thing it was asked.
func (o *owner) work(i int) {
	key := o.mailed[i]
	e := o.mail[key][0]
	if o.mail[key] = o.mail[key][1:]; len(o.mail[key]) == 0 {
		delete(o.mail, key)
		take(&o.mailed, i)
	}
	if in := o.session(e); in != nil {
		o.step(in)
	}
}
