package sim

import (
	"bytes"
	"fmt"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/e2e/audit"
	"github.com/usher-audiences/usher/e2e/generate"
	"github.com/usher-audiences/usher/rules"
)

// Report is how a run ended.
type Report struct {
	Differences []audit.Difference
	Err         error // the run did not come to rest, or could not be judged
	Transitions int   // stored
	ByTime      int   // of them, by time alone
	Messages    int   // in the logs
	Faults      map[string]int
	Kinds       map[string]int // of condition
	Trace       string
}

// Red reports whether anything was wrong.
func (r *Report) Red() bool { return r.Err != nil || len(r.Differences) > 0 }

// Run runs a seed and judges it.
func Run(cfg Config) *Report {
	w := newWorld(cfg)
	w.run()
	err := w.heal()
	r := &Report{Err: err, Faults: w.faults, Kinds: w.kinds}
	if err == nil {
		r.Err = w.judge(r)
	}
	r.Trace = w.trace.text.String()
	return r
}

// judge compares every partition's stored transitions with what its log must
// have led to.
func (w *world) judge(r *Report) error {
	r.Differences = w.alarms
	stored := make([][]rules.Published, partitions)
	for _, t := range w.bus.Transitions() {
		p := partitionOf(string(t.Key))
		stored[p] = append(stored[p], t.Published)
		r.Transitions++
		if t.Position.Seq == 0 {
			r.ByTime++
		}
	}
	for p := range partitions {
		log := w.bus.Log(p)
		r.Messages += len(log)
		cfg := audit.Config{Partition: p, Partitions: partitions, Revisions: w.bus.Definitions()}
		panicked := make(map[uint64]bool)
		for i := range log {
			panicked[log[i].Seq] = bytes.Contains(log[i].Payload, []byte(generate.PanicPrefix))
		}
		cfg.Panicked = func(seq uint64) bool { return panicked[seq] }
		verdict, err := audit.Partition(cfg, audited(log))
		if err != nil {
			return fmt.Errorf("partition %d: %w", p, err)
		}
		kept, rejected, weak := w.weaken(p, &verdict, stored[p], w.rejected(p))
		r.Differences = append(r.Differences, weak...)
		r.Differences = append(r.Differences, audit.Compare(verdict.Transitions, kept)...)
		r.Differences = append(r.Differences, audit.CompareRejected(verdict.Rejected, rejected)...)
	}
	return nil
}

// audited gives the log as the auditor reads it.
func audited(log []partition.Message) func(yield func(audit.Message) bool) {
	return func(yield func(audit.Message) bool) {
		for _, m := range log {
			if !yield(audit.Message{Seq: m.Seq, Time: m.Time, Kind: m.Kind, Encoding: m.Encoding, Payload: m.Payload}) {
				return
			}
		}
	}
}

func (w *world) rejected(p int) []audit.Rejected {
	var out []audit.Rejected
	for _, r := range w.bus.Rejected(p) {
		out = append(out, audit.Rejected{Seq: r.Seq, Reason: r.Reason})
	}
	return out
}

// alarm counts what a machine reports. Nothing in a run without losses may
// lead to one, except a panic that was planted.
func (w *world) alarm(o *owner, a partition.Alarm) {
	w.faults["alarm: "+string(a.Kind)]++
	switch a.Kind {
	case partition.StepPanicked:
		return
	case partition.TransitionsLost, partition.LogTailLost:
		w.noticed[o.p] = true
	}
	if w.cfg.Loss == LoseNothing {
		w.alarms = append(w.alarms, audit.Difference{Kind: audit.Unexpected, Detail: fmt.Sprintf("alarm of %s: %+v", o, a)})
	}
}
