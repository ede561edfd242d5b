package sim

import (
	"fmt"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/e2e/audit"
	"github.com/usher-audiences/usher/rules"
)

// A run that loses the tail of a stream is judged by what is left to demand.
//
// LoseLogTail: the last messages of one partition's log are gone, and their
// sequences are given again. What they did may stand or not. Every key that
// had none of them must have exactly the transitions that the log as it is
// now leads to, with the messages that came later among them; the registers
// of the others must still be whole; and if the checkpoint lay beyond what is
// left, the loss must be reported. The server's clock does not step back in
// such a run: together the two can pass unnoticed, which docs/architecture.md
// says.
//
// LoseTransitionsTail: the last transitions are gone, and everything that ran
// with them. In a partition whose checkpoint names one of them, the owner must
// say so, and every transition that is due after the loss must be stored; of
// those before it, the lost ones may be missing. A partition whose checkpoint
// names none cannot know, and is asked only for whole registers.
type loss struct {
	done     bool
	p        int
	keys     map[rules.UserKey]bool // that had a lost message
	after    uint64                 // log: the last sequence that is left
	at       int64                  // the moment, Unix milliseconds
	sequence uint64                 // transitions: the last sequence that is left
	must     [partitions]bool       // the loss must be noticed
}

// lossMax bounds what is lost.
const lossMax = 25

// lose lets the stream lose its tail, once, when enough has happened.
func (w *world) lose() {
	if w.cfg.Loss == LoseNothing || w.loss.done || w.produced < messagesMin/3 {
		return
	}
	n := 1 + w.source.IntN(lossMax)
	switch w.cfg.Loss {
	case LoseLogTail:
		w.loseLog(w.source.IntN(partitions), n)
	case LoseTransitionsTail:
		w.loseTransitions(n)
	}
}

func (w *world) loseLog(p, n int) {
	log := w.bus.Log(p)
	if len(log) < 2*lossMax {
		return
	}
	keys := make(map[rules.UserKey]bool)
	for _, m := range log[len(log)-n:] {
		if m.Kind == partition.RulesMessage {
			return
		}
		keys[w.keyAt[logPlace{p, m.Seq}]] = true
	}
	w.fault("log tail lost")
	w.zombie = nil
	w.loss = loss{done: true, p: p, keys: keys, after: log[len(log)-n-1].Seq, at: w.milli()}
	if w.chance(50) {
		w.powerFails()
	}
	w.bus.ReadCheckpoint(p, func(in partition.CheckpointRead) {
		w.loss.must[p] = in.Checkpoint != nil && in.Checkpoint.Seq > w.loss.after
	})
	w.bus.LoseLog(p, n)
}

func (w *world) loseTransitions(n int) {
	ts := w.bus.Transitions()
	if len(ts) < 2*lossMax {
		return
	}
	w.fault("transitions tail lost")
	w.powerFails()
	w.loss = loss{done: true, sequence: ts[len(ts)-n-1].Sequence, at: w.milli()}
	for p := range partitions {
		w.bus.ReadCheckpoint(p, func(in partition.CheckpointRead) {
			w.loss.must[p] = in.Checkpoint != nil && in.Checkpoint.Transition.Sequence > w.loss.sequence
		})
	}
	w.bus.LoseTransitions(n)
}

// powerFails takes everything away that is not stored.
func (w *world) powerFails() {
	for len(w.owners) > 0 {
		w.owners[0].requests = nil
		w.owners[0].end()
	}
	w.zombie = nil
}

// logPlace is one message's place.
type logPlace struct {
	p   int
	seq uint64
}

// weaken leaves out of a partition's comparison what cannot be demanded after
// a loss, and adds what can.
func (w *world) weaken(p int, verdict *audit.Verdict, stored []rules.Published, rejected []audit.Rejected) ([]rules.Published, []audit.Rejected, []audit.Difference) {
	if !w.loss.done {
		return stored, rejected, nil
	}
	diffs := audit.CheckRegisters(stored)
	if w.loss.must[p] && !w.noticed[p] && w.cfg.Without == 0 {
		diffs = append(diffs, audit.Difference{Kind: audit.Lost, Detail: fmt.Sprintf("partition %d did not report the lost tail", p)})
	}
	switch w.cfg.Loss {
	case LoseLogTail:
		if p == w.loss.p {
			touched := func(t *rules.Transition) bool { return w.loss.keys[t.Key] }
			verdict.Transitions, stored = leaveOut(verdict.Transitions, stored, touched)
			verdict.Rejected, rejected = upTo(verdict.Rejected, w.loss.after), upTo(rejected, w.loss.after)
		}
	case LoseTransitionsTail:
		before := func(t *rules.Transition) bool { return !w.loss.must[p] || t.Position.At <= w.loss.at+skewMax }
		verdict.Transitions, stored = leaveOut(verdict.Transitions, stored, before)
		for i := range verdict.Transitions {
			verdict.Transitions[i].N = 0 // lost ones are not counted again
		}
		for i := range stored {
			stored[i].N = 0
		}
	}
	return stored, rejected, diffs
}

// skewMax is how far log time may be from true time, in milliseconds.
const skewMax = 15_000

func leaveOut(expected []audit.Expected, stored []rules.Published, out func(*rules.Transition) bool) ([]audit.Expected, []rules.Published) {
	var wanted []audit.Expected
	for _, t := range expected {
		if !out(&t.Transition) {
			wanted = append(wanted, t)
		}
	}
	var kept []rules.Published
	for _, t := range stored {
		if !out(&t.Transition) {
			kept = append(kept, t)
		}
	}
	return wanted, kept
}

func upTo(rejected []audit.Rejected, last uint64) []audit.Rejected {
	var out []audit.Rejected
	for _, r := range rejected {
		if r.Seq <= last {
			out = append(out, r)
		}
	}
	return out
}
