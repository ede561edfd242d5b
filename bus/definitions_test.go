package bus_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

func names(entries []bus.ManifestEntry) string {
	text := ""
	for _, e := range entries {
		text += fmt.Sprintf("%s@%d ", e.Key, e.Version)
	}
	return text
}

func describe(c *bus.Change) string {
	return fmt.Sprintf("%d added %schanged %sunchanged %sremoved %s", c.Revision, names(c.Added), names(c.Changed), names(c.Unchanged), names(c.Removed))
}

func TestApply(t *testing.T) {
	s := newSite(t, 1)
	d := s.conn.Definitions()
	for _, step := range []struct {
		docs []*rules.Definition
		opts bus.ApplyOptions
		want string
	}{
		{nil, bus.ApplyOptions{}, "0 added changed unchanged removed "},
		{[]*rules.Definition{definition(t, "b", "X"), definition(t, "a", "X")}, bus.ApplyOptions{}, "1 added a@1 b@1 changed unchanged removed "},
		{[]*rules.Definition{definition(t, "b", "X")}, bus.ApplyOptions{}, "1 added changed unchanged a@1 b@1 removed "},
		{[]*rules.Definition{definition(t, "b", "Y")}, bus.ApplyOptions{DryRun: true}, "1 added changed b@2 unchanged a@1 removed "},
		{[]*rules.Definition{definition(t, "b", "Y"), definition(t, "c", "X")}, bus.ApplyOptions{}, "2 added c@1 changed b@2 unchanged a@1 removed "},
		{[]*rules.Definition{definition(t, "b", "X")}, bus.ApplyOptions{PruneMissing: true}, "3 added changed b@3 unchanged removed a@1 c@1 "},
	} {
		change, err := d.Apply(t.Context(), step.docs, step.opts)
		if got := describe(&change); err != nil || got != step.want {
			t.Errorf("got %q, %v; want %q", got, err, step.want)
		}
	}
	manifest, docs, err := d.Current(t.Context())
	if err != nil || manifest.Revision != 3 || names(manifest.Audiences) != "b@3 " || len(docs) != 1 {
		t.Fatalf("the newest is %+v with %d documents, %v", manifest, len(docs), err)
	}
	if got, want := docs[0].Digest(), definition(t, "b", "X").Digest(); got != want {
		t.Errorf("the stored definition has digest %s, want %s", got, want)
	}
}

func TestApplyIsRefusedWhole(t *testing.T) {
	s := newSite(t, 1)
	d := s.conn.Definitions()
	refers, err := rules.Parse("refers.yaml", []byte("audience: refers\nwhen:\n  audience: nobody\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Apply(t.Context(), append(refers, definition(t, "good", "X")), bus.ApplyOptions{})
	var wrong rules.Diagnostics
	if !errors.As(err, &wrong) || wrong[0].File != "refers.yaml" {
		t.Errorf("a reference to nobody: %v, want a diagnostic in refers.yaml", err)
	}
	_, err = d.Apply(t.Context(), []*rules.Definition{definition(t, "twice", "X"), definition(t, "twice", "Y")}, bus.ApplyOptions{})
	if !errors.As(err, &wrong) {
		t.Errorf("two definitions of one audience: %v, want a diagnostic", err)
	}
	if manifest, _, err := d.Current(t.Context()); err != nil || manifest.Revision != 0 {
		t.Errorf("the newest revision is %d, %v; want 0", manifest.Revision, err)
	}
}

func TestDelete(t *testing.T) {
	s := newSite(t, 1)
	d := s.conn.Definitions()
	s.define(definition(t, "a", "X"), definition(t, "b", "X"))
	if _, err := d.Delete(t.Context(), "a", "x"); !errors.Is(err, bus.ErrUnknownAudience) {
		t.Errorf("deleting one that does not exist: %v, want %v", err, bus.ErrUnknownAudience)
	}
	change, err := d.Delete(t.Context(), "a")
	if got, want := describe(&change), "2 added changed unchanged b@1 removed a@1 "; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

// TestApplyRace applies from many sides at once: nothing is lost and no
// revision is skipped.
func TestApplyRace(t *testing.T) {
	s := newSite(t, 1)
	const sides = 6
	var wg sync.WaitGroup
	for i := range sides {
		wg.Go(func() {
			doc := definition(t, fmt.Sprintf("a%d", i), "X")
			if _, err := s.conn.Definitions().Apply(context.WithoutCancel(t.Context()), []*rules.Definition{doc}, bus.ApplyOptions{}); err != nil {
				t.Errorf("side %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	manifest, _, err := s.conn.Definitions().Current(t.Context())
	if err != nil || manifest.Revision != sides || len(manifest.Audiences) != sides {
		t.Errorf("the newest is revision %d with %d audiences, %v; want %d and %d", manifest.Revision, len(manifest.Audiences), err, sides, sides)
	}
}

// TestHeadIsMovedOn: whoever stored a manifest may not live to move the head.
func TestHeadIsMovedOn(t *testing.T) {
	s := newSite(t, 1)
	s.define(definition(t, "a", "X"))
	s.define(definition(t, "b", "X"))
	stream, err := s.js.Stream(t.Context(), "KV_"+subject.BucketDefinitions)
	if err != nil {
		t.Fatal(err)
	}
	head := "$KV." + subject.BucketDefinitions + ".head"
	if err := stream.Purge(t.Context(), jetstream.WithPurgeSubject(head)); err != nil {
		t.Fatal(err)
	}
	told := make(chan uint64, 10)
	defer s.bus.Watch(func(r partition.RevisionAvailable) { told <- r.Revision })()
	for got := range told { // it may be seen on its way
		if got == 2 {
			break
		}
	}
	if got := s.define(definition(t, "c", "X")); got != 3 {
		t.Errorf("the next revision is %d, want 3", got)
	}
}

// TestManyDefinitions needs more than one record for the manifest.
func TestManyDefinitions(t *testing.T) {
	s := newSite(t, 1)
	var docs []*rules.Definition
	for i := range 2100 {
		docs = append(docs, definition(t, fmt.Sprintf("a%d", i), "X"))
	}
	revision := s.define(docs...)
	ch := make(chan *rules.RuleSet, 1)
	s.bus.ReadRuleSet(partition.ReadRuleSet{Revision: revision}, func(r partition.RuleSetRead) { ch <- r.Rules })
	if got := len((<-ch).Audiences()); got != len(docs) {
		t.Errorf("the rule set has %d audiences, want %d", got, len(docs))
	}
}

func TestOtherEvaluation(t *testing.T) {
	s := newSite(t, 1)
	data := fmt.Appendf(nil, `{"revision":1,"evaluation":%d,"digest":"x"}`, rules.EvaluationVersion+1)
	kv, err := s.js.KeyValue(t.Context(), subject.BucketDefinitions)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Create(t.Context(), "rev.1", data); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.conn.Definitions().Current(t.Context()); !errors.Is(err, bus.ErrEvaluation) {
		t.Errorf("got %v, want %v", err, bus.ErrEvaluation)
	}
}
