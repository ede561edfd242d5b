package actors

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/rules"
)

// TestFailedPartitionIsRestarted breaks one of two partitions in the middle.
// The other goes on; the broken one replays.
func TestFailedPartitionIsRestarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := userKeys(40)
		b := newFakeBus(t, 2, toggle)
		broken := b.partition(t, keys[0])
		n := startWrapped(t, config(b, 2), func(life int, m stepper, in partition.Input) []partition.Effect {
			effects := m.Step(in)
			for _, e := range effects {
				if d, ok := e.(partition.Deliver); ok && life == 1 && d.Key == keys[0] && d.Input.Seq > 30 {
					panic("broken on purpose")
				}
			}
			return effects
		})
		synctest.Wait()
		for i := range 4 {
			for _, key := range keys {
				b.lamp(t, key, i%2 == 0)
			}
		}
		synctest.Wait()
		s := n.Status()
		if got := s.Partitions[broken]; got.State != "broken" || n.Ready() || s.Ready {
			t.Errorf("after the panic: state %s, ready %t", got.State, n.Ready())
		}
		if got := s.Partitions[1-broken]; got.State != "serving" || got.Seq != uint64(len(b.logs[1-broken])) {
			t.Errorf("the other partition: %+v", got)
		}
		pass(time.Second)
		b.checkToggled(t, keys, 4)
		if s := n.Status(); s.Total.Restarts != 1 || !s.Ready {
			t.Errorf("got %d restarts, ready %t, want 1, true", s.Total.Restarts, s.Ready)
		}
		drain(t, n)
	})
}

// TestLateAnswersStayWithTheirLife has publishes answered after the machine
// that asked was given up. The next machine counts its attempts from 1 again,
// so that such an answer would pass for its own.
func TestLateAnswersStayWithTheirLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeBus(t, 1, toggle)
		var late []func()
		b.latePublish = func(answer func()) { late = append(late, answer) }
		published := 0
		n := startWrapped(t, config(b, 1), func(life int, m stepper, in partition.Input) []partition.Effect {
			if in, ok := in.(partition.Message); ok && life == 1 && in.Seq == 3 {
				panic("broken on purpose")
			}
			if _, ok := in.(partition.Published); ok && life == 2 {
				published++
			}
			return m.Step(in)
		})
		synctest.Wait()
		b.lamp(t, "user", true)
		synctest.Wait()
		b.lamp(t, "user", false)
		pass(time.Second)
		if len(late) != 2 {
			t.Fatalf("got %d publishes, want one of each life", len(late))
		}
		late[0]()
		synctest.Wait()
		if published != 0 {
			t.Error("the answer to the first life reached the second")
		}
		b.latePublish = nil
		late[1]()
		synctest.Wait()
		b.checkToggled(t, []rules.UserKey{"user"}, 2)
		drain(t, n)
	})
}

func TestPartitionThatKeepsFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeBus(t, 2, toggle)
		c := config(b, 2)
		c.RestartsMax = 2
		lives := 0
		n := startWrapped(t, c, func(life int, m stepper, in partition.Input) []partition.Effect {
			if in, ok := in.(partition.Message); ok && in.Kind == partition.TraitsMessage {
				lives = max(lives, life)
				panic("poisoned")
			}
			return m.Step(in)
		})
		synctest.Wait()
		b.lamp(t, "user", true)
		err := <-n.Failed()
		if !errors.Is(err, ErrPartitionFailed) || !strings.Contains(err.Error(), "poisoned") || lives != 3 {
			t.Errorf("got %v after %d lives, want ErrPartitionFailed with the reason after 3", err, lives)
		}
		if err := n.Drain(t.Context()); !errors.Is(err, ErrNotDrained) {
			t.Errorf("drain: got %v, want ErrNotDrained", err)
		}
	})
}

