package sim

import (
	"fmt"
	"slices"
	"testing"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/e2e/audit"
	"github.com/usher-audiences/usher/e2e/generate"
	"github.com/usher-audiences/usher/rules"
)

// TestMessageIDsRemembered repeats the first messageId after n others. It is
// ignored while it is among the last 1,024 and counts again after that.
func TestMessageIDsRemembered(t *testing.T) {
	for others, want := range map[int]int{0: 0, 1: 0, 1022: 0, 1023: 0, 1024: 1, 1025: 1, 2000: 1} {
		log := []audit.Message{{Seq: 1, Time: start * millisecond, Kind: subject.KindRules, Payload: partition.EncodeRules(1, "")}}
		add := func(id int) {
			at := start + int64(len(log))
			body := fmt.Sprintf(`{"type":"track","event":"Viewed","userId":"ada","messageId":"m%d"}`, id)
			log = append(log, audit.Message{Seq: uint64(len(log) + 1), Time: at * millisecond, Kind: subject.KindEvents, Payload: []byte(body)})
		}
		for id := range others + 1 {
			add(id)
		}
		add(0)
		enough := &rules.Count{
			Match:  rules.Match{Call: rules.Track, Names: []string{"Viewed"}},
			Count:  []rules.Operator{{Op: rules.OpGte, Operand: float64(others + 2)}},
			Within: rules.Window{Lifetime: true},
		}
		defs := []rules.Versioned{{Definition: &rules.Definition{Audience: "fans", When: enough}, Version: 1}}
		c := twinCase{revisions: map[uint64][]rules.Versioned{1: defs}, log: log, applied: map[uint64]uint64{1: 1}}
		diffs, verdict, err := c.judge(1)
		if err != nil || len(diffs) > 0 {
			t.Errorf("after %d others: %v\n%s", others, err, lines(diffs))
		}
		if got := len(verdict.Transitions); got != want {
			t.Errorf("after %d others: got %d transitions, want %d", others, got, want)
		}
	}
}

// TestShortCut computes random audiences of the whole language at the
// instants that concern them only, and all of them at every instant.
func TestShortCut(t *testing.T) {
	transitions := 0
	cases := max(*casesFlag/4, 1)
	for seed := range uint64(cases) {
		c := drawTwin(seed, generate.Whole)
		var verdicts [2]audit.Verdict
		for i, every := range []audit.Evaluation{audit.ConcernedOnly, audit.AllAudiences} {
			cfg := audit.Config{Partitions: 1, Revisions: c.revisions, Every: every}
			var err error
			if verdicts[i], err = audit.Partition(cfg, slices.Values(c.log)); err != nil {
				t.Fatalf("case %d: %v", seed, err)
			}
		}
		var all []rules.Published
		for _, e := range verdicts[1].Transitions {
			e.ExpiresAt = e.Position.At + 1
			all = append(all, e.Published)
		}
		transitions += len(all)
		if diffs := audit.Compare(verdicts[0].Transitions, all); len(diffs) > 0 {
			t.Fatalf("case %d:\n%s", seed, lines(diffs))
		}
	}
	if transitions < cases {
		t.Errorf("only %d transitions", transitions)
	}
	t.Logf("%d transitions", transitions)
}
