package rules

// membershipLeaf is membership of another audience, after its lifecycle. What
// it needs is the other audience's record.
type membershipLeaf struct {
	audience AudienceKey
	decision decisionIndex
}

func (l *membershipLeaf) holds(e *Evaluator, _ condIndex) bool {
	return e.isMember(l.decision)
}

func (l *membershipLeaf) changes(e *Evaluator, _ condIndex) int64 {
	return e.membershipChanges(l.decision)
}

func (l *membershipLeaf) observed(e *Evaluator, c condIndex) observation {
	if l.holds(e, c) {
		return observation{value: "member"}
	}
	return observation{value: "not_member"}
}

// heldLeaf is a condition that has been true without a break. It is decided
// like an audience, before those that refer to it; its record holds since
// when the inner condition has been true, in log time.
type heldLeaf struct {
	decision decisionIndex
}

func (l *heldLeaf) holds(e *Evaluator, _ condIndex) bool {
	return e.isMember(l.decision)
}

func (l *heldLeaf) changes(e *Evaluator, _ condIndex) int64 {
	return e.membershipChanges(l.decision)
}

func (l *heldLeaf) observed(e *Evaluator, _ condIndex) observation {
	if i, ok := searchMember(e.state.members, l.decision); ok && e.state.members[i].raw {
		return observation{value: Millis(e.now - e.state.members[i].since).String()}
	}
	return observation{value: Millis(0).String()}
}
