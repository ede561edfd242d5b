package bustest

import (
	"bytes"
	"fmt"
	"maps"
	"sync"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/rules"
)

func snapshotData(next int64, revision uint64) []byte {
	return partition.EncodeSnapshot(&partition.Snapshot{
		AppliedAt: 1, AppliedSeq: 2, Next: next, Revision: revision, State: []byte("state"),
	})
}

func (t *tester) save(p int, key rules.UserKey, data []byte, revision uint64) partition.SnapshotSaved {
	t.Helper()
	s := partition.SaveSnapshot{Key: key, Data: data, Revision: revision}
	got := answer(t, "the snapshot", func(done func(partition.SnapshotSaved)) { t.Bus.SaveSnapshot(p, s, done) })
	if got.Key != key {
		t.Fatalf("the answer is for key %q, want %q", got.Key, key)
	}
	return got
}

func (t *tester) snapshot(p int, key rules.UserKey) partition.SnapshotRead {
	t.Helper()
	got := answer(t, "the snapshot", func(done func(partition.SnapshotRead)) {
		t.Bus.ReadSnapshot(p, partition.ReadSnapshot{Key: key}, done)
	})
	if got.Key != key {
		t.Fatalf("the answer is for key %q, want %q", got.Key, key)
	}
	return got
}

func snapshotIsCompareAndSet(t *tester) {
	const key = "ada lovelace*>.%"
	if got := t.snapshot(0, key); got.Data != nil || got.Revision != 0 {
		t.Errorf("a key without a snapshot has %d bytes at revision %d", len(got.Data), got.Revision)
	}
	one, two := snapshotData(1, 1), snapshotData(2, 1)
	first := t.save(0, key, one, 0)
	if first.Outcome != partition.Stored || first.Revision == 0 {
		t.Fatalf("the first save ended with %+v, want stored", first)
	}
	if got := t.save(0, key, two, 0); got.Outcome != partition.Refused {
		t.Errorf("a second first save ended with outcome %d, want refused", got.Outcome)
	}
	if got := t.snapshot(0, key); !bytes.Equal(got.Data, one) || got.Revision != first.Revision {
		t.Errorf("got %x at revision %d, want %x at %d", got.Data, got.Revision, one, first.Revision)
	}
	second := t.save(0, key, two, first.Revision)
	if second.Outcome != partition.Stored || second.Revision == first.Revision {
		t.Fatalf("the second save ended with %+v, want stored at another revision than %d", second, first.Revision)
	}
	if got := t.save(0, key, one, first.Revision); got.Outcome != partition.Refused {
		t.Errorf("a save over the one before the last ended with outcome %d, want refused", got.Outcome)
	}
	if got := t.snapshot(0, key); !bytes.Equal(got.Data, two) || got.Revision != second.Revision {
		t.Errorf("got %x at revision %d, want %x at %d", got.Data, got.Revision, two, second.Revision)
	}
}

func snapshotsOfPartitionsAreApart(t *tester) {
	t.save(0, "ada", snapshotData(1, 1), 0)
	if got := t.snapshot(1, "ada"); got.Data != nil {
		t.Errorf("another partition has %d bytes", len(got.Data))
	}
	if heads, _ := t.scan(1); len(heads) != 0 {
		t.Errorf("a scan of another partition tells %v", heads)
	}
}

// scan returns the heads by key and how many there were.
func (t *tester) scan(p int) (map[rules.UserKey]partition.SnapshotHead, int) {
	t.Helper()
	var mu sync.Mutex
	heads, n, done := map[rules.UserKey]partition.SnapshotHead{}, 0, 0
	t.Bus.ScanSnapshots(p, partition.ScanSnapshots{Scan: 4}, func(s partition.SnapshotsScanned) {
		mu.Lock()
		defer mu.Unlock()
		if s.Scan != 4 || done > 0 {
			t.Errorf("a batch of scan %d after %d ends, want of 4 after 0", s.Scan, done)
		}
		for _, h := range s.Heads {
			heads[h.Key] = h
			n++
		}
		if s.Done {
			done++
		}
	})
	t.until("the scan to end", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return done > 0
	})
	mu.Lock()
	defer mu.Unlock()
	return maps.Clone(heads), n
}

