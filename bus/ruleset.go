package bus

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

// ruleSetsMax is how many compiled revisions are kept for partitions that
// have yet to ask for them.
const ruleSetsMax = 4

// ruleSets keeps the revisions used last, compiled, for all partitions.
type ruleSets struct {
	defs *Definitions

	mu    sync.Mutex
	slots map[uint64]*ruleSetSlot
	uses  uint64
}

type ruleSetSlot struct {
	loading  sync.Mutex // held while the revision is read and compiled
	compiled *rules.RuleSet
	manifest *Manifest
	used     uint64 // under ruleSets.mu
}

func newRuleSets(d *Definitions) *ruleSets {
	return &ruleSets{defs: d, slots: make(map[uint64]*ruleSetSlot)}
}

// slot returns a revision's slot; the one used longest ago goes.
func (s *ruleSets) slot(revision uint64) *ruleSetSlot {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uses++
	slot := s.slots[revision]
	if slot == nil {
		slot = &ruleSetSlot{}
		s.slots[revision] = slot
	}
	slot.used = s.uses
	if len(s.slots) > ruleSetsMax {
		oldest := revision
		for r, c := range s.slots {
			if c.used < s.slots[oldest].used {
				oldest = r
			}
		}
		delete(s.slots, oldest)
	}
	return slot
}

// read returns a revision, compiled once for all who ask for it.
func (s *ruleSets) read(ctx context.Context, revision uint64) (*rules.RuleSet, error) {
	slot := s.slot(revision)
	slot.loading.Lock()
	defer slot.loading.Unlock()
	if slot.compiled != nil {
		return slot.compiled, nil
	}
	m, err := s.defs.manifest(ctx, revision)
	if err != nil {
		return nil, err
	}
	defs, err := s.defs.load(ctx, m.Audiences)
	if err != nil {
		return nil, err
	}
	versioned := make([]rules.Versioned, len(defs))
	for i, def := range defs {
		versioned[i] = rules.Versioned{Definition: def, Version: m.Audiences[i].Version}
	}
	slot.compiled, err = rules.Compile(revision, versioned)
	if err != nil {
		return nil, fmt.Errorf("compile revision %d: %w", revision, err)
	}
	slot.manifest = &m
	return slot.compiled, nil
}

// manifest returns a revision's manifest.
func (s *ruleSets) manifest(ctx context.Context, revision uint64) (Manifest, error) {
	slot := s.slot(revision)
	slot.loading.Lock()
	defer slot.loading.Unlock()
	if slot.manifest != nil {
		return *slot.manifest, nil
	}
	m, err := s.defs.manifest(ctx, revision)
	if err == nil {
		slot.manifest = &m
	}
	return m, err
}

// Watch tells the newest revision, now (unless there is none) and at every
// change, until stop is called.
func (b *Bus) Watch(each func(partition.RevisionAvailable)) (stop func()) {
	ctx, cancel := context.WithCancel(b.ctx)
	w := &watch{bus: b, each: each}
	b.start(func() {
		defer cancel()
		for attempts := 1; ctx.Err() == nil; attempts++ {
			err := w.run(ctx)
			if ctx.Err() != nil || !b.again(attempts, err, "watch the definitions") {
				return
			}
		}
	})
	return cancel
}

type watch struct {
	bus  *Bus
	each func(partition.RevisionAvailable)
	told uint64
}

func (w *watch) run(ctx context.Context) error {
	// A revision whose writer died before the head was moved is in force all
	// the same.
	if _, err := w.bus.sets.defs.head(ctx); err != nil {
		return err
	}
	cfg := consumerConfig{Deliver: deliverLast, Filters: []string{definitionSubject(headKey)}}
	var never atomic.Bool
	p, err := w.bus.newPull(ctx, bucketStream(subject.BucketDefinitions), cfg, &never, func(m *nats.Msg, _ metadata) {
		var head headRecord
		if err := json.Unmarshal(m.Data, &head); err != nil {
			w.bus.log.Error("the definitions' head cannot be read", "err", err)
			return
		}
		if head.Revision > w.told && ctx.Err() == nil {
			w.told = head.Revision
			w.each(partition.RevisionAvailable{Revision: head.Revision})
		}
	})
	if err != nil {
		return err
	}
	defer p.stop()
	p.fill()
	return p.wait(ctx)
}
