package audit

import (
	"strings"

	"github.com/usher-audiences/usher/rules"
)

// matches says whether an event is one that a condition counts.
func matches(e *occurrence, m *rules.Match) bool {
	if e.call != m.Call || !named(e.name, m.Names) {
		return false
	}
	for i := range m.Where {
		if !holds(field(e, m.Where[i].Path), &m.Where[i], e.at) {
			return false
		}
	}
	return m.CEL == "" || e.says(m.CEL)
}

func named(name string, names []string) bool {
	if len(names) == 0 {
		return true
	}
	for _, n := range names {
		if n == name || n == "*" {
			return true
		}
	}
	return false
}

// field is the value at a path of where.
func field(e *occurrence, path string) any {
	if rest, isContext := strings.CutPrefix(path, "context."); isContext {
		return at(e.context, rest)
	}
	if rest, isTraits := strings.CutPrefix(path, "traits."); isTraits {
		return at(e.traits, rest)
	}
	return at(e.properties, path)
}

// counted returns the events that a condition counts at now, by log order.
func (k *keyAudit) counted(m *rules.Match, within rules.Window, since *rules.Match, from uint64, now int64) []*occurrence {
	var latest uint64
	if since != nil {
		for _, e := range k.matching(since, from) {
			latest = e.seq
		}
	}
	var out []*occurrence
	for _, e := range k.matching(m, from) {
		if e.seq > latest && k.inWindow(e, within, now) {
			out = append(out, e)
		}
	}
	return out
}

// matching returns the events after a sequence that a match selects.
func (k *keyAudit) matching(m *rules.Match, from uint64) []*occurrence {
	known, ok := k.matched[m]
	if !ok {
		known = &selection{}
		k.matched[m] = known
	}
	for ; known.read < len(k.events); known.read++ {
		if e := k.events[known.read]; matches(e, m) {
			known.events = append(known.events, e)
		}
	}
	for i, e := range known.events {
		if e.seq > from {
			return known.events[i:]
		}
	}
	return nil
}

// selection is what a match selected of the first so many events. Whether an
// event matches does not change, so it is asked once.
type selection struct {
	read   int
	events []*occurrence
}

func (k *keyAudit) inWindow(e *occurrence, w rules.Window, now int64) bool {
	if w.Lifetime {
		return true
	}
	if w.Session && (k.open == nil || e.session != k.open.number) {
		return false
	}
	return w.Last == 0 || now-int64(w.Last) < e.o && e.o <= now
}
