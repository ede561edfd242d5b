package bus_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

func (s *site) checkpoint(seq uint64) {
	s.t.Helper()
	ch := make(chan partition.Outcome, 1)
	c := partition.Checkpoint{Seq: seq, LogTime: int64(seq)}
	s.bus.SaveCheckpoint(0, partition.SaveCheckpoint{Checkpoint: c}, func(r partition.CheckpointSaved) { ch <- r.Outcome })
	if got := <-ch; got != partition.Stored {
		s.t.Fatalf("the checkpoint ended with outcome %d", got)
	}
}

func (s *site) firstSeq(stream string) uint64 {
	s.t.Helper()
	st, err := s.js.Stream(s.t.Context(), stream)
	if err != nil {
		s.t.Fatal(err)
	}
	return st.CachedInfo().State.FirstSeq
}

func TestPurgeLog(t *testing.T) {
	s := newSite(t, 1)
	var times []time.Time
	for n := range 6 {
		seq := s.produce(0, partition.EventMessage, rules.JSON, fmt.Appendf(nil, "%d", n))
		stream, err := s.js.Stream(t.Context(), subject.LogStream(0))
		if err != nil {
			t.Fatal(err)
		}
		m, err := stream.GetMsg(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, m.Time)
	}
	for _, step := range []struct {
		checkpoint  uint64
		before      time.Time
		first, gone uint64
	}{
		{0, times[5].Add(time.Hour), 1, 0}, // no checkpoint
		{4, times[0], 1, 0},                // none is older
		{4, times[1], 2, 1},
		{4, times[5].Add(time.Hour), 4, 2}, // the checkpoint's own message stays
		{4, times[5].Add(time.Hour), 4, 0},
		{6, times[4], 5, 1},
	} {
		if step.checkpoint > 0 {
			s.checkpoint(step.checkpoint)
		}
		gone, err := s.bus.PurgeLog(t.Context(), 0, step.before)
		if first := s.firstSeq(subject.LogStream(0)); err != nil || first != step.first || gone != step.gone {
			t.Errorf("checkpoint %d: the log begins at %d after %d are gone, %v; want %d after %d", step.checkpoint, first, gone, err, step.first, step.gone)
		}
	}
}

func TestForgetExits(t *testing.T) {
	s := newSite(t, 1)
	publish := func(key rules.UserKey, expected, n uint64) uint64 {
		kind := rules.Entered
		if n%2 == 0 {
			kind = rules.Exited
		}
		ch := make(chan partition.Published, 1)
		s.bus.Publish(partition.Publish{
			Register: partition.RegisterKey{Audience: "vip", Key: key}, Expected: expected, N: n,
			Transition: &rules.Transition{Kind: kind, Audience: "vip", Key: key, ExpiresAt: rules.Never},
		}, func(p partition.Published) { ch <- p })
		return (<-ch).Seq
	}
	left := publish("gone", 0, 1)
	publish("gone", left, 2)
	publish("member", 0, 1)
	again := publish("back", publish("back", publish("back", 0, 1), 2), 3)
	if n, err := s.bus.ForgetExits(t.Context(), time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Errorf("forgot %d exits of the last hour, %v", n, err)
	}
	if n, err := s.bus.ForgetExits(t.Context(), time.Now().Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("forgot %d exits, %v; want 1", n, err)
	}
	for key, want := range map[rules.UserKey]uint64{"gone": 0, "member": 3, "back": again} {
		ch := make(chan partition.RegisterRead, 1)
		s.bus.ReadRegister(partition.ReadRegister{Register: partition.RegisterKey{Audience: "vip", Key: key}}, func(r partition.RegisterRead) { ch <- r })
		if got := (<-ch).Last.Sequence; got != want {
			t.Errorf("the register of %q ends at %d, want %d", key, got, want)
		}
	}
}

func TestRetentionIsChecked(t *testing.T) {
	s := newSite(t, 1)
	if err := s.bus.Retain(t.Context(), bus.Retention{Keep: 100 * time.Hour, ForgetExits: 101 * time.Hour}); err == nil {
		t.Error("exits may be forgotten while a replay can still publish their entries")
	}
}
