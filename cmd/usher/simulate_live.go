package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/usher-audiences/usher/actors/dryrun"
	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/rules"
)

// simulateLive runs audiences over what a live installation has recorded, and
// prints what they did, or what they did differently, since --from.
func simulateLive(ctx context.Context, con *console, flags *simulateFlags) error {
	var documents *documents
	if flags.audiences != "" {
		var err error
		if documents, err = loadDocuments(con, []string{flags.audiences}); err != nil {
			return err
		}
	}
	r, err := openRecording(ctx, &flags.access)
	if err != nil {
		return flags.explain(err)
	}
	defer r.close()
	set, err := r.ruleSet(ctx, documents)
	if err != nil {
		return err
	}
	now := time.Now()
	l := &liveSimulation{recording: r, set: set, audiences: set.Audiences(), from: now.Add(-flags.from).UnixMilli(), until: now.UnixMilli()}
	if documents != nil {
		l.audiences = documents.keys()
	}
	simulated, err := l.simulated(ctx)
	if err != nil {
		return err
	}
	con.say("%s of %s, %s that cannot be used; log since %s", count(l.messages, "message"),
		count(l.keys, "user"), count(l.unusable, "message"), sinceWords(l.first))
	out, finish, err := openResult(con, flags.out)
	if err != nil {
		return err
	}
	if !flags.diff {
		writeTransitions(out, "", simulated)
		con.say("%s since %s", count(len(simulated), "transition"), rules.FormatTime(l.from))
		return finish()
	}
	stored, err := l.stored(ctx)
	if err != nil {
		return err
	}
	onlyLive, onlySimulated := differences(stored, simulated)
	writeTransitions(out, "live", onlyLive)
	writeTransitions(out, "simulated", onlySimulated)
	if err := finish(); err != nil {
		return err
	}
	both := len(simulated) - len(onlySimulated)
	con.say("%s on both sides, %d only live, %d only simulated", count(both, "transition"), len(onlyLive), len(onlySimulated))
	if len(onlyLive)+len(onlySimulated) > 0 {
		return &difference{"the audiences did not do what the live ones did"}
	}
	return nil
}

func sinceWords(first int64) string {
	if first == 0 {
		return "now: it is empty"
	}
	return rules.FormatTime(first)
}

// keys returns the audiences that the documents define.
func (d *documents) keys() []rules.AudienceKey {
	keys := make([]rules.AudienceKey, len(d.definitions))
	for i, definition := range d.definitions {
		keys[i] = definition.Audience
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// liveSimulation runs each partition's log from its beginning, so that what
// was counted before from is counted, too.
type liveSimulation struct {
	recording   *recording
	set         *rules.RuleSet
	audiences   []rules.AudienceKey
	from, until int64 // Unix milliseconds; both instants belong to it

	first                    int64 // log time of the first message
	messages, unusable, keys int
}

// simulated returns the transitions in the order of position and key.
func (l *liveSimulation) simulated(ctx context.Context) ([]rules.Published, error) {
	var all []rules.Published
	config := session.Config{Idle: l.recording.installation.Idle}
	for p := range l.recording.installation.Partitions {
		run := dryrun.New(l.set, config, func(t *rules.Published) {
			if l.wanted(t) {
				all = append(all, *t)
			}
		})
		err := l.recording.log(ctx, p, func(m dryrun.Message) error {
			l.messages++
			if l.first == 0 || m.At < l.first {
				l.first = m.At
			}
			if run.Apply(m) != nil {
				l.unusable++
			}
			return nil
		})
		if err == nil {
			err = run.Advance(l.until)
		}
		if err != nil {
			return nil, err
		}
		l.keys += run.Keys()
	}
	sortTransitions(all)
	return all, nil
}

func (l *liveSimulation) wanted(t *rules.Published) bool {
	_, known := slices.BinarySearch(l.audiences, t.Audience)
	return known && l.from <= t.Position.At && t.Position.At <= l.until
}

// stored returns what the live audiences did.
func (l *liveSimulation) stored(ctx context.Context) ([]rules.Published, error) {
	var all []rules.Published
	err := l.recording.transitions(ctx, l.audiences, func(t *rules.Published) {
		if l.wanted(t) {
			all = append(all, *t)
		}
	})
	sortTransitions(all)
	return all, err
}

func sortTransitions(ts []rules.Published) {
	slices.SortStableFunc(ts, func(a, b rules.Published) int {
		return cmp.Or(cmp.Compare(a.Position.At, b.Position.At), cmp.Compare(a.Position.Seq, b.Position.Seq),
			cmp.Compare(a.Key, b.Key), cmp.Compare(a.Position.Order, b.Position.Order))
	})
}

// change is what makes a transition the same on both sides: n is not, since
// the log may begin after the register.
type change struct {
	audience rules.AudienceKey
	key      rules.UserKey
	kind     rules.TransitionKind
	at       int64
}

func changeOf(t *rules.Published) change {
	return change{t.Audience, t.Key, t.Kind, t.Position.At}
}

// differences returns what only one side has.
func differences(live, simulated []rules.Published) (onlyLive, onlySimulated []rules.Published) {
	return lacking(live, simulated), lacking(simulated, live)
}

// lacking returns those of one side that the other lacks.
func lacking(side, other []rules.Published) []rules.Published {
	has := make(map[change]int, len(other))
	for i := range other {
		has[changeOf(&other[i])]++
	}
	var out []rules.Published
	for i := range side {
		c := changeOf(&side[i])
		if has[c] > 0 {
			has[c]--
			continue
		}
		out = append(out, side[i])
	}
	return out
}

// writeTransitions writes one JSON object a line, with a first member only if
// one side has them alone.
func writeTransitions(out *bufio.Writer, only string, ts []rules.Published) {
	var line []byte
	for i := range ts {
		line = dryrun.AppendTransition(line[:0], &ts[i])
		if only != "" {
			fmt.Fprintf(out, `{"only":%q,%s`+"\n", only, line[1:])
			continue
		}
		_, _ = out.Write(append(line, '\n')) // the error stays with the writer until it is flushed
	}
}
