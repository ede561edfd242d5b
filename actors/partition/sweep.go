package partition

import (
	"cmp"
	"maps"
	"slices"

	"github.com/usher-audiences/usher/rules"
)

// change is a rule set put in force by the log since the checkpoint.
type change struct {
	revision uint64
	at       mark
	rules    *rules.RuleSet
	f        *flight
}

// sweep brings every key of the partition to a revision, also those that are
// not active: each has its snapshot loaded, stepped and saved. The rules
// message is not done before its sweep is.
type sweep struct {
	change  change
	scan    int // 0 until it is its turn
	scanned bool
	keys    []rules.UserKey // found and not yet asked for
	loading int             // asked for and not yet active
}

// rulesRead takes a rules message: reading stops until its rule set is there.
// A revision that is not newer is ignored (rule 12).
func (m *Machine) rulesRead(f *flight) {
	rev, err := DecodeRules(f.message.Payload)
	if err != nil {
		m.reject(f, err)
		return
	}
	if rev <= m.rules.Revision() && m.cfg.Without&RuleRevision == 0 {
		return
	}
	f.hold()
	m.blocked = f
	if set := m.ruleSets[rev]; set != nil {
		m.applyRules(set)
		return
	}
	m.readRuleSet(rev)
}

func (m *Machine) rulesWanted(f *flight) uint64 {
	rev, err := DecodeRules(f.message.Payload)
	if err != nil {
		panic("partition: a rules message that was decoded cannot be decoded")
	}
	return rev
}

// applyRules puts a rule set in force at the blocked message's position, for
// every key in hand now and for all others by a sweep, and reads on.
func (m *Machine) applyRules(set *rules.RuleSet) {
	f := m.blocked
	m.blocked = nil
	m.rules = set
	m.read.revision = set.Revision()
	f.at.revision = set.Revision()
	c := change{revision: set.Revision(), at: f.at, rules: set, f: f}
	m.changes = append(m.changes, c)
	in := rules.Input{Kind: rules.RulesInput, At: f.at.logTime, Seq: f.at.seq, Rules: set}
	for _, e := range m.entries() {
		m.deliver(e.key, in, f)
	}
	f.hold()
	m.sweeps = append(m.sweeps, &sweep{change: c})
	m.release(f)
	m.readBacklog()
}

// readBacklog takes the messages that came while reading was blocked.
func (m *Machine) readBacklog() {
	backlog := m.backlog
	m.backlog = nil
	for i, msg := range backlog {
		if m.blocked != nil {
			m.backlog = append(m.backlog, backlog[i:]...)
			return
		}
		m.onMessage(msg)
	}
}

// entries returns all entries in the order of their keys.
func (m *Machine) entries() []*entry {
	return slices.SortedFunc(maps.Values(m.keys), func(a, b *entry) int { return cmp.Compare(a.key, b.key) })
}

// sweepHeads takes what the scan of the first sweep found.
func (m *Machine) sweepHeads(in SnapshotsScanned) {
	s := m.sweeps[0]
	for _, h := range in.Heads {
		if h.Revision < s.change.revision {
			s.keys = append(s.keys, h.Key)
		}
	}
	s.scanned = in.Done
}

// pumpSweep goes on with the first sweep, some keys at a time.
func (m *Machine) pumpSweep() {
	if len(m.sweeps) == 0 {
		return
	}
	s := m.sweeps[0]
	if s.scan == 0 {
		m.scans++
		s.scan = m.scans
		m.emit(ScanSnapshots{Scan: s.scan})
	}
	for len(s.keys) > 0 && m.loading < m.cfg.LoadsMax && m.evicting < m.cfg.SavesMax {
		if e := m.entry(s.keys[0]); e.phase == loading && !e.swept {
			e.swept = true
			s.loading++
		}
		s.keys = s.keys[1:]
	}
	if s.scanned && len(s.keys) == 0 && s.loading == 0 {
		m.sweeps = m.sweeps[1:]
		m.release(s.change.f)
	}
}

// appendRules appends the next revision that the definitions have and the log
// lacks (rule 12).
func (m *Machine) appendRules() {
	if m.phase != running || !m.caught || m.appending || m.blocked != nil {
		return
	}
	m.appended = max(m.appended, m.rules.Revision())
	if m.appended < m.head {
		m.appending = true
		m.emit(AppendRules{Revision: m.appended + 1})
	}
}

func (m *Machine) onRulesAppended(in RulesAppended) {
	m.appending = false
	if in.Outcome == Stored {
		m.appended = max(m.appended, in.Revision)
	}
}
