package bustest

import (
	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/rules"
)

func register() partition.RegisterKey {
	return partition.RegisterKey{Audience: "vip", Key: "ada@example.org"}
}

func transition(r partition.RegisterKey, kind rules.TransitionKind, at int64) *rules.Transition {
	return &rules.Transition{
		Kind: kind, Audience: r.Audience, Shadow: r.Shadow, Key: r.Key, UserID: string(r.Key), Version: 1,
		Position: rules.Position{At: at, Seq: 9, Order: 1}, Cause: rules.CauseEvent, ExpiresAt: rules.Never,
		Because: []rules.Reason{{Condition: "event Pricing Viewed", Observed: 3, Needs: ">= 3", True: true}},
	}
}

// publish stores the transition number n with the kind that n says.
func (t *tester) publish(r partition.RegisterKey, expected, n uint64, at int64) partition.Published {
	t.Helper()
	kind := rules.Entered
	if n%2 == 0 {
		kind = rules.Exited
	}
	p := partition.Publish{Register: r, Attempt: n, Expected: expected, N: n, Transition: transition(r, kind, at)}
	got := answer(t, "the transition", func(done func(partition.Published)) { t.Bus.Publish(p, done) })
	if got.Register != r || got.Attempt != n {
		t.Fatalf("the answer is for %+v, attempt %d; want %+v, %d", got.Register, got.Attempt, r, n)
	}
	return got
}

// stored is publish for one that must be stored.
func (t *tester) stored(r partition.RegisterKey, expected, n uint64, at int64) uint64 {
	t.Helper()
	got := t.publish(r, expected, n, at)
	if got.Outcome != partition.Stored || got.Seq <= expected {
		t.Fatalf("published with outcome %d at sequence %d, want stored after %d", got.Outcome, got.Seq, expected)
	}
	return got.Seq
}

func (t *tester) register(r partition.RegisterKey) partition.Register {
	t.Helper()
	got := answer(t, "the register", func(done func(partition.RegisterRead)) {
		t.Bus.ReadRegister(partition.ReadRegister{Register: r, Attempt: 3}, done)
	})
	if got.Register != r || got.Attempt != 3 {
		t.Fatalf("the answer is for %+v, attempt %d", got.Register, got.Attempt)
	}
	return got.Last
}

func registerIsCompareAndSet(t *tester) {
	keys := register()
	first := t.stored(keys, 0, 1, 100)
	if got := t.publish(keys, 0, 1, 101); got.Outcome != partition.Refused {
		t.Errorf("a second first transition ended with outcome %d, want refused", got.Outcome)
	}
	second := t.stored(keys, first, 2, 200)
	if got := t.publish(keys, first, 2, 201); got.Outcome != partition.Refused {
		t.Errorf("a transition after the one before the last ended with outcome %d, want refused", got.Outcome)
	}
	if got := t.publish(keys, second+100, 3, 300); got.Outcome != partition.Refused {
		t.Errorf("a transition after one that does not exist ended with outcome %d, want refused", got.Outcome)
	}
	if got := t.register(keys); got.Sequence != second || got.N != 2 {
		t.Errorf("the register holds n %d at %d, want 2 at %d", got.N, got.Sequence, second)
	}
}

func registersAreApart(t *tester) {
	keys := register()
	shadow, audience, key := keys, keys, keys
	shadow.Shadow = true
	audience.Audience = "vip-2"
	key.Key = "ada@example.org."
	for i, r := range []partition.RegisterKey{keys, shadow, audience, key} {
		t.stored(r, 0, 1, int64(100+i))
	}
	for i, r := range []partition.RegisterKey{keys, shadow, audience, key} {
		if got := t.register(r); got.Position.At != int64(100+i) || got.Audience != r.Audience || got.Shadow != r.Shadow {
			t.Errorf("register %+v holds %+v, want what was published at %d", r, got, 100+i)
		}
	}
}

func registerTellsItsLast(t *tester) {
	keys := register()
	if got, want := t.register(keys), (partition.Register{Audience: keys.Audience}); got != want {
		t.Errorf("a new register holds %+v, want %+v", got, want)
	}
	seq := t.stored(keys, 0, 1, 100)
	want := partition.Register{
		Audience: keys.Audience, Sequence: seq, N: 1, Kind: rules.Entered, Cause: rules.CauseEvent,
		Position: rules.Position{At: 100, Seq: 9, Order: 1},
	}
	if got := t.register(keys); got != want {
		t.Errorf("the register holds %+v, want %+v", got, want)
	}
}

func (t *tester) intact(seq uint64, r partition.RegisterKey, at int64) bool {
	c := partition.CheckTransition{Transition: partition.StoredTransition{
		Sequence: seq, Register: r, Position: rules.Position{At: at, Seq: 9, Order: 1},
	}}
	return answer(t, "the check", func(done func(partition.TransitionChecked)) { t.Bus.CheckTransition(c, done) }).Intact
}

func transitionIsChecked(t *tester) {
	keys := register()
	other := keys
	other.Key = "bob"
	seq := t.stored(keys, 0, 1, 100)
	t.stored(other, 0, 1, 100)
	if !t.intact(seq, keys, 100) {
		t.Error("a stored transition is not intact")
	}
	for name, got := range map[string]bool{
		"at a sequence beyond the end": t.intact(seq+10, keys, 100),
		"at another's sequence":        t.intact(seq+1, keys, 100),
		"with another position":        t.intact(seq, keys, 101),
	} {
		if got {
			t.Errorf("a transition %s is intact", name)
		}
	}
}

func transitionsLostTheirTail(t *tester) {
	keys := register()
	first := t.stored(keys, 0, 1, 100)
	restore := t.Mark()
	second := t.stored(keys, first, 2, 200)
	restore()
	if t.intact(second, keys, 200) {
		t.Error("a lost transition is intact")
	}
	if got := t.register(keys); got.Sequence != first {
		t.Errorf("the register's last is at %d, want %d", got.Sequence, first)
	}
	other := keys
	other.Key = "bob"
	if got := t.stored(other, 0, 1, 200); got != second {
		t.Fatalf("the next transition got sequence %d, want %d again", got, second)
	}
	if t.intact(second, keys, 200) {
		t.Error("a lost transition is intact when another stands in its place")
	}
	if !t.intact(first, keys, 100) {
		t.Error("a kept transition is not intact")
	}
}
