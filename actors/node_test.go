package actors

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/rules"
)

// TestOrderWhilePassivating has far more keys than sessions, so that sessions
// end and begin again all along, and holds every transition against the log.
func TestOrderWhilePassivating(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const partitions, rounds, burst = 3, 10, 2
		keys := userKeys(200)
		b := newFakeBus(t, partitions, toggle)
		c := config(b, partitions)
		c.SessionsMax = 20
		n := begin(t, c)
		for range rounds {
			for i := range burst {
				for _, key := range keys {
					b.lamp(t, key, i%2 == 0)
				}
			}
			synctest.Wait()
		}
		b.checkToggled(t, keys, rounds*burst)
		s := n.Status().Total
		if s.Passivations < 1000 || s.Sessions > c.SessionsMax {
			t.Errorf("got %d passivations and %d sessions, want >= 1000 and <= %d", s.Passivations, s.Sessions, c.SessionsMax)
		}
		if want := uint64(len(keys) * rounds * burst); s.Messages != want || s.Transitions != want {
			t.Errorf("got %d messages and %d transitions counted, want %d each", s.Messages, s.Transitions, want)
		}
		drain(t, n)
	})
}

func TestDrainSavesEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := userKeys(50)
		b := newFakeBus(t, 2, toggle)
		c := config(b, 2)
		n := begin(t, c)
		for _, key := range keys {
			b.lamp(t, key, true)
		}
		drain(t, n) // what was read is finished, the rest is the next owner's
		n = begin(t, config(b, 2))
		drain(t, n)
		for p := range b.logs {
			if got, want := b.checkpoints[p].Seq, uint64(len(b.logs[p])); got != want {
				t.Errorf("partition %d: checkpoint at %d, want %d", p, got, want)
			}
		}
		if got := len(b.snapshots[0]) + len(b.snapshots[1]); got != len(keys) {
			t.Errorf("got %d snapshots, want %d", got, len(keys))
		}
		b.checkToggled(t, keys, 1)
		before := b.delivered
		n = begin(t, config(b, 2))
		if b.delivered != before {
			t.Errorf("a start after a drain read %d messages again", b.delivered-before)
		}
		drain(t, n)
		if got := c.Cluster.(*fakeCluster).left; got != 1 {
			t.Errorf("left the cluster %d times, want 1", got)
		}
	})
}

func TestCrashIsReplayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := userKeys(50)
		b := newFakeBus(t, 2, toggle)
		n := begin(t, config(b, 2))
		b.latePublish = func(func()) {} // acknowledgements are lost: nothing is done, nothing saved
		for _, key := range keys {
			b.lamp(t, key, true)
		}
		pass(time.Minute)
		if s := n.Status().Total; s.Unacknowledged != len(keys) {
			t.Errorf("got %d unacknowledged, want %d", s.Unacknowledged, len(keys))
		}
		crash(t, n)
		b.latePublish = nil
		n = begin(t, config(b, 2))
		for _, key := range keys {
			b.lamp(t, key, false)
		}
		synctest.Wait()
		b.checkToggled(t, keys, 2)
		drain(t, n)
	})
}

func TestCrashIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeBus(t, 2, toggle)
		n := begin(t, config(b, 2))
		b.latePublish = func(func()) {}
		b.lamp(t, "user", true)
		synctest.Wait()
		ctx, cancel := contextFor(time.Second)
		defer cancel()
		if err := n.Drain(ctx); !errors.Is(err, ErrNotDrained) {
			t.Errorf("drain that cannot end: got %v, want ErrNotDrained", err)
		}
		if n.Ready() {
			t.Error("the node is ready after it was stopped")
		}
	})
}

func TestCheckpointEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeBus(t, 1, toggle)
		c := config(b, 1)
		c.CheckpointEvery = 3 * time.Second
		n := begin(t, c)
		b.lamp(t, "user", true)
		pass(2900 * time.Millisecond)
		if got := b.checkpoints[0]; got != nil {
			t.Errorf("checkpoint before its time: %+v", got)
		}
		if got := n.Status().Partitions[0].CheckpointAge; got != -1 {
			t.Errorf("checkpoint age before there is one: got %d, want -1", got)
		}
		pass(200 * time.Millisecond)
		if got := b.checkpoints[0]; got == nil || got.Seq != 2 {
			t.Errorf("checkpoint: got %+v, want one at 2", got)
		}
		b.lamp(t, "user", false)
		pass(3 * time.Second)
		s := n.Status().Partitions[0]
		if s.CheckpointSeq != 3 || s.CheckpointAge != 100 || s.Seq != 3 || s.Lag != 0 {
			t.Errorf("got checkpoint %d of %d ms ago, read %d, lag %d, want 3 of 100 ms ago, 3, 0", s.CheckpointSeq, s.CheckpointAge, s.Seq, s.Lag)
		}
		drain(t, n)
	})
}

// TestDeadlineIsKept needs the clock to ring, the tick to be appended and
// read; the deadline lies farther away than one nap.
func TestDeadlineIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeBus(t, 1, soon)
		n := begin(t, config(b, 1))
		b.event(t, "user", "Seen")
		synctest.Wait()
		entered := b.byKey()["user"]
		if len(entered) != 1 {
			t.Fatalf("got %d transitions, want an entry", len(entered))
		}
		pass(25*time.Second - 2*time.Millisecond)
		if got := b.count(); got != 1 {
			t.Fatalf("got %d transitions before the deadline, want 1", got)
		}
		pass(10 * time.Millisecond)
		got := b.byKey()["user"]
		want := rules.Position{At: entered[0].Position.At + 25_000}
		if len(got) != 2 || got[1].Kind != rules.Exited || got[1].Position != want {
			t.Errorf("got %+v, want an exit at %v", got, want)
		}
		if ticks := len(b.logs[0]) - 2; ticks != 1 {
			t.Errorf("got %d ticks in the log, want 1", ticks)
		}
		drain(t, n)
	})
}

func TestDefinitionsTakeEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeBus(t, 16, toggle)
		n := begin(t, config(b, 16))
		b.define(t, soon)
		synctest.Wait()
		for _, p := range n.Status().Partitions {
			if p.Revision != 2 {
				t.Errorf("partition %d: revision %d in force, want 2", p.Partition, p.Revision)
			}
		}
		b.event(t, "user", "Seen")
		synctest.Wait()
		if got := b.byKey()["user"]; len(got) != 1 || got[0].Audience != "seen-lately" {
			t.Errorf("got %+v, want an entry to the new audience", got)
		}
		drain(t, n)
	})
}

func TestConfigRefused(t *testing.T) {
	b := newFakeBus(t, 1, "")
	for name, c := range map[string]Config{
		"bus":        {Cluster: newFakeCluster(1), Partitions: 1},
		"cluster":    {Bus: b, Partitions: 1},
		"partitions": {Bus: b, Cluster: newFakeCluster(1)},
	} {
		if n, err := Start(t.Context(), c); err == nil {
			t.Errorf("start without %s: got %v, want an error", name, n)
		}
	}
}

// TestMailboxIsBounded has the machine stand still: the reader may put in so
// much and no more, and a stop lets it go.
func TestMailboxIsBounded(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			const messages, mailboxMax = 100, 8
			b := newFakeBus(t, 1, "")
			c := config(b, 1)
			c.MailboxMax = mailboxMax
			still := make(chan struct{})
			var seen []uint64
			n := startWrapped(t, c, func(_ int, m stepper, in partition.Input) []partition.Effect {
				if in, ok := in.(partition.Message); ok {
					<-still
					seen = append(seen, in.Seq)
				}
				return m.Step(in)
			})
			synctest.Wait()
			for range messages {
				b.lamp(t, "user", true)
			}
			synctest.Wait()
			// One is with the machine, one waits for a place.
			if b.delivered != mailboxMax+2 {
				t.Errorf("got %d messages delivered, want %d", b.delivered, mailboxMax+2)
			}
			if stopped {
				go close(still)
				crash(t, n)
				return
			}
			if got := n.Status().Partitions[0]; got.Lag != messages || got.End != messages {
				t.Errorf("got lag %d of %d, want %d", got.Lag, got.End, messages)
			}
			close(still)
			synctest.Wait()
			if len(seen) != messages || !slices.IsSorted(seen) {
				t.Errorf("got messages %v, want 1 to %d", seen, messages)
			}
			drain(t, n)
		})
	}
}
