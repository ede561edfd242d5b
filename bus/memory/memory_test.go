package memory_test

import (
	"testing"
	"time"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus/bustest"
	"github.com/usher-audiences/usher/bus/memory"
	"github.com/usher-audiences/usher/rules"
)

func TestConformance(t *testing.T) {
	bustest.Run(t, func(*testing.T) *bustest.Fixture {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
		b := memory.New(bustest.Partitions, func() int64 { now += 1000; return now })
		return &bustest.Fixture{
			Bus:      b,
			Produce:  b.Append,
			Purge:    b.Purge,
			Rejected: func(p int) int { return len(b.Rejected(p)) },
			Damage:   b.Damage,
			Define: func(docs ...*rules.Definition) uint64 {
				var defs []rules.Versioned
				for _, d := range docs {
					defs = append(defs, rules.Versioned{Definition: d, Version: 1})
				}
				return b.Define(defs)
			},
			Mark: b.Mark,
		}
	})
}

// TestAnswersAreInOrder holds that one call's answers come before it returns
// and that a message appended while another is delivered comes after it.
func TestAnswersAreInOrder(t *testing.T) {
	b := memory.New(1, func() int64 { return 1 })
	var seqs []uint64
	b.Append(0, partition.TickMessage, rules.JSON, []byte("{}"))
	b.Read(0, partition.Read{Reading: 1}, func(in partition.Input) {
		m, isMessage := in.(partition.Message)
		if !isMessage {
			return
		}
		seqs = append(seqs, m.Seq)
		if m.Seq < 4 {
			b.Append(0, partition.TickMessage, rules.JSON, []byte("{}"))
			seqs = append(seqs, 100+m.Seq)
		}
	})
	want := []uint64{1, 101, 2, 102, 3, 103, 4}
	if len(seqs) != len(want) {
		t.Fatalf("got %v, want %v", seqs, want)
	}
	for i := range want {
		if seqs[i] != want[i] {
			t.Fatalf("got %v, want %v", seqs, want)
		}
	}
}
