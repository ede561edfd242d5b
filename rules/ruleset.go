package rules

import (
	"cmp"
	"slices"
)

// EvaluationVersion is part of every revision, so that two builds which
// decide differently never evaluate one position differently.
const EvaluationVersion = 1

// Versioned is a definition with the version under which it was stored.
type Versioned struct {
	*Definition
	Version uint64
}

// RuleSet is one revision of all audiences in compiled form. It is immutable
// and safe for concurrent use.
//
// It holds every distinct leaf condition once. An event finds the conditions
// it feeds by call, name and the value of a property that must equal
// something; a condition knows what is decided anew when its truth flips. So
// the cost of an event grows with what it matches, not with the number of
// audiences.
type RuleSet struct {
	revision uint64
	keys     []AudienceKey
	defs     map[AudienceKey]Versioned

	conds          []condition // by id
	decisions      []decision  // in the order of evaluation
	decisionByName map[string]decisionIndex
	first          []decisionIndex // decided at a key's first message

	paths   *pathSet
	events  *eventIndex
	traits  *traitIndex
	session *sessionIndex
	context []contextPath // by path
}

// Revision returns the revision the set was compiled as.
func (rs *RuleSet) Revision() uint64 { return rs.revision }

// Audiences returns the keys of all audiences, sorted. The caller must not
// change the slice.
func (rs *RuleSet) Audiences() []AudienceKey { return rs.keys }

// Definition returns the definition of an audience.
func (rs *RuleSet) Definition(key AudienceKey) (*Definition, bool) {
	v, ok := rs.defs[key]
	return v.Definition, ok
}

// condition finds a condition by its id.
func (rs *RuleSet) condition(id uint64) (condIndex, bool) {
	i, ok := slices.BinarySearchFunc(rs.conds, id, func(c condition, id uint64) int { return cmp.Compare(c.id, id) })
	return condIndex(i), ok
}
