package e2e_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/usher-audiences/usher/bus"
	"github.com/usher-audiences/usher/bus/embedded"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/e2e/audit"
	"github.com/usher-audiences/usher/rules"
)

// storage reads what a node left behind.
type storage struct {
	t    *testing.T
	ctx  context.Context
	conn *bus.Conn
	js   jetstream.JetStream
}

// openStorage opens a data directory that no node uses any more.
func openStorage(t *testing.T, data string, partitions int) *storage {
	t.Helper()
	server, err := embedded.Start(embedded.Config{Data: data, Partitions: partitions})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := bus.Connect(t.Context(), bus.Config{InProcess: server.InProcess()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		if err := server.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	js, err := jetstream.New(conn.NATS())
	if err != nil {
		t.Fatal(err)
	}
	return &storage{t, t.Context(), conn, js}
}

// auditKill judges every partition.
func auditKill(t *testing.T, plan killPlan, data string) {
	t.Helper()
	s := openStorage(t, data, plan.partitions)
	revisions := s.revisions()
	stored := s.transitions(plan.partitions)
	rejected := s.rejected()
	kinds, transitions, byTime := map[audit.DifferenceKind]int{}, 0, 0
	var shown []string
	for p := range plan.partitions {
		cfg := audit.Config{
			Partition: p, Partitions: plan.partitions, Revisions: revisions, Idle: rules.Millis(killIdle.Milliseconds()),
		}
		verdict, err := audit.Partition(cfg, slices.Values(s.log(p)))
		if err != nil {
			t.Fatalf("audit of partition %d: %v", p, err)
		}
		differences := audit.Compare(verdict.Transitions, stored[p])
		differences = append(differences, audit.CompareRejected(verdict.Rejected, rejected[p])...)
		for _, d := range differences {
			kinds[d.Kind]++
			shown = append(shown, d.String())
		}
		transitions += len(stored[p])
		byTime += countByTime(stored[p])
	}
	t.Logf("%d transitions stored, %d of them by time alone", transitions, byTime)
	t.Logf("lost %d doubled %d wrong %d", kinds[audit.Lost], kinds[audit.Doubled], kinds[audit.Wrong]+kinds[audit.Unexpected])
	if len(shown) > 0 {
		t.Errorf("%v; the first:\n%s", maps.Clone(kinds), strings.Join(shown[:min(len(shown), 20)], "\n"))
	}
	if transitions < plan.transitions || byTime < plan.byTime {
		t.Errorf("too tame: want %d transitions, %d of them by time", plan.transitions, plan.byTime)
	}
}

func countByTime(stored []rules.Published) int {
	n := 0
	for i := range stored {
		switch stored[i].Cause {
		case rules.CauseWindow, rules.CauseSessionEnd, rules.CauseDeadline:
			n++
		}
	}
	return n
}

// revisions returns the one revision there is.
func (s *storage) revisions() map[uint64][]rules.Versioned {
	manifest, definitions, err := s.conn.Definitions().Current(s.ctx)
	if err != nil || manifest.Revision != 1 {
		s.t.Fatalf("revision %d, %v; want 1", manifest.Revision, err)
	}
	versioned := make([]rules.Versioned, len(definitions))
	for i, d := range definitions {
		versioned[i] = rules.Versioned{Definition: d, Version: manifest.Audiences[i].Version}
	}
	return map[uint64][]rules.Versioned{1: versioned}
}

// each reads a whole stream, in order.
func (s *storage) each(stream string, visit func(jetstream.Msg, *jetstream.MsgMetadata)) {
	s.t.Helper()
	consumer, err := s.js.OrderedConsumer(s.ctx, stream, jetstream.OrderedConsumerConfig{})
	if err != nil {
		s.t.Fatalf("%s: %v", stream, err)
	}
	left := consumer.CachedInfo().NumPending
	messages, err := consumer.Messages()
	if err != nil {
		s.t.Fatalf("%s: %v", stream, err)
	}
	defer messages.Stop()
	for left > 0 {
		m, err := messages.Next(jetstream.NextContext(s.ctx))
		if err != nil {
			s.t.Fatalf("%s: %v", stream, err)
		}
		meta, err := m.Metadata()
		if err != nil {
			s.t.Fatalf("%s: %v", stream, err)
		}
		visit(m, meta)
		left = meta.NumPending
	}
}

func (s *storage) log(p int) []audit.Message {
	s.t.Helper()
	var log []audit.Message
	s.each(subject.LogStream(p), func(m jetstream.Msg, meta *jetstream.MsgMetadata) {
		_, kind, ok := subject.ParseLog(m.Subject())
		if !ok {
			s.t.Fatalf("log %d holds a message on %s", p, m.Subject())
		}
		log = append(log, audit.Message{Seq: meta.Sequence.Stream, Time: meta.Timestamp.UnixNano(), Kind: kind, Payload: m.Data()})
	})
	return log
}

// transitions returns what is stored, by partition, in the order it is stored.
func (s *storage) transitions(partitions int) [][]rules.Published {
	s.t.Helper()
	stored := make([][]rules.Published, partitions)
	s.each(subject.StreamTransitions, func(m jetstream.Msg, _ *jetstream.MsgMetadata) {
		_, token, ok := subject.ParseTransition(m.Subject())
		if !ok {
			s.t.Fatalf("a transition on %s", m.Subject())
		}
		var t rules.Published
		if err := json.Unmarshal(m.Data(), &t); err != nil {
			s.t.Fatalf("%s: %v", m.Subject(), err)
		}
		p := subject.Partition(token, partitions)
		stored[p] = append(stored[p], t)
	})
	return stored
}

// rejected returns what was set aside, by partition.
func (s *storage) rejected() map[int][]audit.Rejected {
	s.t.Helper()
	rejected := map[int][]audit.Rejected{}
	s.each(subject.StreamRejected, func(m jetstream.Msg, _ *jetstream.MsgMetadata) {
		p, ok := subject.ParseRejected(m.Subject())
		_, number, cut := strings.Cut(m.Headers().Get(jetstream.MsgIDHeader), "-")
		seq, err := strconv.ParseUint(number, 10, 64)
		if !ok || !cut || err != nil {
			s.t.Fatalf("rejected on %s with headers %v", m.Subject(), m.Headers())
		}
		rejected[p] = append(rejected[p], audit.Rejected{Seq: seq, Reason: m.Headers().Get(subject.HeaderReason)})
	})
	return rejected
}
