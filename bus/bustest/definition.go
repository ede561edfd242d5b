package bustest

import (
	"slices"
	"sync"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/rules"
)

// definition is an audience of those who have seen a page in this session.
func definition(key rules.AudienceKey) *rules.Definition {
	docs, err := rules.Parse(string(key), []byte("audience: "+string(key)+"\nwhen:\n  event: Pricing Viewed\n"))
	if err != nil {
		panic(err)
	}
	return docs[0]
}

func (t *tester) ruleSet(revision uint64) *rules.RuleSet {
	t.Helper()
	got := answer(t, "the rule set", func(done func(partition.RuleSetRead)) {
		t.Bus.ReadRuleSet(partition.ReadRuleSet{Revision: revision}, done)
	}).Rules
	if got.Revision() != revision {
		t.Fatalf("got revision %d, want %d", got.Revision(), revision)
	}
	return got
}

func ruleSetsByRevision(t *tester) {
	if got := t.ruleSet(0).Audiences(); len(got) != 0 {
		t.Errorf("revision 0 has audiences %v", got)
	}
	first := t.Define(definition("vip"))
	second := t.Define(definition("vip"), definition("buyers"))
	if first != 1 || second != 2 {
		t.Fatalf("the revisions are %d and %d, want 1 and 2", first, second)
	}
	for revision, want := range map[uint64][]rules.AudienceKey{first: {"vip"}, second: {"buyers", "vip"}} {
		if got := t.ruleSet(revision).Audiences(); !slices.Equal(got, want) {
			t.Errorf("revision %d has audiences %v, want %v", revision, got, want)
		}
	}
	if first, again := t.ruleSet(second), t.ruleSet(second); first != again {
		t.Error("a revision is compiled twice")
	}
}

func watchTellsRevisions(t *tester) {
	t.Define(definition("vip"))
	var mu sync.Mutex
	var told []uint64
	last := func() uint64 {
		mu.Lock()
		defer mu.Unlock()
		if len(told) == 0 {
			return 0
		}
		return told[len(told)-1]
	}
	stop := t.Bus.Watch(func(r partition.RevisionAvailable) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, r.Revision)
	})
	t.until("the revision there is", func() bool { return last() == 1 })
	t.Define(definition("vip"), definition("buyers"))
	t.until("the next revision", func() bool { return last() == 2 })
	stop()

	var other sync.Mutex
	newest := uint64(0)
	defer t.Bus.Watch(func(r partition.RevisionAvailable) {
		other.Lock()
		defer other.Unlock()
		newest = r.Revision
	})()
	t.Define(definition("buyers"))
	t.until("the last revision", func() bool {
		other.Lock()
		defer other.Unlock()
		return newest == 3
	})
	if got := last(); got != 2 {
		t.Errorf("a stopped watch was told revision %d", got)
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.IsSorted(told) {
		t.Errorf("the revisions told are %v, want ascending", told)
	}
}
