package sim

import (
	"flag"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/e2e/generate"
)

var (
	seedsFlag  = flag.Int("seeds", 60, "seeds of TestSimulation")
	firstFlag  = flag.Uint64("first", 1, "the first of the seeds")
	lossesFlag = flag.Int("losses", 30, "seeds of TestLosses, for each loss")
	seedFlag   = flag.Int64("seed", -1, "run only this seed; with -v it is traced")
)

// run is one seed's outcome.
type run struct {
	seed   uint64
	report *Report
}

// runSeeds runs seeds on all processors and gives their reports in order.
func runSeeds(first, n uint64, cfg Config) []run {
	out := make([]run, n)
	next := make(chan uint64)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range next {
				c := cfg
				c.Seed = first + i
				out[i] = run{seed: c.Seed, report: guarded(c)}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	workers.Wait()
	return out
}

// guarded is Run with a panic turned into a failure of the seed.
func guarded(cfg Config) (r *Report) {
	defer func() {
		if p := recover(); p != nil {
			stack := make([]byte, 4096)
			r = &Report{Err: fmt.Errorf("panic: %v\n%s", p, stack[:runtime.Stack(stack, false)])}
		}
	}()
	return Run(cfg)
}

func TestSimulation(t *testing.T) {
	first, n := *firstFlag, uint64(*seedsFlag)
	if *seedFlag >= 0 {
		first, n = uint64(*seedFlag), 1
	}
	faults, kinds := make(map[string]int), make(map[string]int)
	var red, transitions, byTime, messages int
	for _, r := range runSeeds(first, n, Config{Language: drawn(), Trace: *seedFlag >= 0 && testing.Verbose()}) {
		add(faults, r.report.Faults)
		add(kinds, r.report.Kinds)
		transitions += r.report.Transitions
		byTime += r.report.ByTime
		messages += r.report.Messages
		if r.report.Trace != "" {
			t.Log("\n" + r.report.Trace)
		}
		if r.report.Red() {
			if red++; red <= 10 {
				t.Errorf("seed %d: %v\n%s", r.seed, r.report.Err, lines(r.report.Differences))
			}
		}
	}
	t.Logf("%d seeds, %d red, %d messages, %d transitions, %d by time alone", n, red, messages, transitions, byTime)
	t.Log("faults and what they led to:\n" + table(faults))
	t.Log("conditions:\n" + table(kinds))
	if *seedFlag < 0 {
		demand(t, "fault", faults, faultKinds())
		demand(t, "condition", kinds, conditionKinds())
	}
}

// faultKinds must all have happened in a run of many seeds.
func faultKinds() []string {
	return []string{
		"crash", "crash during recovery", "pause", "two owners", "three owners", "drain", "change of rules",
		"the server's clock steps", "a node's clock steps", "slow load", "panic in a step", "producer retries",
		"write refused", "write delayed", "acknowledgement lost, stored", "acknowledgement lost, not stored",
		"reading paused", "input replayed", "message: late", "message: duplicate messageId", "message: future timestamp",
		"message: misrouted", "message: not_json", "message: no_key", "message: too_large", "message: too_deep",
		"message: bad_timestamp", "message: bad_number", "message: unknown_type", "message: panic",
	}
}

// conditionKinds must all have been drawn in a run of many seeds.
func conditionKinds() []string {
	out := []string{
		"all", "any", "none", "not", "at_least", "event", "page", "screen", "type", "any event", "trait", "everyone", "ci", "since",
		"within session", "within duration", "within lifetime", "within session and duration",
		"hold_for", "linger", "cooldown", "max_entries session", "max_entries day", "max_entries lifetime", "on_session_end exit",
		"active", "paused", "shadow",
	}
	for _, op := range []string{"eq", "neq", "gt", "gte", "lt", "lte", "between", "in", "not_in"} {
		out = append(out, "count "+op, "where "+op, "trait "+op)
	}
	for _, op := range []string{
		"contains", "not_contains", "starts_with", "ends_with", "matches", "exists", "includes", "includes_any", "includes_all",
	} {
		out = append(out, "where "+op, "trait "+op)
	}
	out = append(out, "trait before", "trait after", "trait within_last", "trait more_than_ago")
	if drawn() == generate.Whole {
		out = append(out, "sum", "avg", "min", "max", "distinct", "first", "last", "sequence", "context", "audience", "held", "time", "bucket",
			"session: events", "session: pages", "session: number", "session: duration", "session: idle", "session: entry.page",
			"session: entry.referrer", "session: campaign.source", "session: device.type")
	}
	return out
}

func demand(t *testing.T, what string, counts map[string]int, wanted []string) {
	t.Helper()
	for _, kind := range wanted {
		if counts[kind] == 0 {
			t.Errorf("no %s of the kind %q", what, kind)
		}
	}
}

func add(to, from map[string]int) {
	for kind, n := range from {
		to[kind] += n
	}
}

func table(counts map[string]int) string {
	var b strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&b, "%8d %s\n", counts[kind], kind)
	}
	return b.String()
}

