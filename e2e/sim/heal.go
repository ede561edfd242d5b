package sim

import (
	"fmt"

	"github.com/usher-audiences/usher/actors/partition"
)

// heal ends all faults and lets everything come to rest: every delayed write
// arrives, every partition has an owner, hours pass, and nothing is left to
// do. The error tells what did not come to rest.
func (w *world) heal() error {
	w.healing = true
	w.trace.line(w.turn, "healing")
	for _, m := range w.retries {
		seq := w.bus.Append(partitionOf(m.Key), m.Kind, m.Encoding, m.Payload)
		w.trace.line(w.turn, "p%d %d retried %q", partitionOf(m.Key), seq, m.Payload)
	}
	for range 3 {
		if err := w.rest(); err != nil {
			return err
		}
		for _, o := range w.owners {
			o.step(partition.CheckpointDue{})
		}
		w.now += 2 * 3_600_000 * millisecond
	}
	w.server = 0
	w.now += 60_000 * millisecond
	return w.rest()
}

// rest goes on until nothing is left to do at this time, except to wait.
func (w *world) rest() error {
	for {
		for p := range partitions {
			if len(w.ownersOf(p)) == 0 {
				w.begin(w.nodes[p%nodes], p)
			}
		}
		busy := len(w.zombie) > 0
		w.sendZombie()
		for _, o := range append([]*owner(nil), w.owners...) {
			for kind := range 5 {
				busy = !o.gone && o.move(kind) || busy
			}
			busy = busy || len(o.requests)+len(o.answers)+len(o.inbox)+len(o.mailed) > 0
		}
		w.turn++
		if !busy && w.patience() {
			return nil
		}
		if w.turn > 2*turnsMax {
			return fmt.Errorf("not at rest after %d turns: %s", w.turn, w.busy())
		}
	}
}

// patience lets the next seconds pass if an owner waits for them, and reports
// whether none does.
func (w *world) patience() bool {
	for _, o := range w.owners {
		if wait := o.armed - w.clock(o.node); wait < 20_000 {
			w.now += max(wait, 1) * millisecond
			return false
		}
	}
	return true
}

// busy says what keeps the world from resting.
func (w *world) busy() string {
	out := fmt.Sprintf("%d zombies", len(w.zombie))
	for _, o := range w.owners {
		out += fmt.Sprintf("; %s: %d requests %d answers %d messages %d sessions armed %d at %d",
			o, len(o.requests), len(o.answers), len(o.inbox), len(o.mailed), o.armed, w.clock(o.node))
	}
	return out
}
