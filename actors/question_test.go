package actors

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus/subject"
)

func TestInspect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeBus(t, 4, toggle)
		n := begin(t, config(b, 4))
		for i := range 3 {
			b.lamp(t, "user 1", i%2 == 0)
		}
		synctest.Wait()
		in, err := n.Inspect(t.Context(), "user 1")
		if err != nil {
			t.Fatal(err)
		}
		if in.Key != "user 1" || in.Partition != b.partition(t, "user 1") || in.Traits["lamp"] != true {
			t.Errorf("got %+v", in)
		}
		if len(in.Memberships) != 1 || in.Memberships[0].Audience != "switched-on" {
			t.Errorf("memberships: got %+v, want switched-on", in.Memberships)
		}
		if len(in.Registers) != 1 || in.Registers[0].Type != "entered" || in.Registers[0].N != 3 || in.Registers[0].Sequence != 3 {
			t.Errorf("registers: got %+v, want entered with n 3", in.Registers)
		}
		if _, err := json.Marshal(in); err != nil {
			t.Error(err)
		}
		unknown, err := n.Inspect(t.Context(), "nobody")
		if err != nil || unknown.Key != "nobody" || len(unknown.Registers)+len(unknown.Memberships) != 0 {
			t.Errorf("inspect of nobody: got %+v, %v", unknown, err)
		}
		drain(t, n)
	})
}

// TestInspectSeesWhatWasRead asks while the key's session is being loaded.
func TestInspectSeesWhatWasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeBus(t, 1, toggle)
		c := config(b, 1)
		c.SessionsMax = 1
		n := begin(t, c)
		for i := range 20 {
			b.lamp(t, "user", i%2 == 0)
			b.lamp(t, "other", i%2 == 0)
			synctest.Wait()
			in, err := n.Inspect(t.Context(), "user")
			if err != nil {
				t.Fatal(err)
			}
			if got, want := len(in.Memberships), 1-i%2; got != want || len(in.Registers) != 1 || in.Registers[0].N != uint64(i+1) {
				t.Errorf("after %d messages: got %d memberships, want %d; registers %+v", i+1, got, want, in.Registers)
			}
		}
		drain(t, n)
	})
}

// deafBus never gives a checkpoint, so that no partition is ever served.
type deafBus struct{ *fakeBus }

func (deafBus) ReadCheckpoint(int, func(partition.CheckpointRead)) {}

func TestQuestionsWaitWithinTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, err := Start(t.Context(), config(deafBus{newFakeBus(t, 1, toggle)}, 1))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := contextFor(3 * time.Second)
		defer cancel()
		start := time.Now()
		if in, err := n.Inspect(ctx, "user"); !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("inspect: got %v, %v, want ErrUnavailable", in, err)
		}
		if got := time.Since(start); got != 3*time.Second {
			t.Errorf("waited %v, want 3 s", got)
		}
		if err := n.Forget(ctx, "user"); !errors.Is(err, ErrUnavailable) {
			t.Errorf("forget: got %v, want ErrUnavailable", err)
		}
		drain(t, n)
	})
}

func TestNobodysKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := begin(t, config(newFakeBus(t, 1, ""), 1))
		if in, err := n.Inspect(t.Context(), ""); !errors.Is(err, subject.ErrNoKey) {
			t.Errorf("inspect: got %v, %v, want ErrNoKey", in, err)
		}
		drain(t, n)
	})
}

// TestQuestionOutlivesARestart is asked while the partition is down.
func TestQuestionOutlivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeBus(t, 1, toggle)
		n := startWrapped(t, config(b, 1), func(life int, m stepper, in partition.Input) []partition.Effect {
			if _, ok := in.(partition.Query); ok && life == 1 {
				panic("broken on purpose")
			}
			return m.Step(in)
		})
		synctest.Wait()
		b.lamp(t, "user", true)
		synctest.Wait()
		in, err := n.Inspect(t.Context(), "user")
		if err != nil || len(in.Memberships) != 1 {
			t.Errorf("got %+v, %v, want one membership", in, err)
		}
		drain(t, n)
	})
}

func TestForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeBus(t, 2, toggle)
		n := begin(t, config(b, 2))
		b.lamp(t, "user", true)
		b.lamp(t, "other", true)
		pass(10 * time.Second) // over a checkpoint, so that there are snapshots
		if err := n.Forget(t.Context(), "user"); err != nil {
			t.Fatal(err)
		}
		if _, ok := b.snapshots[b.partition(t, "user")]["user"]; ok || len(b.byKey()["user"]) != 0 {
			t.Error("something of the forgotten key is still stored")
		}
		in, err := n.Inspect(t.Context(), "user")
		if err != nil || len(in.Traits)+len(in.Memberships)+len(in.Registers) != 0 {
			t.Errorf("inspect after forgetting: got %+v, %v", in, err)
		}
		if in, err := n.Inspect(t.Context(), "other"); err != nil || len(in.Memberships) != 1 {
			t.Errorf("inspect another: got %+v, %v", in, err)
		}
		drain(t, n)
		start := time.Now()
		if in, err := n.Inspect(t.Context(), "other"); !errors.Is(err, ErrUnavailable) || time.Since(start) > time.Second {
			t.Errorf("inspect after the drain: got %v, %v after %v, want ErrUnavailable at once", in, err, time.Since(start))
		}
		pass(deadLetterPause)
	})
}
