package bustest

import (
	"github.com/vmihailenco/msgpack/v5"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/rules"
)

func (t *tester) erase(p int, key rules.UserKey) {
	t.Helper()
	got := answer(t, "the erasure", func(done func(partition.Erased)) { t.Bus.Erase(p, partition.Erase{Key: key}, done) })
	if got.Key != key {
		t.Errorf("the answer is for key %q, want %q", got.Key, key)
	}
}

func erasesKey(t *tester) {
	packed, err := msgpack.Marshal(map[string]any{"anonymousId": "ada"})
	if err != nil {
		t.Fatal(err)
	}
	t.event(0, `{"userId":"ada","type":"track"}`)
	t.event(0, `{"userId":"bob","anonymousId":"ada"}`) // bob's
	t.Produce(0, partition.EventMessage, rules.MessagePack, packed)
	t.event(0, `{"anonymousId":"\u0061da"}`)
	t.Produce(0, partition.TraitsMessage, rules.JSON, []byte(`{"userId":"ada","traits":{}}`))
	t.event(0, `{"userId":"adam"}`)
	ada := partition.RegisterKey{Audience: "vip", Key: "ada"}
	shadow := partition.RegisterKey{Audience: "vip", Key: "ada", Shadow: true}
	bob := partition.RegisterKey{Audience: "vip", Key: "bob"}
	first := t.stored(ada, 0, 1, 100)
	t.stored(ada, first, 2, 200)
	t.stored(shadow, 0, 1, 100)
	t.stored(bob, 0, 1, 100)
	t.save(0, "ada", snapshotData(1, 1), 0)
	t.save(0, "bob", snapshotData(1, 1), 0)

	for range 2 { // it is idempotent
		t.erase(0, "ada")
		t.payloads(t.read(0, partition.Read{Reading: 1}).wait(2), `{"userId":"bob","anonymousId":"ada"}`, `{"userId":"adam"}`)
		for _, r := range []partition.RegisterKey{ada, shadow} {
			if got := t.register(r); got.Sequence != 0 {
				t.Errorf("the erased register %+v holds %+v", r, got)
			}
		}
		if got := t.register(bob); got.N != 1 {
			t.Errorf("another key's register holds %+v", got)
		}
		if got := t.snapshot(0, "ada"); got.Data != nil || got.Revision != 0 {
			t.Errorf("the erased snapshot reads as %d bytes at revision %d", len(got.Data), got.Revision)
		}
		if heads, n := t.scan(0); n != 1 || heads["bob"].Key != "bob" {
			t.Errorf("a scan tells %v, want bob's alone", heads)
		}
	}
	t.stored(ada, 0, 1, 300)
	if got := t.save(0, "ada", snapshotData(1, 1), 0); got.Outcome != partition.Stored {
		t.Errorf("saving the erased key again ended with outcome %d", got.Outcome)
	}
}

// erasedCursorIsNoLoss: what was erased is missing, but the log lost nothing.
func erasedCursorIsNoLoss(t *tester) {
	t.event(0, `{"userId":"bob"}`)
	t.event(0, `{"userId":"ada"}`)
	t.event(0, `{"userId":"bob","n":2}`)
	all := t.read(0, partition.Read{Reading: 1}).wait(3)
	t.erase(0, "ada")
	rec := t.read(0, partition.Read{Reading: 2, After: cursorAt(&all[1])})
	if got := rec.first(); !got.Intact || got.Last != all[2].Seq {
		t.Errorf("opened at an erased message with %+v, want intact, last %d", got, all[2].Seq)
	}
	t.payloads(rec.wait(1), `{"userId":"bob","n":2}`)
}
