package sim

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/e2e/audit"
	"github.com/usher-audiences/usher/e2e/generate"
	"github.com/usher-audiences/usher/rules"
)

var (
	casesFlag = flag.Int("cases", 300, "random cases of TestTwin")
	caseFlag  = flag.Int64("case", -1, "run only this case of TestTwin")
	wholeFlag = flag.Bool("whole", false, "draw from the whole language in TestTwin and TestSimulation")
)

// twinCase is random audiences and a random log of a few keys.
type twinCase struct {
	revisions map[uint64][]rules.Versioned
	log       []audit.Message
	applied   map[uint64]uint64 // revision by sequence of its message
}

func drawTwin(seed uint64, language generate.Language) *twinCase {
	c := &twinCase{revisions: make(map[uint64][]rules.Versioned), applied: make(map[uint64]uint64)}
	audiences := generate.New(seed, 1).Audiences(language, start)
	source := generate.New(seed, 2)
	traffic := source.Traffic(1 + source.IntN(2))
	traffic.Malformed = 20
	now := start
	if source.IntN(3) == 0 {
		now += 14 * 60 * 60 * 1000 // half an hour before midnight
	}
	gapMax := int64(24 * 60 * 60 * 1000)
	switch source.IntN(4) {
	case 0:
		gapMax = 20 * 60 * 1000 // sessions that last for hours
	case 1:
		gapMax = 3000 // many events in short windows
	}
	add := func(m audit.Message) {
		m.Seq, m.Time = uint64(len(c.log)+1), now*1_000_000+int64(source.IntN(1_000_000))
		c.log = append(c.log, m)
	}
	change := func(revision uint64, defs []rules.Versioned) {
		c.revisions[revision] = defs
		add(audit.Message{Kind: subject.KindRules, Payload: partition.EncodeRules(revision, "")})
		c.applied[uint64(len(c.log))] = revision
	}
	change(audiences.Grow(1 + source.IntN(8)))
	for range 5 + source.IntN(40) {
		if source.IntN(100) < 3 {
			now -= int64(source.IntN(5000)) // the server's clock steps back
		} else {
			now += source.Gap() % gapMax
		}
		switch source.IntN(20) {
		case 0:
			change(audiences.Change())
		case 1, 2:
			add(audit.Message{Kind: subject.KindTick, Payload: []byte("{}")})
		default:
			m := traffic.Next(now)
			add(audit.Message{Kind: m.Kind, Encoding: m.Encoding, Payload: m.Payload})
		}
	}
	now += 5 * 60 * 60 * 1000
	add(audit.Message{Kind: subject.KindTick, Payload: []byte("{}")})
	return c
}

// judge runs a case and returns the differences and what was expected.
func (c *twinCase) judge(seed uint64) ([]audit.Difference, audit.Verdict, error) {
	d, err := newDirect(generate.New(seed, 3), session.Config{}, c.revisions)
	if err != nil {
		return nil, audit.Verdict{}, err
	}
	cfg := audit.Config{Partitions: 1, Revisions: c.revisions}
	if seed%2 == 0 {
		cfg.Every = audit.AllAudiences
	}
	verdict, err := audit.Partition(cfg, slices.Values(c.log))
	if err != nil {
		return nil, verdict, err
	}
	for i := range c.log {
		if err := d.read(&c.log[i], c.applied[c.log[i].Seq]); err != nil {
			return nil, verdict, err
		}
	}
	diffs := audit.Compare(verdict.Transitions, d.transitions)
	return append(diffs, audit.CompareRejected(verdict.Rejected, d.rejected)...), verdict, nil
}

// drawn is the language that audiences are drawn from.
func drawn() generate.Language {
	if *wholeFlag {
		return generate.Whole
	}
	return generate.FirstLight
}

// TestTwin compares the sessions alone with the auditor over random audiences
// and logs.
func TestTwin(t *testing.T) {
	language := drawn()
	first, last := int64(0), int64(*casesFlag)
	if *caseFlag >= 0 {
		first, last = *caseFlag, *caseFlag+1
	}
	var failed, expected, byTime int
	for seed := first; seed < last; seed++ {
		c := drawTwin(uint64(seed), language)
		diffs, verdict, err := c.judge(uint64(seed))
		expected += len(verdict.Transitions)
		for _, e := range verdict.Transitions {
			if e.Position.Seq == 0 {
				byTime++
			}
		}
		if err == nil && len(diffs) == 0 {
			continue
		}
		failed++
		t.Errorf("case %d: %v\n%s", seed, err, lines(diffs))
		if testing.Verbose() && *caseFlag >= 0 {
			t.Log(c.String())
		}
		if failed == 5 {
			t.Fatal("and perhaps more")
		}
	}
	t.Logf("%d cases, %d transitions, %d by time alone", last-first, expected, byTime)
	if *caseFlag < 0 && (expected < int(last) || byTime < int(last)/4) {
		t.Errorf("%d transitions, %d of them by time: too few to tell anything", expected, byTime)
	}
}

func lines(diffs []audit.Difference) string {
	var b strings.Builder
	for i, d := range diffs {
		if i == 8 {
			fmt.Fprintf(&b, "  and %d more\n", len(diffs)-i)
			break
		}
		fmt.Fprintf(&b, "  %s\n", d)
	}
	return b.String()
}

// String writes the case for a person.
func (c *twinCase) String() string {
	var b strings.Builder
	for revision := uint64(1); c.revisions[revision] != nil; revision++ {
		for _, v := range c.revisions[revision] {
			fmt.Fprintf(&b, "revision %d: %s\n", revision, describe(v))
		}
	}
	at := int64(0)
	for i := range c.log {
		m := &c.log[i]
		at = max(at, m.Time/1_000_000)
		fmt.Fprintf(&b, "%d %s %d %s %q\n", m.Seq, rules.FormatTime(at), at, m.Kind, m.Payload)
	}
	return b.String()
}
