package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/rules"
)

// Definitions is the audience definitions of an installation, by revision.
//
// A definition is stored under its digest and never changes. A revision is a
// manifest of digests, which never changes either; storing the manifest
// number n + 1, if there is none, is what puts it in force. The head record
// only says how far the numbers go.
type Definitions struct{ conn *Conn }

// ApplyOptions says how to apply. The zero value adds and replaces, and
// deletes nothing.
type ApplyOptions struct {
	// PruneMissing deletes the audiences that are not among the documents.
	PruneMissing bool
	// DryRun only says what would change.
	DryRun bool
}

// Change is what applying changed, or would. Revision is the one now in
// force; it is the old one if nothing changed or it was a dry run.
type Change struct {
	Revision  uint64
	Added     []ManifestEntry
	Changed   []ManifestEntry
	Unchanged []ManifestEntry
	Removed   []ManifestEntry // with their last version
}

// Empty reports whether nothing changed.
func (c *Change) Empty() bool { return len(c.Added)+len(c.Changed)+len(c.Removed) == 0 }

// applyAttemptsMax is how often a lost race is run again.
const applyAttemptsMax = 10

// Definitions returns the installation's definitions.
func (c *Conn) Definitions() *Definitions { return &Definitions{conn: c} }

// Apply adds and replaces definitions as one revision. All are refused if one
// is wrong: the error is then the rules package's, with the places. It wraps
// [ErrConflict] if others were faster again and again.
func (d *Definitions) Apply(ctx context.Context, docs []*rules.Definition, opts ApplyOptions) (Change, error) {
	if err := rules.CheckSet(docs); err != nil && opts.PruneMissing {
		return Change{}, err // wrong whatever is stored: nothing else will be there
	}
	return d.change(ctx, opts, func(set *definitionSet) error {
		wanted := make(map[rules.AudienceKey]bool, len(docs))
		for _, doc := range docs {
			if wanted[doc.Audience] {
				return rules.CheckSet(docs) // says where the two are
			}
			wanted[doc.Audience] = true
			set.put(doc)
		}
		if opts.PruneMissing {
			set.keep(wanted)
		}
		return nil
	})
}

// Delete removes audiences as one revision; their members exit. The error
// wraps [ErrUnknownAudience] if one does not exist, and none is removed.
func (d *Definitions) Delete(ctx context.Context, keys ...rules.AudienceKey) (Change, error) {
	return d.change(ctx, ApplyOptions{}, func(set *definitionSet) error {
		var unknown []string
		for _, key := range keys {
			if !set.remove(key) {
				unknown = append(unknown, string(key))
			}
		}
		if len(unknown) > 0 {
			return fmt.Errorf("%w: %s", ErrUnknownAudience, strings.Join(unknown, ", "))
		}
		return nil
	})
}

// Current returns the newest revision with its definitions, by key. Without
// any revision the manifest's is 0.
func (d *Definitions) Current(ctx context.Context) (Manifest, []*rules.Definition, error) {
	head, err := d.head(ctx)
	if err != nil {
		return Manifest{}, nil, err
	}
	m, err := d.manifest(ctx, head.revision)
	if err != nil {
		return Manifest{}, nil, err
	}
	defs, err := d.load(ctx, m.Audiences)
	return m, defs, err
}

// change reads the newest revision, lets edit change it and stores the
// outcome as the next, again if somebody else was faster.
func (d *Definitions) change(ctx context.Context, opts ApplyOptions, edit func(*definitionSet) error) (Change, error) {
	for range applyAttemptsMax {
		head, err := d.head(ctx)
		if err != nil {
			return Change{}, err
		}
		now, err := d.manifest(ctx, head.revision)
		if err != nil && !errors.Is(err, ErrEvaluation) {
			return Change{}, err
		}
		defs, err := d.load(ctx, now.Audiences)
		if err != nil {
			return Change{}, err
		}
		set := newDefinitionSet(now, defs)
		if err := edit(set); err != nil {
			return Change{}, err
		}
		next := set.manifest(now.Revision + 1)
		change := difference(now, next)
		change.Revision = now.Revision
		if change.Empty() && (now.Evaluation == next.Evaluation || now.Revision == 0) {
			return change, nil
		}
		if err := set.check(next); err != nil || opts.DryRun {
			return change, err
		}
		stored, err := d.publish(ctx, head, next, set.changed())
		if err != nil {
			return Change{}, err
		}
		if stored {
			change.Revision = next.Revision
			return change, nil
		}
	}
	return Change{}, fmt.Errorf("%w, %d times: try again", ErrConflict, applyAttemptsMax)
}