// TestPanicInStep is the session's to survive: the message is rejected, the
// state kept, and the key goes on.
func TestPanicInStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeBus(t, 1, toggle)
		n := startWrapped(t, config(b, 1), func(_ int, m stepper, in partition.Input) []partition.Effect {
			effects := m.Step(in)
			for i, e := range effects {
				if d, ok := e.(partition.Deliver); ok && d.Input.Kind == rules.EventInput {
					d.Input.Event = nil // which no session can take
					effects[i] = d
				}
			}
			return effects
		})
		synctest.Wait()
		b.lamp(t, "user", true)
		b.event(t, "user", "Poison")
		b.lamp(t, "user", false)
		synctest.Wait()
		b.checkToggled(t, []rules.UserKey{"user"}, 2)
		if len(b.rejected) != 1 || b.rejected[0].Reason != rules.ReasonPanic || b.rejected[0].Seq != 3 {
			t.Errorf("rejected: got %+v, want message 3 for its panic", b.rejected)
		}
		s := n.Status()
		if s.Alarms[partition.StepPanicked] != 1 || s.Total.Rejected != 1 || s.Total.Restarts != 0 {
			t.Errorf("got alarms %v, %d rejected, %d restarts, want one step_panicked, 1, 0", s.Alarms, s.Total.Rejected, s.Total.Restarts)
		}
		drain(t, n)
	})
}

// TestSessionActorBreaks panics outside of a step, where nothing is to be
// trusted any more.
func TestSessionActorBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeBus(t, 1, toggle)
		n := startWrapped(t, config(b, 1), func(life int, m stepper, in partition.Input) []partition.Effect {
			effects := m.Step(in)
			for i, e := range effects {
				if a, ok := e.(partition.Activate); ok && life == 1 {
					a.Rules = nil
					effects[i] = a
					return append(effects[:i+1], partition.Capture{Key: a.Key})
				}
			}
			return effects
		})
		synctest.Wait()
		b.lamp(t, "user", true)
		pass(time.Second)
		b.checkToggled(t, []rules.UserKey{"user"}, 1)
		if got := n.Status().Total.Restarts; got != 1 {
			t.Errorf("got %d restarts, want 1", got)
		}
		drain(t, n)
	})
}

// TestNoSessionOutlivesItsPartition activates a key the moment it is told
// that its session has ended. Told before the parent has taken note of that
// end, the parent would take the new session for the old one, forget it, and
// leave it over when it ends itself.
func TestNoSessionOutlivesItsPartition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeBus(t, 1, "")
		c := config(b, 1)
		activate := partition.Activate{Key: "user", Rules: b.revisions[0]}
		n := startWrapped(t, c, func(_ int, m stepper, in partition.Input) []partition.Effect {
			switch in.(type) {
			case partition.Message:
				return []partition.Effect{activate, partition.Passivate{Key: "user"}}
			case partition.Passivated:
				return []partition.Effect{activate}
			}
			return m.Step(in)
		})
		synctest.Wait()
		b.lamp(t, "user", true)
		synctest.Wait()
		registry := c.Cluster.System().ProcessRegistry
		const id = "partitions/0-1/user"
		if _, alive := registry.GetLocal(id); !alive {
			t.Errorf("session %s is not there", id)
		}
		crash(t, n)
		if _, alive := registry.GetLocal(id); alive {
			t.Errorf("session %s outlived its partition", id)
		}
	})
}

func TestStateThatCannotBeDecoded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeBus(t, 1, toggle)
		n := begin(t, config(b, 1))
		b.lamp(t, "user", true)
		synctest.Wait()
		drain(t, n)
		s, err := partition.DecodeSnapshot(b.snapshots[0]["user"].data)
		if err != nil {
			t.Fatal(err)
		}
		s.State = []byte("damaged")
		b.snapshots[0]["user"] = stored{data: partition.EncodeSnapshot(s), revision: b.snapshots[0]["user"].revision}
		n = begin(t, config(b, 1))
		in, err := n.Inspect(t.Context(), "user")
		if err != nil {
			t.Fatal(err)
		}
		if len(in.Memberships) != 0 {
			t.Errorf("got memberships %v of a state that cannot be read", in.Memberships)
		}
		synctest.Wait()
		if got := n.Status().Alarms[partition.SnapshotUnusable]; got != 1 {
			t.Errorf("got %d alarms, want 1", got)
		}
		if len(b.rejected) != 1 || string(b.rejected[0].Payload) != "damaged" {
			t.Errorf("got %+v set aside, want the state", b.rejected)
		}
		drain(t, n)
	})
}
