package audit_test

import (
	"slices"
	"testing"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/e2e/audit"
	"github.com/usher-audiences/usher/e2e/generate"
	"github.com/usher-audiences/usher/rules"
)

// BenchmarkPartition judges a partition of 1,000 keys with 20 messages each,
// under 100 audiences.
func BenchmarkPartition(b *testing.B) {
	const start, messages, users = 1_790_000_000_000, 20_000, 1_000
	revision, defs := generate.New(1, 1).Audiences(generate.FirstLight, start).Grow(100)
	traffic := generate.New(1, 2).Traffic(users)
	log := []audit.Message{{Seq: 1, Time: start * 1_000_000, Kind: subject.KindRules, Payload: partition.EncodeRules(revision, "")}}
	for i := range messages {
		now := int64(start + i*500)
		m := traffic.Next(now)
		log = append(log, audit.Message{Seq: uint64(i + 2), Time: now * 1_000_000, Kind: m.Kind, Encoding: m.Encoding, Payload: m.Payload})
	}
	cfg := audit.Config{Partitions: 1, Revisions: map[uint64][]rules.Versioned{revision: defs}}
	b.ReportAllocs()
	for b.Loop() {
		verdict, err := audit.Partition(cfg, slices.Values(log))
		if err != nil {
			b.Fatal(err)
		}
		if len(verdict.Transitions) < messages/10 {
			b.Fatalf("%d transitions of %d messages", len(verdict.Transitions), messages)
		}
		b.ReportMetric(float64(len(verdict.Transitions)), "transitions")
	}
	b.ReportMetric(messages*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