func snapshotsAreScanned(t *tester) {
	if heads, n := t.scan(0); n != 0 {
		t.Errorf("a scan of nothing tells %v", heads)
	}
	want := map[rules.UserKey]partition.SnapshotHead{}
	for i := range 2345 { // more than two batches
		key := rules.UserKey(fmt.Sprintf("key %d", i))
		head := partition.SnapshotHead{Key: key, Next: int64(i), Revision: uint64(i % 7)}
		if i%3 == 0 {
			head.Next = rules.Never
		}
		if got := t.save(0, key, snapshotData(head.Next, head.Revision), 0); got.Outcome != partition.Stored {
			t.Fatalf("saving %q ended with outcome %d", key, got.Outcome)
		}
		want[key] = head
	}
	heads, n := t.scan(0)
	if n != len(want) || !maps.Equal(heads, want) {
		t.Errorf("a scan tells %d heads of %d keys, want each of %d once with its deadline", n, len(heads), len(want))
	}
	// An overwritten record is told once, as it is now.
	read := t.snapshot(0, "key 1")
	t.save(0, "key 1", snapshotData(99, 99), read.Revision)
	want["key 1"] = partition.SnapshotHead{Key: "key 1", Next: 99, Revision: 99}
	if heads, n := t.scan(0); n != len(want) || !maps.Equal(heads, want) {
		t.Errorf("after a save a scan tells %d heads, %+v for the key saved; want %d", n, heads["key 1"], len(want))
	}
}

func scanLeavesOutDamaged(t *tester) {
	t.save(0, "ada", snapshotData(1, 1), 0)
	t.Damage(0, "bob")
	heads, n := t.scan(0)
	if _, there := heads["ada"]; !there || n != 1 {
		t.Errorf("a scan tells %v, want ada's alone", heads)
	}
	if got := t.snapshot(0, "bob"); got.Data == nil || got.Revision == 0 {
		t.Errorf("the damaged record reads as %d bytes at revision %d, want it as it is", len(got.Data), got.Revision)
	}
}

func checkpointGoesForwardOnly(t *tester) {
	read := func(p int) *partition.Checkpoint {
		return answer(t, "the checkpoint", func(done func(partition.CheckpointRead)) { t.Bus.ReadCheckpoint(p, done) }).Checkpoint
	}
	save := func(c partition.Checkpoint) partition.Outcome {
		return answer(t, "the checkpoint", func(done func(partition.CheckpointSaved)) {
			t.Bus.SaveCheckpoint(0, partition.SaveCheckpoint{Checkpoint: c}, done)
		}).Outcome
	}
	if got := read(0); got != nil {
		t.Fatalf("a new partition has checkpoint %+v", got)
	}
	c := partition.Checkpoint{Seq: 10, Time: 1_000_000_007, LogTime: 1000, Revision: 3, Losses: 2}
	later := partition.Checkpoint{Seq: 11, Time: 999_000_000, LogTime: 1000, Revision: 3, Transition: partition.StoredTransition{
		Sequence: 77, Register: partition.RegisterKey{Audience: "vip", Key: "a.b", Shadow: true},
		Position: rules.Position{At: 5, Seq: 6, Order: 7},
	}}
	for _, step := range []struct {
		save partition.Checkpoint
		want partition.Outcome
		read partition.Checkpoint
	}{
		{c, partition.Stored, c},
		{c, partition.Stored, c},
		{later, partition.Stored, later},
		{c, partition.Refused, later},
		{partition.Checkpoint{Seq: 500, LogTime: 999}, partition.Refused, later},
		{partition.Checkpoint{Seq: 5, LogTime: 1001}, partition.Stored, partition.Checkpoint{Seq: 5, LogTime: 1001}},
	} {
		if got := save(step.save); got != step.want {
			t.Errorf("saving %+v ended with outcome %d, want %d", step.save, got, step.want)
		}
		if got := read(0); got == nil || *got != step.read {
			t.Errorf("read %+v, want %+v", got, step.read)
		}
	}
	if got := read(1); got != nil {
		t.Errorf("another partition has checkpoint %+v", got)
	}
}
