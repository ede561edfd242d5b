package rules

// Inspection is what a person may see of a state.
type Inspection struct {
	Memberships []InspectedMembership
	Conditions  []InspectedCondition
}

// InspectedMembership is one audience the key is a member of.
type InspectedMembership struct {
	Audience AudienceKey
	Since    int64
	Shadow   bool
}

// InspectedCondition is one condition that has counted something, or that an
// audience of the key needs.
type InspectedCondition struct {
	Reason
	Changes int64 // when time alone may change it next
}

// Inspect reports memberships and conditions as they were last decided, at
// now.
func Inspect(st *State, key UserKey, rs *RuleSet, idle Millis, now int64) Inspection {
	e := NewEvaluator()
	e.Begin(st, key, rs, idle)
	e.At(now)
	var out Inspection
	shown := make([]bool, len(rs.conds))
	show := func(c condIndex) {
		if !shown[c] {
			shown[c] = true
			out.Conditions = append(out.Conditions, InspectedCondition{e.reason(c), rs.conds[c].leaf.changes(e, c)})
		}
	}
	for i := range st.members {
		rec := &st.members[i]
		dec := &rs.decisions[rec.decision]
		if dec.audience.Definition != nil && rec.member {
			out.Memberships = append(out.Memberships, InspectedMembership{
				dec.audience.Audience, rec.since, dec.audience.Status == Shadow})
		}
		dec.root.leaves(show)
	}
	for i := range st.counts {
		show(st.counts[i].cond)
	}
	for i := range st.windows {
		show(st.windows[i].cond)
	}
	return out
}
