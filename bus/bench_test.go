package bus_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

// fill stores n events of about 400 bytes in partition 0's log.
func fill(b *testing.B, s *site, n int) {
	b.Helper()
	payload := fmt.Appendf(nil, `{"type":"track","event":"Product Viewed","userId":"u_42","properties":{"text":%q}}`, make([]byte, 80))
	js := patient(b, s)
	for range n {
		if _, err := js.PublishMsgAsync(&nats.Msg{Subject: subject.Log(0, subject.KindEvents), Data: payload}, jetstream.WithStallWait(time.Minute)); err != nil {
			b.Fatal(err)
		}
	}
	<-js.PublishAsyncComplete()
}

// patient publishes asynchronously and waits when much is on its way.
func patient(b *testing.B, s *site) jetstream.JetStream {
	b.Helper()
	js, err := jetstream.New(s.conn.NATS(), jetstream.WithPublishAsyncMaxPending(4096))
	if err != nil {
		b.Fatal(err)
	}
	return js
}

// BenchmarkRead is a log of 100,000 events, read from its beginning.
func BenchmarkRead(b *testing.B) {
	const stored = 100_000
	s := newSite(b, 1)
	fill(b, s, stored)
	b.ReportAllocs()
	for b.Loop() {
		readAll(s, stored)
	}
	b.ReportMetric(float64(stored)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

// readAll reads partition 0's log up to its n-th message.
func readAll(s *site, n int) {
	end := make(chan struct{})
	seen := 0
	reader := s.bus.Read(0, partition.Read{Reading: 1}, func(in partition.Input) {
		if _, ok := in.(partition.Message); ok {
			if seen++; seen == n {
				close(end)
			}
		}
	})
	<-end
	reader.Stop()
}

// BenchmarkPublish is one transition to a register of its own, thousands on
// their way.
func BenchmarkPublish(b *testing.B) {
	s := newSite(b, 1)
	tr := &rules.Transition{
		Kind: rules.Entered, Audience: "vip", UserID: "u_42", Position: rules.Position{At: 1_795_428_000_123, Seq: 48213},
		Cause: rules.CauseEvent, ExpiresAt: rules.Never,
		Because: []rules.Reason{{Condition: "event Pricing Viewed", Observed: 3, Needs: ">= 3", True: true}},
	}
	var wg sync.WaitGroup
	window := make(chan struct{}, 4096)
	refused := 0
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		window <- struct{}{}
		wg.Add(1)
		n++
		key := partition.RegisterKey{Audience: "vip", Key: rules.UserKey(fmt.Sprintf("u_%d", n))}
		tr.Key = key.Key
		s.bus.Publish(partition.Publish{Register: key, N: 1, Transition: tr}, func(p partition.Published) {
			if p.Outcome != partition.Stored {
				refused++
			}
			<-window
			wg.Done()
		})
	}
	wg.Wait()
	if refused > 0 {
		b.Fatalf("%d of %d transitions were not stored", refused, n)
	}
}

// BenchmarkPublishLibrary is the same messages by the client library's own
// asynchronous publishing, to compare.
func BenchmarkPublishLibrary(b *testing.B) {
	s := newSite(b, 1)
	body := make([]byte, 400)
	js := patient(b, s)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n++
		m := &nats.Msg{Subject: subject.Transition("vip", subject.Token(fmt.Sprintf("u_%d", n))), Data: body, Header: nats.Header{
			"Usher-Position": {"1795428000123-48213-0"}, nats.ExpectedLastSubjSeqHdr: {"0"},
		}}
		if _, err := js.PublishMsgAsync(m, jetstream.WithStallWait(time.Minute)); err != nil {
			b.Fatal(err)
		}
	}
	<-js.PublishAsyncComplete()
}

const snapshotsStored = 20_000

// withSnapshots is a site with that many snapshots of about 500 bytes in
// partition 0.
func withSnapshots(b *testing.B) *site {
	s := newSite(b, 1)
	data := partition.EncodeSnapshot(&partition.Snapshot{Next: rules.Never, State: make([]byte, 480)})
	var wg sync.WaitGroup
	for i := range snapshotsStored {
		wg.Add(1)
		s.bus.SaveSnapshot(0, partition.SaveSnapshot{Key: userKey(i), Data: data}, func(r partition.SnapshotSaved) {
			if r.Outcome != partition.Stored {
				b.Errorf("saving %q ended with %d", r.Key, r.Outcome)
			}
			wg.Done()
		})
	}
	wg.Wait()
	return s
}

func userKey(i int) rules.UserKey { return rules.UserKey(fmt.Sprintf("user %d", i)) }

// BenchmarkSaveSnapshot is one snapshot over an earlier one.
func BenchmarkSaveSnapshot(b *testing.B) {
	s := newSite(b, 1)
	data := partition.EncodeSnapshot(&partition.Snapshot{Next: rules.Never, State: make([]byte, 480)})
	var wg sync.WaitGroup
	window := make(chan struct{}, 4096)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		window <- struct{}{}
		wg.Add(1)
		n++
		s.bus.SaveSnapshot(0, partition.SaveSnapshot{Key: userKey(n), Data: data}, func(r partition.SnapshotSaved) {
			if r.Outcome != partition.Stored {
				b.Errorf("saving %q ended with %d", r.Key, r.Outcome)
			}
			<-window
			wg.Done()
		})
	}
	wg.Wait()
}

// BenchmarkReadSnapshot is one snapshot at random, many on their way.
func BenchmarkReadSnapshot(b *testing.B) {
	s := withSnapshots(b)
	var wg sync.WaitGroup
	window := make(chan struct{}, 4096)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		window <- struct{}{}
		wg.Add(1)
		n++
		s.bus.ReadSnapshot(0, partition.ReadSnapshot{Key: userKey(n * 7919 % snapshotsStored)}, func(r partition.SnapshotRead) {
			if r.Data == nil {
				b.Errorf("no snapshot of %q", r.Key)
			}
			<-window
			wg.Done()
		})
	}
	wg.Wait()
}

// BenchmarkScanSnapshots is a scan of 20,000 snapshots.
func BenchmarkScanSnapshots(b *testing.B) {
	s := withSnapshots(b)
	b.ReportAllocs()
	for b.Loop() {
		n, end := 0, make(chan struct{})
		s.bus.ScanSnapshots(0, partition.ScanSnapshots{}, func(r partition.SnapshotsScanned) {
			n += len(r.Heads)
			if r.Done {
				close(end)
			}
		})
		<-end
		if n != snapshotsStored {
			b.Fatalf("a scan tells %d heads, want %d", n, snapshotsStored)
		}
	}
	b.ReportMetric(float64(snapshotsStored)*float64(b.N)/b.Elapsed().Seconds(), "snapshots/s")
}

// BenchmarkReadLibrary is BenchmarkRead by the client library's own ordered
// consumer, to compare.
func BenchmarkReadLibrary(b *testing.B) {
	const stored = 100_000
	s := newSite(b, 1)
	fill(b, s, stored)
	b.ReportAllocs()
	for b.Loop() {
		consumer, err := s.js.OrderedConsumer(b.Context(), subject.LogStream(0), jetstream.OrderedConsumerConfig{})
		if err != nil {
			b.Fatal(err)
		}
		end := make(chan struct{})
		seen := 0
		reading, err := consumer.Consume(func(jetstream.Msg) {
			if seen++; seen == stored {
				close(end)
			}
		})
		if err != nil {
			b.Fatal(err)
		}
		<-end
		reading.Stop()
	}
	b.ReportMetric(float64(stored)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
