package actors

import (
	"slices"
	"sync"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/rules"
)

// ruleSetsMax bounds the rule sets kept. Partitions need the newest and,
// after a start, the few that their checkpoints name.
const ruleSetsMax = 8

// ruleSets reads each revision once for all partitions of the node: a rule
// set is large, immutable and safe to share.
type ruleSets struct {
	definitions Definitions

	mu      sync.Mutex
	kept    []*rules.RuleSet // least recently used first
	waiting map[uint64][]func(partition.RuleSetRead)
}

func newRuleSets(d Definitions) *ruleSets {
	return &ruleSets{definitions: d, waiting: make(map[uint64][]func(partition.RuleSetRead))}
}

// read gives a revision to done, now or when it has been read.
func (s *ruleSets) read(r partition.ReadRuleSet, done func(partition.RuleSetRead)) {
	s.mu.Lock()
	if i := slices.IndexFunc(s.kept, func(rs *rules.RuleSet) bool { return rs.Revision() == r.Revision }); i >= 0 {
		set := s.kept[i]
		s.kept = append(slices.Delete(s.kept, i, i+1), set)
		s.mu.Unlock()
		done(partition.RuleSetRead{Rules: set})
		return
	}
	asked := s.waiting[r.Revision]
	s.waiting[r.Revision] = append(asked, done)
	s.mu.Unlock()
	if asked == nil {
		s.definitions.ReadRuleSet(r, s.came)
	}
}

func (s *ruleSets) came(in partition.RuleSetRead) {
	s.mu.Lock()
	if s.kept = append(s.kept, in.Rules); len(s.kept) > ruleSetsMax {
		s.kept = slices.Delete(s.kept, 0, 1)
	}
	waiting := s.waiting[in.Rules.Revision()]
	delete(s.waiting, in.Rules.Revision())
	s.mu.Unlock()
	for _, done := range waiting {
		done(in)
	}
}
