package bus_test

import (
	"bytes"
	"testing"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

// TestOutage asks while no server runs: a write is in doubt at once, and what
// has no outcome is answered when the server is back.
func TestOutage(t *testing.T) {
	s := newSite(t, 1)
	revisions := make(chan uint64, 10)
	defer s.bus.Watch(func(r partition.RevisionAvailable) { revisions <- r.Revision })()
	register := partition.RegisterKey{Audience: "vip", Key: "u"}
	published := make(chan partition.Published, 1)
	saved := make(chan partition.SnapshotSaved, 1)
	read := make(chan partition.RegisterRead, 1)
	rejected := make(chan partition.RejectStored, 1)
	s.restart(func() error {
		tr := &rules.Transition{Kind: rules.Entered, Audience: "vip", Key: "u", ExpiresAt: rules.Never}
		s.bus.Publish(partition.Publish{Register: register, N: 1, Transition: tr}, func(p partition.Published) { published <- p })
		s.bus.SaveSnapshot(0, partition.SaveSnapshot{Key: "u", Data: []byte("x")}, func(r partition.SnapshotSaved) { saved <- r })
		s.bus.ReadRegister(partition.ReadRegister{Register: register}, func(r partition.RegisterRead) { read <- r })
		s.bus.Reject(0, partition.Reject{Seq: 1, Reason: rules.ReasonNotJSON}, func(r partition.RejectStored) { rejected <- r })
		if got := (<-published).Outcome; got != partition.Doubt {
			t.Errorf("a transition ended with outcome %d, want doubt", got)
		}
		if got := (<-saved).Outcome; got != partition.Doubt {
			t.Errorf("a snapshot ended with outcome %d, want doubt", got)
		}
		return nil
	})
	if got := (<-read).Last.Sequence; got != 0 {
		t.Errorf("the register's last message is at %d, want none", got)
	}
	<-rejected
	if got := s.rejected(0); got != 1 {
		t.Errorf("%d rejected messages are stored, want 1", got)
	}
	want := s.define(definition(t, "vip", "X"))
	if got := <-revisions; got != want {
		t.Errorf("after the outage the watch tells revision %d, want %d", got, want)
	}
}

// TestRejectCutsPayload: a message as large as the server takes leaves no
// room for the headers that say why it was rejected.
func TestRejectCutsPayload(t *testing.T) {
	s := newSite(t, 1)
	payload := bytes.Repeat([]byte("x"), int(s.conn.NATS().MaxPayload()))
	done := make(chan partition.RejectStored, 1)
	s.bus.Reject(0, partition.Reject{
		Seq: 7, Reason: rules.ReasonTooLarge, Detail: "line\r\nUsher-Reason: other " + string(payload), Payload: payload,
	}, func(r partition.RejectStored) { done <- r })
	<-done
	stream, err := s.js.Stream(t.Context(), subject.StreamRejected)
	if err != nil {
		t.Fatal(err)
	}
	m, err := stream.GetLastMsgForSubject(t.Context(), subject.Rejected(0))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(m.Data); got < len(payload)-4096 || got >= len(payload) {
		t.Errorf("%d of %d bytes are stored", got, len(payload))
	}
	if got := m.Header.Get(subject.HeaderReason); got != rules.ReasonTooLarge {
		t.Errorf("the reason is %q, want %q", got, rules.ReasonTooLarge)
	}
	if got, want := m.Header.Get("Usher-Truncated"), "8388608"; got != want {
		t.Errorf("the original's length is %q, want %q", got, want)
	}
}
