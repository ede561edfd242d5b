package audit

import (
	"slices"

	"github.com/usher-audiences/usher/rules"
)

// inForce is one rule set that the log put in force, with what its conditions
// keep from those before.
type inForce struct {
	revision uint64
	seq      uint64 // of the message that put it in force; 0 for the first
	at       int64
	defs     map[rules.AudienceKey]rules.Versioned
	order    []rules.AudienceKey // of evaluation
	users    map[rules.AudienceKey][]rules.AudienceKey

	// from is the sequence after which a condition counts; identity names it
	// by its meaning.
	from     map[rules.Condition]uint64
	identity map[rules.Condition]string
	origin   map[string]uint64 // by identity

	// read is, by path of the context, the sequence from which on some
	// definition reads it; asked are the properties of a session's entry that
	// some definition reads.
	read  map[string]uint64
	asked map[string]bool
}

// enforce returns the rule set that comes after previous, nil for the first.
func enforce(previous *inForce, revision, seq uint64, at int64, defs []rules.Versioned) *inForce {
	f := &inForce{
		revision: revision, seq: seq, at: at,
		defs:     make(map[rules.AudienceKey]rules.Versioned, len(defs)),
		users:    make(map[rules.AudienceKey][]rules.AudienceKey),
		from:     make(map[rules.Condition]uint64),
		identity: make(map[rules.Condition]string),
		origin:   make(map[string]uint64),
		read:     make(map[string]uint64),
		asked:    make(map[string]bool),
	}
	for _, d := range defs {
		f.defs[d.Audience] = d
		walk(d.When, func(c rules.Condition) { f.adopt(c, previous) })
	}
	f.order = evaluationOrder(f.defs)
	for key, d := range f.defs {
		for _, other := range references(d.When) {
			f.users[other] = append(f.users[other], key)
		}
	}
	return f
}

// adopt gives a condition the start that its meaning had, or now.
func (f *inForce) adopt(c rules.Condition, previous *inForce) {
	id := meaning(c)
	start := f.seq
	if previous != nil {
		if kept, known := previous.origin[id]; known {
			start = kept
		}
	}
	f.identity[c], f.origin[id], f.from[c] = id, start, start
	switch c := c.(type) {
	case *rules.SessionProperty:
		f.asked[c.Path] = true
	case *rules.ContextProperty:
		f.read[c.Path] = f.seq
		if previous == nil {
			break
		}
		if since, known := previous.read[c.Path]; known {
			f.read[c.Path] = since
		}
	}
}

// active reports whether an audience is evaluated.
func (f *inForce) active(key rules.AudienceKey) bool {
	d, known := f.defs[key]
	return known && d.Status != rules.Paused
}

// walk visits a condition and all below it.
func walk(c rules.Condition, visit func(rules.Condition)) {
	visit(c)
	for _, member := range membersOf(c) {
		walk(member, visit)
	}
}

func membersOf(c rules.Condition) []rules.Condition {
	switch c := c.(type) {
	case *rules.Group:
		return c.Of
	case *rules.AtLeast:
		return c.Of
	case *rules.Not:
		return []rules.Condition{c.Of}
	case *rules.Held:
		return []rules.Condition{c.Of}
	}
	return nil
}

// references lists the audiences that a condition refers to.
func references(c rules.Condition) []rules.AudienceKey {
	var out []rules.AudienceKey
	walk(c, func(c rules.Condition) {
		if m, is := c.(*rules.Membership); is {
			out = append(out, m.Audience)
		}
	})
	return out
}

// evaluationOrder is repeatedly the smallest key whose references have all
// been evaluated.
func evaluationOrder(defs map[rules.AudienceKey]rules.Versioned) []rules.AudienceKey {
	var waiting, order []rules.AudienceKey
	for key := range defs {
		waiting = append(waiting, key)
	}
	slices.Sort(waiting)
	for len(waiting) > 0 {
		i := slices.IndexFunc(waiting, func(key rules.AudienceKey) bool {
			return !slices.ContainsFunc(references(defs[key].When), func(other rules.AudienceKey) bool {
				return slices.Contains(waiting, other)
			})
		})
		if i < 0 {
			panic("audit: audiences refer to each other in a circle")
		}
		order = append(order, waiting[i])
		waiting = slices.Delete(waiting, i, i+1)
	}
	return order
}
