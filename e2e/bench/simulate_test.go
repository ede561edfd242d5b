package bench_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"testing"

	"github.com/usher-audiences/usher/actors/dryrun"
	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/e2e/bench"
	"github.com/usher-audiences/usher/rules"
)

var simulatedLog = flag.String("simulate.log", "", "recorded log for BenchmarkSimulate, JSON lines; without it a generated one of 200,000 events")

// BenchmarkSimulate runs the benchmark set of audiences over a log in memory,
// as usher simulate does. An operation is one pass over the log.
func BenchmarkSimulate(b *testing.B) {
	set := compileSet(b, benchmarkSet(b))
	log := simulated(b)
	events := bytes.Count(log, []byte("\n"))
	b.ReportAllocs()
	transitions := 0
	for b.Loop() {
		transitions = pass(b, set, log)
	}
	if transitions < events/10 {
		b.Errorf("%d transitions of %d events: too few to tell anything", transitions, events)
	}
	b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(transitions)/float64(events), "transitions/event")
}

// pass runs the set over the log once and writes every transition.
func pass(b *testing.B, set *rules.RuleSet, log []byte) (transitions int) {
	b.Helper()
	var line []byte
	run := dryrun.New(set, session.Config{}, func(p *rules.Published) {
		transitions++
		line = dryrun.AppendTransition(line[:0], p)
	})
	lines := dryrun.NewLines(bytes.NewReader(log))
	for {
		err := run.Step(lines)
		if errors.Is(err, io.EOF) {
			return transitions
		}
		check(b, err)
	}
}

func compileSet(b *testing.B, defs []*rules.Definition) *rules.RuleSet {
	b.Helper()
	versioned := make([]rules.Versioned, len(defs))
	for i, d := range defs {
		versioned[i] = rules.Versioned{Definition: d, Version: 1}
	}
	set, err := rules.Compile(1, versioned)
	check(b, err)
	return set
}

func simulated(b *testing.B) []byte {
	b.Helper()
	if *simulatedLog != "" {
		log, err := os.ReadFile(*simulatedLog)
		check(b, err)
		return log
	}
	load, log := bench.NewLoad(1, users), []byte(nil)
	for i := range 200_000 {
		_, payload := load.Next()
		at := rules.FormatTime(1_767_225_600_000 + int64(i)*5)
		log = append(log, `{"t":"`+at+`","kind":"event","body":`...)
		log = append(append(log, payload...), "}\n"...)
	}
	return log
}