// definitionSet is a revision being edited.
type definitionSet struct {
	entries map[rules.AudienceKey]ManifestEntry
	defs    map[rules.AudienceKey]*rules.Definition
	edited  map[rules.AudienceKey]bool
}

func newDefinitionSet(m Manifest, defs []*rules.Definition) *definitionSet {
	s := &definitionSet{
		entries: make(map[rules.AudienceKey]ManifestEntry, len(defs)),
		defs:    make(map[rules.AudienceKey]*rules.Definition, len(defs)),
		edited:  make(map[rules.AudienceKey]bool),
	}
	for i, e := range m.Audiences {
		s.entries[e.Key], s.defs[e.Key] = e, defs[i]
	}
	return s
}

// put adds or replaces a definition. One that says the same as before keeps
// its version, but its places are those of the new document, for messages.
func (s *definitionSet) put(def *rules.Definition) {
	e := s.entries[def.Audience]
	digest := def.Digest()
	if e.Digest != digest {
		e = ManifestEntry{Key: def.Audience, Version: e.Version + 1, Digest: digest}
		s.edited[def.Audience] = true
	}
	s.entries[def.Audience], s.defs[def.Audience] = e, def
}

func (s *definitionSet) remove(key rules.AudienceKey) bool {
	_, ok := s.entries[key]
	delete(s.entries, key)
	delete(s.defs, key)
	delete(s.edited, key)
	return ok
}

func (s *definitionSet) keep(wanted map[rules.AudienceKey]bool) {
	for key := range s.entries {
		if !wanted[key] {
			s.remove(key)
		}
	}
}

// check refuses what would not compile, whole.
func (s *definitionSet) check(m Manifest) error {
	versioned := make([]rules.Versioned, len(m.Audiences))
	defs := make([]*rules.Definition, len(m.Audiences))
	for i, e := range m.Audiences {
		defs[i] = s.defs[e.Key]
		versioned[i] = rules.Versioned{Definition: defs[i], Version: e.Version}
	}
	if err := rules.CheckSet(defs); err != nil {
		return err
	}
	_, err := rules.Compile(m.Revision, versioned)
	return err
}

func (s *definitionSet) changed() []*rules.Definition {
	var out []*rules.Definition
	for key := range s.edited {
		out = append(out, s.defs[key])
	}
	return out
}

func (s *definitionSet) manifest(revision uint64) Manifest {
	m := Manifest{Revision: revision, Evaluation: rules.EvaluationVersion, Audiences: make([]ManifestEntry, 0, len(s.entries))}
	for _, e := range s.entries {
		m.Audiences = append(m.Audiences, e)
	}
	slices.SortFunc(m.Audiences, func(a, b ManifestEntry) int { return strings.Compare(string(a.Key), string(b.Key)) })
	m.Digest = digestOf(m.Evaluation, m.Audiences)
	return m
}

// difference compares two manifests, both sorted by key.
func difference(before, after Manifest) Change {
	var c Change
	old := make(map[rules.AudienceKey]ManifestEntry, len(before.Audiences))
	for _, e := range before.Audiences {
		old[e.Key] = e
	}
	for _, e := range after.Audiences {
		was, ok := old[e.Key]
		switch {
		case !ok:
			c.Added = append(c.Added, e)
		case was != e:
			c.Changed = append(c.Changed, e)
		default:
			c.Unchanged = append(c.Unchanged, e)
		}
		delete(old, e.Key)
	}
	for _, e := range before.Audiences {
		if _, gone := old[e.Key]; gone {
			c.Removed = append(c.Removed, e)
		}
	}
	return c
}

// ReadRuleSet reads a revision, compiled. All partitions share one.
func (b *Bus) ReadRuleSet(r partition.ReadRuleSet, done func(partition.RuleSetRead)) {
	b.start(func() {
		for attempts := 1; ; attempts++ {
			rs, err := b.sets.read(b.ctx, r.Revision)
			if b.ctx.Err() != nil {
				return
			}
			if err == nil {
				done(partition.RuleSetRead{Rules: rs})
				return
			}
			if !b.again(attempts, err, "read a rule set", "revision", r.Revision) {
				return
			}
		}
	})
}
