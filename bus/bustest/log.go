package bustest

import (
	"fmt"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/rules"
)

func logReadsFromBeginning(t *tester) {
	t.event(1, `{"n":1}`)
	t.Produce(1, partition.TraitsMessage, rules.MessagePack, []byte{0x80})
	last := t.event(1, `{"n":3}`)

	rec := t.read(1, partition.Read{Reading: 7})
	if got, want := rec.first(), (partition.LogOpened{Reading: 7, First: last - 2, Last: last, Intact: true}); got != want {
		t.Errorf("opened with %+v, want %+v", got, want)
	}
	got := rec.wait(3)
	t.payloads(got, `{"n":1}`, "\x80", `{"n":3}`)
	for i, want := range []struct {
		kind partition.MessageKind
		enc  rules.Encoding
	}{{partition.EventMessage, rules.JSON}, {partition.TraitsMessage, rules.MessagePack}, {partition.EventMessage, rules.JSON}} {
		if got[i].Kind != want.kind || got[i].Encoding != want.enc {
			t.Errorf("message %d is %s in encoding %d, want %s in %d", i, got[i].Kind, got[i].Encoding, want.kind, want.enc)
		}
		if wantSeq := last - 2 + uint64(i); got[i].Seq != wantSeq {
			t.Errorf("message %d has sequence %d, want %d", i, got[i].Seq, wantSeq)
		}
		if i > 0 && got[i].Time < got[i-1].Time {
			t.Errorf("message %d was stored at %d, before the one before it", i, got[i].Time)
		}
	}
	if got[0].Time == 0 {
		t.Error("messages have no time")
	}
}

func logReadsNewMessages(t *tester) {
	rec := t.read(0, partition.Read{Reading: 1})
	if got, want := rec.first().Last, uint64(0); got != want {
		t.Errorf("the empty log's last sequence is %d, want %d", got, want)
	}
	if !rec.first().Intact {
		t.Error("the beginning of an empty log is not intact")
	}
	var want []string
	for n := range 2500 { // several requests' worth
		want = append(want, fmt.Sprintf(`{"n":%d}`, n))
		t.event(0, want[n])
	}
	t.payloads(rec.wait(len(want)), want...)
}

func logReadsAfterCursor(t *tester) {
	for n := range 4 {
		t.event(2, fmt.Sprint(n))
	}
	all := t.read(2, partition.Read{Reading: 1}).wait(4)

	rec := t.read(2, partition.Read{Reading: 2, After: cursorAt(&all[1])})
	if got := rec.first(); !got.Intact || got.Last != all[3].Seq {
		t.Errorf("opened with %+v, want intact and last %d", got, all[3].Seq)
	}
	t.payloads(rec.wait(2), "2", "3")

	end := t.read(2, partition.Read{Reading: 3, After: cursorAt(&all[3])})
	if got := end.first(); !got.Intact || got.Last != all[3].Seq {
		t.Errorf("opened at the end with %+v, want intact and last %d", got, all[3].Seq)
	}
	t.event(2, "4")
	t.payloads(end.wait(1), "4")
}

func logOfPartitionsIsApart(t *tester) {
	t.event(0, "zero")
	t.event(1, "one")
	t.payloads(t.read(0, partition.Read{Reading: 1}).wait(1), "zero")
	t.payloads(t.read(1, partition.Read{Reading: 1}).wait(1), "one")
}

// pausedMax is more than any bus may deliver after a pause.
const pausedMax = 3000

func logPausesAndResumes(t *tester) {
	rec := t.read(0, partition.Read{Reading: 1})
	t.event(0, "first")
	rec.wait(1)
	rec.reader.Pause()
	total := 1
	for range 2 * pausedMax {
		t.event(0, "more")
		total++
	}
	// What is delivered elsewhere shows that this reader had its chance.
	t.read(0, partition.Read{Reading: 2}).wait(total)
	if got := rec.count(); got > pausedMax {
		t.Errorf("a paused reader was given %d of %d messages, want at most %d", got, total, pausedMax)
	}
	rec.reader.Resume()
	rec.wait(total)
}

func logStops(t *tester) {
	rec := t.read(0, partition.Read{Reading: 1})
	t.event(0, "first")
	rec.wait(1)
	rec.reader.Stop()
	t.event(0, "second")
	t.read(0, partition.Read{Reading: 2}).wait(2)
	// A message already on its way may come; those of a later production
	// may not.
	for range pausedMax {
		t.event(0, "more")
	}
	t.read(0, partition.Read{Reading: 3}).wait(2 + pausedMax)
	if got := rec.count(); got > 2 {
		t.Errorf("a stopped reader was given %d messages, want at most 2", got)
	}
}

func logPurgedBeyondCursor(t *tester) {
	for n := range 5 {
		t.event(0, fmt.Sprint(n))
	}
	all := t.read(0, partition.Read{Reading: 1}).wait(5)
	t.Purge(0, all[3].Seq)

	rec := t.read(0, partition.Read{Reading: 2, After: cursorAt(&all[0])})
	if got := rec.first(); got.Intact || got.First != all[3].Seq || got.Last != all[4].Seq {
		t.Errorf("opened with %+v, want not intact, first %d, last %d", got, all[3].Seq, all[4].Seq)
	}
	t.payloads(rec.wait(2), "3", "4")
}

