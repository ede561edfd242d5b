package partition_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/rules"
)

func sampleSnapshot() *partition.Snapshot {
	return &partition.Snapshot{
		AppliedAt: 1_795_428_000_123, AppliedSeq: 48213, Next: 1_795_428_600_000, Revision: 7, Losses: 1, Life: 1_795_420_000_000,
		Registers: []partition.Register{
			{Audience: "big-cart", Sequence: 12, N: 5, Kind: rules.Entered, Position: rules.Position{At: 1_795_428_000_000, Seq: 48000, Order: 2}, Cause: rules.CauseEvent},
			{Audience: "lately", Shadow: true, Sequence: 9, N: 2, Kind: rules.Exited, Position: rules.Position{At: 1_795_427_000_000}, Cause: rules.CauseWindow},
		},
		State: []byte("what the session knows"),
	}
}

func TestSnapshotRoundTrip(t *testing.T) {
	for name, want := range map[string]*partition.Snapshot{
		"full": sampleSnapshot(), "empty": {Next: rules.Never, State: []byte{}},
	} {
		data := partition.EncodeSnapshot(want)
		got, err := partition.DecodeSnapshot(data)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, want)
		}
		next, revision, err := partition.DecodeSnapshotHead(data)
		if err != nil || next != want.Next || revision != want.Revision {
			t.Errorf("%s: the head is %d, %d, %v, want %d, %d", name, next, revision, err, want.Next, want.Revision)
		}
	}
}

func TestSnapshotOfAnotherVersion(t *testing.T) {
	data := partition.EncodeSnapshot(sampleSnapshot())
	data[1]++ // the version is the array's first element
	if _, err := partition.DecodeSnapshot(data); !errors.Is(err, partition.ErrSnapshot) {
		t.Errorf("got %v, want ErrSnapshot", err)
	}
}

// FuzzDecodeSnapshot demands that no bytes make the reader panic or allocate
// beyond their length, and that what it accepts is written back the same.
func FuzzDecodeSnapshot(f *testing.F) {
	data := partition.EncodeSnapshot(sampleSnapshot())
	for n := 0; n <= len(data); n += 7 {
		f.Add(data[:n])
	}
	f.Add(data)
	f.Add([]byte{0x99, 1, 0, 0, 0, 0, 0, 0, 0xdd, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := partition.DecodeSnapshot(data)
		if err != nil {
			if !errors.Is(err, partition.ErrSnapshot) {
				t.Fatalf("got %v, want ErrSnapshot", err)
			}
			return
		}
		again := partition.EncodeSnapshot(s)
		twice, err := partition.DecodeSnapshot(again)
		if err != nil || !bytes.Equal(partition.EncodeSnapshot(twice), again) {
			t.Fatalf("what was read as %+v is not written back the same: %v", s, err)
		}
	})
}
