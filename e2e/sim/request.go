package sim

import (
	"fmt"

	"github.com/usher-audiences/usher/actors/partition"
)

// request is one effect on its way to the bus. One without an owner, or whose
// owner is gone, is carried out and not answered.
type request struct {
	owner  *owner
	p      int
	effect partition.Effect
	notYet int // until this turn
}

// fate is what happens to a write.
type fate uint8

const (
	carriedOut fate = iota
	refused         // by the server, for no reason of the register's
	storedInDoubt
	lostInDoubt
	lateInDoubt // not carried out now, but much later
)

// fate draws what happens to a write. Faults are off while the world heals.
func (w *world) fate() fate {
	if w.healing || !w.chance(12) {
		return carriedOut
	}
	return []fate{refused, storedInDoubt, lostInDoubt, lateInDoubt}[w.source.IntN(4)]
}

// send carries a request out, or not.
func (w *world) send(r request) {
	w.trace.request(w.turn, r)
	o := r.owner
	if o == nil || o.gone {
		w.execute(r.p, r.effect, func(partition.Input) {})
		return
	}
	doubt := inDoubt(r.effect)
	if doubt == nil {
		w.execute(r.p, r.effect, o.collect())
		return
	}
	switch fate := w.fate(); fate {
	case carriedOut:
		w.execute(r.p, r.effect, o.collect())
	case refused:
		if no := refusal(r.effect); no != nil {
			w.fault("write refused")
			o.answer(no)
			return
		}
		w.execute(r.p, r.effect, o.collect())
	case storedInDoubt:
		w.fault("acknowledgement lost, stored")
		w.execute(r.p, r.effect, func(partition.Input) {})
		o.answer(doubt)
	case lostInDoubt:
		w.fault("acknowledgement lost, not stored")
		o.answer(doubt)
	case lateInDoubt:
		w.fault("write delayed")
		w.zombie = append(w.zombie, request{p: r.p, effect: r.effect, notYet: w.turn + w.source.IntN(2000)})
		o.answer(doubt)
	}
}

// collect gives a function that queues answers for the owner. Those to one
// request stay in order.
func (o *owner) collect() func(partition.Input) {
	at := -1
	return func(in partition.Input) {
		if at < 0 {
			at = len(o.answers)
			o.answer(in)
			return
		}
		o.answers[at] = append(o.answers[at], in)
	}
}

// inDoubt is the answer that tells of doubt, nil for a request that is
// retried until it is answered.
func inDoubt(e partition.Effect) partition.Input {
	switch e := e.(type) {
	case partition.Publish:
		return partition.Published{Register: e.Register, Attempt: e.Attempt, Outcome: partition.Doubt}
	case partition.SaveSnapshot:
		return partition.SnapshotSaved{Key: e.Key, Outcome: partition.Doubt}
	case partition.SaveCheckpoint:
		return partition.CheckpointSaved{Outcome: partition.Doubt}
	case partition.AppendTick:
		return partition.TickAppended{Outcome: partition.Doubt}
	case partition.AppendRules:
		return partition.RulesAppended{Revision: e.Revision, Outcome: partition.Doubt}
	}
	return nil
}

// refusal is the answer that tells of a refusal, nil for what is never
// refused.
func refusal(e partition.Effect) partition.Input {
	switch e := e.(type) {
	case partition.Publish:
		return partition.Published{Register: e.Register, Attempt: e.Attempt, Outcome: partition.Refused}
	case partition.SaveSnapshot:
		return partition.SnapshotSaved{Key: e.Key, Outcome: partition.Refused}
	}
	return nil
}

// execute gives an effect to the bus.
func (w *world) execute(p int, e partition.Effect, done func(partition.Input)) {
	b := w.bus
	switch e := e.(type) {
	case partition.Publish:
		b.Publish(e, func(in partition.Published) { done(in) })
	case partition.ReadRegister:
		b.ReadRegister(e, func(in partition.RegisterRead) { done(in) })
	case partition.CheckTransition:
		b.CheckTransition(e, func(in partition.TransitionChecked) { done(in) })
	case partition.ReadSnapshot:
		b.ReadSnapshot(p, e, func(in partition.SnapshotRead) { done(in) })
	case partition.SaveSnapshot:
		b.SaveSnapshot(p, e, func(in partition.SnapshotSaved) { done(in) })
	case partition.ScanSnapshots:
		b.ScanSnapshots(p, e, func(in partition.SnapshotsScanned) { done(in) })
	case partition.ReadCheckpoint:
		b.ReadCheckpoint(p, func(in partition.CheckpointRead) { done(in) })
	case partition.SaveCheckpoint:
		b.SaveCheckpoint(p, e, func(in partition.CheckpointSaved) { done(in) })
	case partition.ReadRuleSet:
		b.ReadRuleSet(e, func(in partition.RuleSetRead) { done(in) })
	case partition.AppendTick:
		b.AppendTick(p, e, func(in partition.TickAppended) { done(in) })
	case partition.AppendRules:
		b.AppendRules(p, e, func(in partition.RulesAppended) { done(in) })
	case partition.Reject:
		b.Reject(p, e, func(in partition.RejectStored) { done(in) })
	default:
		panic(fmt.Sprintf("sim: unknown effect %T", e))
	}
}
