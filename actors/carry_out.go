package actors

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/usher-audiences/usher/actors/partition"
)

// answers are the functions given to the ports, made once: an answer costs no
// closure.
type answers struct {
	checkpoint      func(partition.CheckpointRead)
	transition      func(partition.TransitionChecked)
	rules           func(partition.RuleSetRead)
	scanned         func(partition.SnapshotsScanned)
	snapshot        func(partition.SnapshotRead)
	snapshotSaved   func(partition.SnapshotSaved)
	published       func(partition.Published)
	register        func(partition.RegisterRead)
	rejected        func(partition.RejectStored)
	tick            func(partition.TickAppended)
	rulesAppended   func(partition.RulesAppended)
	checkpointSaved func(partition.CheckpointSaved)
	erased          func(partition.Erased)
}

func (a *partitionActor) answers() answers {
	return answers{
		checkpoint:      func(in partition.CheckpointRead) { a.post(in) },
		transition:      func(in partition.TransitionChecked) { a.post(in) },
		rules:           func(in partition.RuleSetRead) { a.post(in) },
		scanned:         func(in partition.SnapshotsScanned) { a.post(in) },
		snapshot:        func(in partition.SnapshotRead) { a.post(in) },
		snapshotSaved:   func(in partition.SnapshotSaved) { a.post(in) },
		published:       func(in partition.Published) { a.post(in) },
		register:        func(in partition.RegisterRead) { a.post(in) },
		rejected:        func(in partition.RejectStored) { a.post(in) },
		tick:            func(in partition.TickAppended) { a.post(in) },
		rulesAppended:   func(in partition.RulesAppended) { a.post(in) },
		checkpointSaved: func(in partition.CheckpointSaved) { a.post(in) },
		erased:          func(in partition.Erased) { a.post(in) },
	}
}

// carryOut does what the machine asks for, in order. The storage starts and
// answers later; a session answers before the next effect is looked at.
func (a *partitionActor) carryOut(ctx actor.Context, effects []partition.Effect) {
	for _, e := range effects {
		if !a.onSession(ctx, e) && !a.onStorage(e) && !a.onSelf(ctx, e) {
			panic(fmt.Sprintf("unknown effect %T", e))
		}
	}
}

func (a *partitionActor) onSession(ctx actor.Context, e partition.Effect) bool {
	switch e := e.(type) {
	case partition.Deliver:
		a.step.input = e.Input
		a.tell(ctx, e.Key, &a.step)
	case partition.Activate:
		a.activate(ctx, e)
	case partition.Capture:
		a.tell(ctx, e.Key, &a.capture)
	case partition.Passivate:
		a.passivate(ctx, e.Key)
	case partition.Inspect:
		a.inspect(ctx, e)
	default:
		return false
	}
	return true
}

func (a *partitionActor) onStorage(e partition.Effect) bool {
	bus, p := a.node.config.Bus, a.number
	switch e := e.(type) {
	case partition.Publish:
		bus.Publish(e, a.answer.published)
	case partition.ReadSnapshot:
		bus.ReadSnapshot(p, e, a.answer.snapshot)
	case partition.SaveSnapshot:
		bus.SaveSnapshot(p, e, a.answer.snapshotSaved)
	case partition.ReadRegister:
		bus.ReadRegister(e, a.answer.register)
	case partition.Reject:
		bus.Reject(p, e, a.answer.rejected)
	case partition.AppendTick:
		bus.AppendTick(p, e, a.answer.tick)
	case partition.SaveCheckpoint:
		bus.SaveCheckpoint(p, e, a.answer.checkpointSaved)
	case partition.AppendRules:
		bus.AppendRules(p, e, a.answer.rulesAppended)
	case partition.ReadCheckpoint:
		bus.ReadCheckpoint(p, a.answer.checkpoint)
	case partition.CheckTransition:
		bus.CheckTransition(e, a.answer.transition)
	case partition.ReadRuleSet:
		bus.ReadRuleSet(e, a.answer.rules)
	case partition.ScanSnapshots:
		bus.ScanSnapshots(p, e, a.answer.scanned)
	case partition.Erase:
		bus.Erase(p, e, a.answer.erased)
	default:
		return false
	}
	return true
}

func (a *partitionActor) onSelf(ctx actor.Context, e partition.Effect) bool {
	switch e := e.(type) {
	case partition.Arm:
		a.alarm.arm(e.At)
	case partition.Pause:
		a.reader.Pause()
	case partition.Resume:
		a.reader.Resume()
	case partition.Read:
		a.read(e)
	case partition.Caught:
		a.caught()
	case partition.Alarm:
		a.report(e)
	case partition.Forgotten:
		a.forgotten(ctx, e)
	case partition.Drained:
		a.drained(ctx)
	default:
		return false
	}
	return true
}

func (a *partitionActor) read(e partition.Read) {
	if a.reader != nil {
		a.reader.Stop()
	}
	a.reader = a.node.config.Bus.Read(a.number, e, a.deliver)
	a.gauge.reads(a.reader)
}

func (a *partitionActor) caught() {
	a.gauge.state.CompareAndSwap(int32(starting), int32(serving))
	a.node.log.Debug("partition caught up", "partition", a.number, "seq", a.machine.Status().Seq)
}

func (a *partitionActor) report(e partition.Alarm) {
	a.node.alarms.add(e.Kind)
	a.node.log.Error("alarm", "partition", a.number, "alarm", e.Kind, "key", e.Key, "seq", e.Seq, "detail", e.Detail)
}
