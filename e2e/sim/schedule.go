package sim

import (
	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/e2e/generate"
	"github.com/usher-audiences/usher/rules"
)

// turnsMax bounds a run; one that does not come to rest is a failure.
const turnsMax = 400_000

// run lets things happen in random order until enough was produced and
// enough went wrong.
func (w *world) run() {
	for w.produced < messagesMin || w.faultCount() < faultsMin {
		w.turn++
		switch n := w.source.IntN(1000); {
		case n < 25:
			w.produce()
		case n < 60:
			w.passTime()
		case n < 62:
			w.breakSomething()
			w.lose()
		case n < 75:
			w.staff()
		case n < 80:
			w.demandCheckpoint()
		case n < 200:
			w.sendZombie()
		default:
			w.serve()
		}
		if w.turn > turnsMax {
			return
		}
	}
}

func (w *world) faultCount() int {
	n := 0
	for _, count := range w.faults {
		n += count
	}
	return n
}

// produce publishes a message, or publishes one again whose acknowledgement
// was lost.
func (w *world) produce() {
	var m generate.Message
	if n := len(w.retries); n > 0 && w.chance(40) {
		m = take(&w.retries, w.source.IntN(n))
	} else {
		m = w.traffic.Next((w.now + w.server) / millisecond)
		w.produced++
		if m.Fault != "" {
			w.faults["message: "+m.Fault]++
		}
	}
	p := partitionOf(m.Key)
	if w.chance(1) {
		p = (p + 1) % partitions
		w.faults["message: misrouted"]++
	}
	if w.chance(6) {
		w.fault("producer retries")
		w.retries = append(w.retries, m)
		if w.chance(50) {
			return
		}
	}
	kind := partition.EventMessage
	if m.Kind == subject.KindTraits {
		kind = partition.TraitsMessage
	}
	seq := w.bus.Append(p, kind, m.Encoding, m.Payload)
	w.keyAt[logPlace{p, seq}] = rules.UserKey(m.Key)
	w.trace.line(w.turn, "p%d %d %s %s %q", p, seq, rules.FormatTime((w.now+w.server)/millisecond), kind, m.Payload)
}

// passTime moves the clock, most often to the next instant at which an owner
// wants to be woken.
func (w *world) passTime() {
	next := rules.Never
	for _, o := range w.owners {
		if o.armed != rules.Never {
			next = min(next, o.armed*millisecond-o.node.offset)
		}
	}
	switch {
	case next != rules.Never && next > w.now && next < w.now+3_600_000*millisecond && w.chance(50):
		w.now = next
	case w.chance(40):
		w.now += int64(w.source.IntN(3000)) * millisecond / 10
	default:
		w.now += w.source.Gap() * millisecond
	}
	w.now += int64(w.source.IntN(1000))
	w.trace.line(w.turn, "it is %s", rules.FormatTime(w.milli()))
}

// staff gives a partition that has no owner one, and wakes those whose time
// has come.
func (w *world) staff() {
	p := w.source.IntN(partitions)
	if len(w.ownersOf(p)) == 0 {
		w.begin(w.awake(), p)
	}
}

// awake draws a node that is not frozen.
func (w *world) awake() *node {
	n := w.nodes[w.source.IntN(nodes)]
	for w.frozen(n) {
		n = w.nodes[(n.id+1)%nodes]
	}
	return n
}

func (w *world) frozen(n *node) bool { return !w.healing && n.frozen > w.turn }

func (w *world) ownersOf(p int) []*owner {
	var out []*owner
	for _, o := range w.owners {
		if o.p == p {
			out = append(out, o)
		}
	}
	return out
}

func (w *world) demandCheckpoint() {
	if len(w.owners) == 0 {
		return
	}
	if o := w.owners[w.source.IntN(len(w.owners))]; !w.frozen(o.node) {
		o.step(partition.CheckpointDue{})
	}
}

// sendZombie carries out a request that is late, or whose owner is gone.
func (w *world) sendZombie() {
	if len(w.zombie) == 0 {
		return
	}
	i := w.source.IntN(len(w.zombie))
	if w.zombie[i].notYet > w.turn && !w.healing {
		return
	}
	w.send(take(&w.zombie, i))
}

// serve lets one owner get on with one thing. It reports whether there was
// any.
func (w *world) serve() bool {
	if len(w.owners) == 0 {
		return false
	}
	o := w.owners[w.source.IntN(len(w.owners))]
	for range 4 {
		if o.move(w.source.IntN(5)) {
			return true
		}
	}
	return false
}

// move does one thing of a kind, if there is one.
func (o *owner) move(kind int) bool {
	w := o.w
	if kind == 0 {
		return o.sendOne()
	}
	if w.frozen(o.node) {
		return false
	}
	switch kind {
	case 1:
		return o.answerOne()
	case 2:
		if len(o.inbox) == 0 {
			return false
		}
		in := o.inbox[0]
		o.inbox = o.inbox[1:]
		o.step(in)
	case 3:
		if len(o.mailed) == 0 {
			return false
		}
		o.work(w.source.IntN(len(o.mailed)))
	default:
		return o.wake()
	}
	return true
}

// sendOne gets one request to the bus. A slow one is passed over.
func (o *owner) sendOne() bool {
	if len(o.requests) == 0 {
		return false
	}
	i := o.w.source.IntN(len(o.requests))
	if r := &o.requests[i]; !o.w.healing {
		if r.notYet > o.w.turn {
			return false
		}
		if _, load := r.effect.(partition.ReadSnapshot); load && r.notYet == 0 && o.w.chance(5) {
			o.w.fault("slow load")
			r.notYet = o.w.turn + o.w.source.IntN(1500)
			return true
		}
	}
	o.w.send(take(&o.requests, i))
	return true
}

func (o *owner) answerOne() bool {
	if len(o.answers) == 0 {
		return false
	}
	i := o.w.source.IntN(len(o.answers))
	in := o.answers[i][0]
	if o.answers[i] = o.answers[i][1:]; len(o.answers[i]) == 0 {
		take(&o.answers, i)
	}
	o.step(in)
	return true
}

// wake tells the machine the time when it asked to be woken.
func (o *owner) wake() bool {
	now := o.w.clock(o.node)
	if o.armed > now {
		return false
	}
	o.armed = rules.Never
	o.step(partition.Clock{Now: now})
	return true
}