// TestLosses runs seeds that lose the tail of a stream.
func TestLosses(t *testing.T) {
	for name, loss := range map[string]Loss{"log tail lost": LoseLogTail, "transitions tail lost": LoseTransitionsTail} {
		t.Run(name, func(t *testing.T) {
			faults := make(map[string]int)
			red := 0
			for _, r := range runSeeds(*firstFlag, uint64(*lossesFlag), Config{Loss: loss}) {
				add(faults, r.report.Faults)
				if r.report.Red() {
					if red++; red <= 10 {
						t.Errorf("seed %d: %v\n%s", r.seed, r.report.Err, lines(r.report.Differences))
					}
				}
			}
			t.Log("\n" + table(faults))
			if faults[name]*2 < *lossesFlag {
				t.Errorf("only %d of %d seeds lost a tail", faults[name], *lossesFlag)
			}
		})
	}
}

// TestSameSeedSameTrace runs seeds twice and compares byte for byte.
func TestSameSeedSameTrace(t *testing.T) {
	for seed := uint64(1); seed <= 4; seed++ {
		cfg := Config{Seed: seed, Trace: true}
		first, second := Run(cfg), Run(cfg)
		if len(first.Trace) < 10_000 {
			t.Errorf("seed %d: a trace of %d bytes tells nothing", seed, len(first.Trace))
		}
		if first.Trace != second.Trace {
			t.Errorf("seed %d: traces differ from byte %d on", seed, common(first.Trace, second.Trace))
		}
	}
	if other := Run(Config{Seed: 5, Trace: true}); other.Trace == Run(Config{Seed: 6, Trace: true}).Trace {
		t.Error("two seeds have the same trace")
	}
}

func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// rulesThatMatter are the machine's rules that the simulation must be able to
// break, with where it does.
func rulesThatMatter() map[string]Config {
	return map[string]Config{
		"1 position":          {Without: partition.RulePosition},
		"2 register":          {Without: partition.RuleRegister},
		"3 reread":            {Without: partition.RuleReread},
		"4 quiet":             {Without: partition.RuleQuiet},
		"5 later":             {Without: partition.RuleLater},
		"6 done":              {Without: partition.RuleDone},
		"7 takeover":          {Without: partition.RuleTakeover},
		"8 log time":          {Without: partition.RuleLogTime},
		"9 cursor":            {Without: partition.RuleCursor, Loss: LoseLogTail},
		"10 transitions tail": {Without: partition.RuleTransitionsTail, Loss: LoseTransitionsTail},
		"12 revision":         {Without: partition.RuleRevision},
	}
}

// TestEachRuleMatters takes each rule out and demands that a seed turns red.
func TestEachRuleMatters(t *testing.T) {
	const bound, batch = 400, 4
	for name, cfg := range rulesThatMatter() {
		t.Run(name, func(t *testing.T) {
			for first := uint64(1); first < bound; first += batch {
				for _, r := range runSeeds(first, batch, cfg) {
					if r.report.Red() {
						t.Logf("seed %d: %v %s", r.seed, r.report.Err, strings.SplitN(lines(r.report.Differences), "\n", 2)[0])
						return
					}
				}
			}
			t.Errorf("none of %d seeds was broken without it", bound)
		})
	}
}
