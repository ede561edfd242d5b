package sim

import (
	"github.com/usher-audiences/usher/actors/partition"
)

// breakSomething is one fault of the nodes, the clocks or the rules.
func (w *world) breakSomething() {
	switch w.source.IntN(9) {
	case 0, 1:
		w.crash()
	case 2:
		w.freeze()
	case 3, 4:
		w.another()
	case 5:
		_, defs := w.audiences.Change()
		w.faults["change of rules"]++
		w.define(defs)
	case 6:
		if w.cfg.Loss == LoseLogTail {
			return
		}
		w.server = int64(w.source.IntN(20_000)-10_000) * millisecond
		w.fault("the server's clock steps")
	case 7:
		n := w.nodes[w.source.IntN(nodes)]
		n.offset = int64(w.source.IntN(8_000)-4_000) * millisecond
		w.fault("a node's clock steps")
	default:
		w.drainOne()
	}
}

// crash takes a node away with all it has in memory.
func (w *world) crash() {
	if len(w.owners) == 0 {
		return
	}
	n := w.owners[w.source.IntN(len(w.owners))].node
	w.fault("crash")
	for _, o := range append([]*owner(nil), w.owners...) {
		if o.node != n {
			continue
		}
		if !o.caught {
			w.fault("crash during recovery")
		}
		o.end()
	}
}

// freeze pauses a node for long; what it has sent still arrives.
func (w *world) freeze() {
	n := w.awake()
	frozen := 0
	for _, other := range w.nodes {
		if w.frozen(other) {
			frozen++
		}
	}
	if frozen == nodes-1 {
		return
	}
	w.fault("pause")
	n.frozen = w.turn + 200 + w.source.IntN(6000)
}

// another gives a partition that has an owner one more.
func (w *world) another() {
	p := w.source.IntN(partitions)
	if n := len(w.ownersOf(p)); n == 0 || n >= ownersMax {
		return
	}
	w.begin(w.awake(), p)
	if len(w.ownersOf(p)) == 2 {
		w.fault("two owners")
	} else {
		w.fault("three owners")
	}
}

// drainOne hands a partition over as planned.
func (w *world) drainOne() {
	if len(w.owners) == 0 {
		return
	}
	if o := w.owners[w.source.IntN(len(w.owners))]; !w.frozen(o.node) {
		w.faults["drain"]++
		o.step(partition.Drain{})
	}
}