func logPurgedToCursor(t *tester) {
	for n := range 3 {
		t.event(0, fmt.Sprint(n))
	}
	all := t.read(0, partition.Read{Reading: 1}).wait(3)
	t.Purge(0, all[1].Seq)
	rec := t.read(0, partition.Read{Reading: 2, After: cursorAt(&all[1])})
	if got := rec.first(); !got.Intact || got.First != all[1].Seq {
		t.Errorf("opened with %+v, want intact, first %d", got, all[1].Seq)
	}
	t.payloads(rec.wait(1), "2")
}

// logLostItsTail: the cursor's message was never stored, as far as the disk
// knows, and another stands in its place, or none.
func logLostItsTail(t *tester) {
	for n := range 3 {
		t.event(0, fmt.Sprint(n))
		t.event(1, fmt.Sprint(n))
	}
	restore := t.Mark()
	for n := 3; n < 6; n++ {
		t.event(0, fmt.Sprint(n))
		t.event(1, fmt.Sprint(n))
	}
	all := t.read(0, partition.Read{Reading: 1}).wait(6)
	other := t.read(1, partition.Read{Reading: 1}).wait(6)
	restore()

	gone := t.read(0, partition.Read{Reading: 2, After: cursorAt(&all[5])})
	if got := gone.first(); got.Intact || got.Last != all[2].Seq {
		t.Errorf("opened at a lost message with %+v, want not intact, last %d", got, all[2].Seq)
	}
	if got := t.event(0, "again 3"); got != all[3].Seq {
		t.Fatalf("the next message got sequence %d, want %d again", got, all[3].Seq)
	}
	t.payloads(gone.wait(1), "again 3")

	for n := 3; n < 7; n++ {
		t.event(1, fmt.Sprintf("again %d", n))
	}
	changed := t.read(1, partition.Read{Reading: 2, After: cursorAt(&other[4])})
	if got := changed.first(); got.Intact {
		t.Errorf("opened at a replaced message with %+v, want not intact", got)
	}
	t.payloads(changed.wait(4), "again 3", "again 4", "again 5", "again 6")

	kept := t.read(1, partition.Read{Reading: 3, After: cursorAt(&other[2])})
	if got := kept.first(); !got.Intact {
		t.Errorf("opened at a kept message with %+v, want intact", got)
	}
	t.payloads(kept.wait(4), "again 3", "again 4", "again 5", "again 6")
}

// logLostItsTailWhileRead: the reader is told once more how the log stands.
func logLostItsTailWhileRead(t *tester) {
	t.event(0, "0")
	t.event(1, "0")
	restore := t.Mark()
	behind := t.read(0, partition.Read{Reading: 1})
	safe := t.read(1, partition.Read{Reading: 1})
	t.event(0, "1")
	t.event(0, "2")
	behind.wait(3)
	safe.wait(1)
	restore()

	t.until("another LogOpened", func() bool { return len(behind.openings()) > 1 })
	if got := behind.openings()[1]; got.Intact {
		t.Errorf("opened again with %+v, want not intact", got)
	}
	t.event(0, "again 1")
	t.event(1, "1")
	t.payloads(behind.wait(4), "0", "1", "2", "again 1")
	t.payloads(safe.wait(2), "0", "1")
	for _, got := range safe.openings()[1:] {
		if !got.Intact {
			t.Errorf("a reader that lost nothing was told %+v", got)
		}
	}
}

func logCarriesTicksAndRules(t *tester) {
	revision := t.Define(definition("vip"))
	tick := answer(t, "the tick", func(done func(partition.TickAppended)) {
		t.Bus.AppendTick(0, partition.AppendTick{At: 1234}, done)
	})
	if tick.Outcome != partition.Stored {
		t.Fatalf("the tick ended with outcome %d, want stored", tick.Outcome)
	}
	appended := answer(t, "the revision", func(done func(partition.RulesAppended)) {
		t.Bus.AppendRules(0, partition.AppendRules{Revision: revision}, done)
	})
	if want := (partition.RulesAppended{Revision: revision, Outcome: partition.Stored}); appended != want {
		t.Fatalf("the revision was appended with %+v, want %+v", appended, want)
	}
	got := t.read(0, partition.Read{Reading: 1}).wait(2)
	if got[0].Kind != partition.TickMessage || string(got[0].Payload) != string(partition.EncodeTick(partition.AppendTick{At: 1234})) {
		t.Errorf("the tick is a %s message %q", got[0].Kind, got[0].Payload)
	}
	if read, err := partition.DecodeRules(got[1].Payload); got[1].Kind != partition.RulesMessage || err != nil || read != revision {
		t.Errorf("the revision is a %s message of revision %d, %v; want %d", got[1].Kind, read, err, revision)
	}
}

func rejectsOnce(t *tester) {
	reject := func(p int, seq uint64) {
		r := partition.Reject{Seq: seq, Kind: partition.EventMessage, Reason: rules.ReasonNotJSON, Detail: "line\nbreak", Payload: []byte("{")}
		got := answer(t, "the rejection", func(done func(partition.RejectStored)) { t.Bus.Reject(p, r, done) })
		if got.Seq != seq {
			t.Errorf("the answer is for sequence %d, want %d", got.Seq, seq)
		}
	}
	reject(0, 5)
	reject(0, 6)
	reject(0, 5)
	reject(1, 5)
	if got := t.Rejected(0); got != 2 {
		t.Errorf("partition 0 has %d rejected messages, want 2", got)
	}
	if got := t.Rejected(1); got != 1 {
		t.Errorf("partition 1 has %d rejected messages, want 1", got)
	}
}
