package memory

import (
	"maps"
	"slices"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/rules"
)

// scanBatch is how many heads come at once.
const scanBatch = 16

// ReadSnapshot gives the stored snapshot of a key.
func (b *Bus) ReadSnapshot(p int, r partition.ReadSnapshot, done func(partition.SnapshotRead)) {
	stored := b.stored.snapshots[p][r.Key]
	done(partition.SnapshotRead{Key: r.Key, Data: slices.Clone(stored.data), Revision: stored.revision})
}

// SaveSnapshot replaces the stored snapshot if its revision is the expected
// one.
func (b *Bus) SaveSnapshot(p int, s partition.SaveSnapshot, done func(partition.SnapshotSaved)) {
	answer := partition.SnapshotSaved{Key: s.Key, Outcome: partition.Refused}
	if b.stored.snapshots[p][s.Key].revision == s.Revision {
		b.put(p, s.Key, s.Data)
		answer.Outcome, answer.Revision = partition.Stored, b.stored.revisions
	}
	done(answer)
}

func (b *Bus) put(p int, key rules.UserKey, data []byte) {
	b.stored.revisions++
	b.stored.snapshots[p][key] = record{data: slices.Clone(data), revision: b.stored.revisions}
}

// Damage stores something that is no snapshot as the key's.
func (b *Bus) Damage(p int, key rules.UserKey) { b.put(p, key, []byte("damaged")) }

// ScanSnapshots gives the heads of p's snapshots in batches, by key. Records
// that cannot be read are left out.
func (b *Bus) ScanSnapshots(p int, s partition.ScanSnapshots, each func(partition.SnapshotsScanned)) {
	var heads []partition.SnapshotHead
	for _, key := range slices.Sorted(maps.Keys(b.stored.snapshots[p])) {
		next, revision, err := partition.DecodeSnapshotHead(b.stored.snapshots[p][key].data)
		if err == nil {
			heads = append(heads, partition.SnapshotHead{Key: key, Next: next, Revision: revision})
		}
	}
	for batch := range slices.Chunk(heads, scanBatch) {
		each(partition.SnapshotsScanned{Scan: s.Scan, Heads: batch})
	}
	each(partition.SnapshotsScanned{Scan: s.Scan, Done: true})
}
