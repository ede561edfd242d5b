package memory

import (
	"fmt"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/rules"
)

// Reader is one reading of a log, under the name that package actors gives
// it.
type Reader = interface {
	Pause()
	Resume()
	Stop()
}

// Bus is an installation's storage. It is not safe for concurrent use.
type Bus struct {
	now     func() int64 // the server's clock, Unix nanoseconds
	stored  store
	sets    map[uint64]*rules.RuleSet
	readers []*reader
	watches []*watch
}

// store is all that is stored; a copy of it is what a power loss goes back to.
type store struct {
	logs        []logStream
	transitions []Transition
	sequence    uint64 // of the transitions stream
	registers   map[partition.RegisterKey]int
	rejected    []map[uint64]partition.Reject
	snapshots   []map[rules.UserKey]record
	checkpoints []*partition.Checkpoint
	definitions [][]rules.Versioned // revision 1 first
	revisions   uint64              // of the snapshots bucket
}

// record is one snapshot record.
type record struct {
	data     []byte
	revision uint64
}

// watch is one who is told of new revisions.
type watch struct {
	each func(partition.RevisionAvailable)
}

// New returns an empty bus. Now is the server's clock, in Unix nanoseconds; it
// may go backwards.
func New(partitions int, now func() int64) *Bus {
	b := &Bus{now: now, sets: make(map[uint64]*rules.RuleSet)}
	b.stored.registers = make(map[partition.RegisterKey]int)
	b.stored.logs = make([]logStream, partitions)
	b.stored.checkpoints = make([]*partition.Checkpoint, partitions)
	for range partitions {
		b.stored.rejected = append(b.stored.rejected, make(map[uint64]partition.Reject))
		b.stored.snapshots = append(b.stored.snapshots, make(map[rules.UserKey]record))
	}
	return b
}

// ReadCheckpoint gives the partition's checkpoint.
func (b *Bus) ReadCheckpoint(p int, done func(partition.CheckpointRead)) {
	var in partition.CheckpointRead
	if c := b.stored.checkpoints[p]; c != nil {
		copied := *c
		in.Checkpoint = &copied
	}
	done(in)
}

// SaveCheckpoint replaces the checkpoint unless the stored one is later.
func (b *Bus) SaveCheckpoint(p int, s partition.SaveCheckpoint, done func(partition.CheckpointSaved)) {
	if c := b.stored.checkpoints[p]; c != nil && c.Later(s.Checkpoint) {
		done(partition.CheckpointSaved{Outcome: partition.Refused})
		return
	}
	copied := s.Checkpoint
	b.stored.checkpoints[p] = &copied
	done(partition.CheckpointSaved{Outcome: partition.Stored})
}

// ReadRuleSet gives a revision, compiled. A revision that was not defined is
// not answered.
func (b *Bus) ReadRuleSet(r partition.ReadRuleSet, done func(partition.RuleSetRead)) {
	if r.Revision > uint64(len(b.stored.definitions)) {
		return
	}
	set := b.sets[r.Revision]
	if set == nil {
		var defs []rules.Versioned
		if r.Revision > 0 {
			defs = b.stored.definitions[r.Revision-1]
		}
		var err error
		if set, err = rules.Compile(r.Revision, defs); err != nil {
			panic(fmt.Sprintf("memory: revision %d: %v", r.Revision, err))
		}
		b.sets[r.Revision] = set
	}
	done(partition.RuleSetRead{Rules: set})
}

// Define stores the next revision and tells those who watch.
func (b *Bus) Define(defs []rules.Versioned) (revision uint64) {
	b.stored.definitions = append(b.stored.definitions, defs)
	revision = uint64(len(b.stored.definitions))
	for _, w := range append([]*watch(nil), b.watches...) {
		w.each(partition.RevisionAvailable{Revision: revision})
	}
	return revision
}

// Definitions gives every revision.
func (b *Bus) Definitions() map[uint64][]rules.Versioned {
	out := make(map[uint64][]rules.Versioned)
	for i, defs := range b.stored.definitions {
		out[uint64(i+1)] = defs
	}
	return out
}

// Watch tells the newest revision, now and at every change.
func (b *Bus) Watch(each func(partition.RevisionAvailable)) (stop func()) {
	w := &watch{each: each}
	b.watches = append(b.watches, w)
	each(partition.RevisionAvailable{Revision: uint64(len(b.stored.definitions))})
	return func() { b.watches = without(b.watches, w) }
}

func without[T comparable](list []T, gone T) []T {
	var out []T
	for _, member := range list {
		if member != gone {
			out = append(out, member)
		}
	}
	return out
}

// Erase removes a key from log, registers and snapshots.
func (b *Bus) Erase(p int, e partition.Erase, done func(partition.Erased)) {
	b.stored.logs[p].erase(e.Key)
	for register := range b.stored.registers {
		if register.Key == e.Key {
			delete(b.stored.registers, register)
		}
	}
	kept := b.stored.transitions[:0:0]
	for _, t := range b.stored.transitions {
		if t.Key != e.Key {
			kept = append(kept, t)
		}
	}
	b.stored.transitions = kept
	b.index()
	delete(b.stored.snapshots[p], e.Key)
	done(partition.Erased(e))
}
