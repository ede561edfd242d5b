package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/usher-audiences/usher"
	"github.com/usher-audiences/usher/rules"
)

// tally counts what happens in a demo. It is written by those who publish and
// listen, and read by the view.
type tally struct {
	mu        sync.Mutex
	start     time.Time
	events    int
	audiences map[usher.AudienceKey]*audienceTally
	order     []usher.AudienceKey
	sent      map[string]time.Time // by message id
	sentIDs   []string             // in order, to forget the oldest
	latencies []time.Duration      // publish to transition
	lateness  []time.Duration      // deadline to transition
}

// audienceTally is one audience's part.
type audienceTally struct {
	name, description string
	members           int
	entered, exited   int
	exits             map[usher.Cause]int
	lastEntered       usher.Transition
	lastExited        usher.Transition
}

// sentMax bounds the events whose publishing is remembered.
const sentMax = 4096

func newTally() *tally {
	return &tally{audiences: map[usher.AudienceKey]*audienceTally{}, sent: map[string]time.Time{}, start: time.Now()}
}

func (t *tally) introduce(d *rules.Definition) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.audiences[d.Audience] = &audienceTally{name: d.Name, description: d.Description, exits: map[usher.Cause]int{}}
	t.order = append(t.order, d.Audience)
	slices.Sort(t.order)
}

func (t *tally) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.start = time.Now()
}

func (t *tally) published(messageID string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events++
	if messageID == "" {
		return
	}
	t.sent[messageID] = at
	t.sentIDs = append(t.sentIDs, messageID)
	if len(t.sentIDs) > sentMax {
		delete(t.sent, t.sentIDs[0])
		t.sentIDs = t.sentIDs[1:]
	}
}

func (t *tally) transition(tr usher.Transition, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.audiences[tr.Audience]
	if a == nil {
		return
	}
	if tr.Type == usher.Entered {
		a.entered++
		a.members++
		a.lastEntered = tr
	} else {
		a.exited++
		a.members--
		a.exits[tr.Cause]++
		a.lastExited = tr
	}
	if byTime(tr.Cause) {
		t.lateness = append(t.lateness, now.Sub(tr.At))
	} else if sent, ok := t.sent[tr.MessageID]; ok {
		t.latencies = append(t.latencies, now.Sub(sent))
	}
}

// byTime tells the causes that need no message of the user.
func byTime(c usher.Cause) bool {
	return c == usher.CauseWindow || c == usher.CauseSessionEnd || c == usher.CauseDeadline
}

// figures is what the view shows above the audiences.
type figures struct {
	elapsed     time.Duration
	events      int
	transitions int
	p50, p99    time.Duration // publish to transition
	late99      time.Duration // deadline to transition
}

func (t *tally) figures() figures {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := figures{elapsed: time.Since(t.start), events: t.events}
	for _, a := range t.audiences {
		f.transitions += a.entered + a.exited
	}
	f.p50, f.p99 = percentiles(t.latencies)
	_, f.late99 = percentiles(t.lateness)
	return f
}

// percentiles returns the median and the 99th percentile, 0 of nothing.
func percentiles(d []time.Duration) (p50, p99 time.Duration) {
	if len(d) == 0 {
		return 0, 0
	}
	sorted := slices.Sorted(slices.Values(d))
	return sorted[(len(sorted)-1)/2], sorted[(len(sorted)-1)*99/100]
}

// rows returns a copy of each audience's counts, in order of key.
func (t *tally) rows() []audienceRow {
	t.mu.Lock()
	defer t.mu.Unlock()
	rows := make([]audienceRow, 0, len(t.order))
	for _, key := range t.order {
		a := *t.audiences[key]
		a.exits = maps.Clone(a.exits)
		rows = append(rows, audienceRow{key, a})
	}
	return rows
}

type audienceRow struct {
	key usher.AudienceKey
	audienceTally
}

// summary prints what happened, for a person.
func (t *tally) summary(con *console, seed uint64) {
	f := t.figures()
	con.print("")
	con.print("%-*s %8s %8s %8s  %s", audienceWidth, "AUDIENCE", "ENTERED", "EXITED", "MEMBERS", "EXITS BY CAUSE")
	exits := map[usher.Cause]int{}
	for _, r := range t.rows() {
		con.print("%-*s %8d %8d %8d  %s", audienceWidth, r.key, r.entered, r.exited, r.members, causeCounts(r.exits))
		for cause, n := range r.exits {
			exits[cause] += n
		}
	}
	con.print("")
	con.print("%s in %v (%.0f/s), %s; seed %d", count(f.events, "event"), f.elapsed.Round(time.Second),
		float64(f.events)/f.elapsed.Seconds(), count(f.transitions, "transition"), seed)
	if f.transitions > 0 {
		con.print("from publishing an event to receiving its transition: p50 %s, p99 %s", shortDuration(f.p50), shortDuration(f.p99))
	}
	maps.DeleteFunc(exits, func(c usher.Cause, _ int) bool { return !byTime(c) })
	if len(exits) > 0 {
		con.print("exits that time alone made (%s): received within %s of the instant (p99)", causeCounts(exits), shortDuration(f.late99))
	}
}

// causeCounts lists causes, the most frequent first.
func causeCounts(counts map[usher.Cause]int) string {
	causes := slices.SortedFunc(maps.Keys(counts), func(a, b usher.Cause) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	parts := make([]string, len(causes))
	for i, c := range causes {
		parts[i] = fmt.Sprintf("%s %d", c, counts[c])
	}
	return strings.Join(parts, ", ")
}
