package sim

import (
	"github.com/usher-audiences/usher/bus/memory"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/e2e/audit"
	"github.com/usher-audiences/usher/e2e/generate"
	"github.com/usher-audiences/usher/rules"
)

// world is everything there is in one run.
type world struct {
	cfg       Config
	source    *generate.Source // of the order of things and of faults
	traffic   *generate.Traffic
	audiences *generate.Audiences
	bus       *memory.Bus

	now    int64 // true time, Unix nanoseconds
	server int64 // what the server's clock is off, nanoseconds
	nodes  []*node
	owners []*owner // in the order of their start
	zombie []request
	turn   int

	produced int
	keyAt    map[logPlace]rules.UserKey // of what was produced
	loss     loss
	noticed  [partitions]bool // the lost tail was reported
	alarms   []audit.Difference
	retries  []generate.Message // published and not acknowledged
	healing  bool
	faults   map[string]int
	kinds    map[string]int
	trace    trace
}

// node is one process. Its clock may be off.
type node struct {
	id     int
	offset int64 // nanoseconds
	frozen int   // until this turn
}

func newWorld(cfg Config) *world {
	w := &world{
		cfg: cfg, source: generate.New(cfg.Seed, 1),
		now:    start * millisecond,
		faults: make(map[string]int), kinds: make(map[string]int),
		keyAt: make(map[logPlace]rules.UserKey),
		trace: trace{on: cfg.Trace},
	}
	w.bus = memory.New(partitions, func() int64 { return w.now + w.server })
	w.traffic = generate.New(cfg.Seed, 2).Traffic(users)
	w.traffic.Malformed, w.traffic.Panics = 15, 8
	w.audiences = generate.New(cfg.Seed, 3).Audiences(cfg.Language, start)
	_, defs := w.audiences.Grow(audiencesMin)
	w.define(defs)
	for id := range nodes {
		w.nodes = append(w.nodes, &node{id: id, offset: int64(w.source.IntN(200)-100) * millisecond})
	}
	return w
}

// define stores the next revision.
func (w *world) define(defs []rules.Versioned) {
	for _, v := range defs {
		for _, kind := range generate.Kinds(v.Definition) {
			w.kinds[kind]++
		}
	}
	revision := w.bus.Define(defs)
	w.trace.line(w.turn, "define revision %d of %d audiences", revision, len(defs))
}

// partitionOf is where a producer's message goes.
func partitionOf(key string) int {
	token, err := subject.Encode(key)
	if err != nil {
		panic("sim: the key " + key + " has no token")
	}
	return subject.Partition(token, partitions)
}

// chance is true in percent of 100 draws.
func (w *world) chance(percent int) bool { return w.source.IntN(100) < percent }

// milli is true time in Unix milliseconds.
func (w *world) milli() int64 { return w.now / millisecond }

// clock is what a node's clock says, Unix milliseconds.
func (w *world) clock(n *node) int64 { return (w.now + n.offset) / millisecond }

// fault counts a fault that happened.
func (w *world) fault(kind string) {
	w.faults[kind]++
	w.trace.line(w.turn, "fault: %s", kind)
}

// without removes one member and keeps the order.
func without[T comparable](list []T, gone T) []T {
	for i := range list {
		if list[i] == gone {
			return append(list[:i:i], list[i+1:]...)
		}
	}
	return list
}

// take removes the member at i; the order of the others changes.
func take[T any](list *[]T, i int) T {
	l := *list
	out := l[i]
	last := len(l) - 1
	l[i] = l[last]
	var zero T
	l[last] = zero
	*list = l[:last]
	return out
}
