package rules

import (
	"fmt"
	"math"
	"strconv"
)

// Explanation says why a key is, or is not, a member of an audience. Instants
// are Unix milliseconds, null for one that does not come.
type Explanation struct {
	Audience AudienceKey `json:"audience"`
	Version  uint64      `json:"version"`
	Status   string      `json:"status"` // active, paused or shadow
	At       int64       `json:"at"`     // the instant that is explained
	Member   bool        `json:"member"`
	Since    *int64      `json:"since"` // of a member
	// Changes is a lower bound of when time alone changes the membership.
	Changes *int64    `json:"changes"`
	When    Explained `json:"when"`
	// Gates are what the lifecycle sets between the truth of when and the
	// membership at the moment.
	Gates []Gate `json:"gates"`
}

// Explained is one condition: what was observed against what it needs.
type Explained struct {
	Condition string `json:"condition"`
	// Group is how the members of Of are joined: all, any, none, not,
	// at_least or held; empty for a condition without members.
	Group    string `json:"group,omitempty"`
	Observed any    `json:"observed"` // of a group: how many members are true
	Needs    string `json:"needs"`
	True     bool   `json:"true"`
	Inexact  bool   `json:"inexact,omitempty"`
	// Missing says what would make it true, if that is a number.
	Missing string `json:"missing,omitempty"`
	// Occurred lists when the events that count occurred, as far as they are
	// kept; Fades is when the oldest of them ceases to count.
	Occurred []int64 `json:"occurred,omitempty"`
	Fades    *int64  `json:"fades,omitempty"`
	// Changes is a lower bound of when time alone changes the truth.
	Changes *int64      `json:"changes"`
	Of      []Explained `json:"of,omitempty"`
}

// Gate is one rule of the lifecycle that is at work.
type Gate struct {
	Rule  string `json:"rule"` // its key in the definition
	Text  string `json:"text"`
	Until *int64 `json:"until"` // when it gives way by time alone
}

// Explain explains an audience for a key's state as of now, which is not
// before the last applied input nor at or after the state's next deadline. It
// changes nothing. It returns false if the rule set does not have the
// audience.
func Explain(st *State, key UserKey, rs *RuleSet, idle Millis, now int64, audience AudienceKey) (Explanation, bool) {
	v, ok := rs.defs[audience]
	if !ok {
		return Explanation{}, false
	}
	e := NewEvaluator()
	e.Begin(st, key, rs, idle)
	e.At(now)
	d := rs.decisionByName[string(audience)]
	rec := e.record(d)
	out := Explanation{
		Audience: audience, Version: v.Version, Status: [...]string{"active", "paused", "shadow"}[v.Status], At: now,
		Member: rec.member, Changes: explainedAt(e.membershipChanges(d)), When: e.explain(v.When),
	}
	if rec.member {
		out.Since = explainedAt(rec.since)
	}
	out.Gates = e.gates(&rs.decisions[d], d, rec)
	return out, true
}

func explainedAt(at int64) *int64 {
	if at == Never {
		return nil
	}
	return &at
}

// explain explains one condition.
func (e *Evaluator) explain(c Condition) Explained {
	switch c := c.(type) {
	case *Group:
		switch c.Kind {
		case All:
			return e.explainGroup("all", c.Of, len(c.Of))
		case Any:
			return e.explainGroup("any", c.Of, 1)
		}
		x := e.explainGroup("none", c.Of, 1)
		x.True, x.Needs = !x.True, "none"
		return x
	case *AtLeast:
		return e.explainGroup("at_least", c.Of, c.N)
	case *Not:
		return e.explainNot(c.Of)
	case *Membership:
		if c.NotMember {
			member := *c
			member.NotMember = false
			return e.explainNot(&member)
		}
	case *Held:
		x := e.explainLeaf(c)
		x.Group, x.Of = "held", []Explained{e.explain(c.Of)}
		return x
	}
	return e.explainLeaf(c)
}

func (e *Evaluator) explainNot(of Condition) Explained {
	x := e.explainGroup("not", []Condition{of}, 1)
	x.True, x.Needs = !x.True, "false"
	return x
}

// explainGroup explains a group that is true with need true members. It
// changes by time when the last of those whose turning decides has turned.
func (e *Evaluator) explainGroup(kind string, of []Condition, need int) Explained {
	x := Explained{Condition: kind, Group: kind, Needs: fmt.Sprintf("%d of %d", need, len(of))}
	var whenTrue, whenFalse []int64
	for _, c := range of {
		kid := e.explain(c)
		at := Never
		if kid.Changes != nil {
			at = *kid.Changes
		}
		if kid.True {
			whenTrue = append(whenTrue, at)
		} else {
			whenFalse = append(whenFalse, at)
		}
		x.Of = append(x.Of, kid)
	}
	k := len(whenTrue)
	x.Observed, x.True = k, k >= need
	if x.True {
		x.Changes = explainedAt(nth(whenTrue, k-need+1))
	} else {
		x.Changes = explainedAt(nth(whenFalse, need-k))
	}
	return x
}

// occurringLeaf is a leaf that keeps when the events that count occurred.
type occurringLeaf interface {
	leaf
	// occurred returns when, oldest first, and for how long each counts; 0 is
	// without a bound of its own.
	occurred(e *Evaluator, c condIndex) (at []int64, counts int64)
}

func (e *Evaluator) explainLeaf(c Condition) Explained {
	i, ok := e.set.condition(textID(CanonicalCondition(c)))
	if !ok {
		panic("rules: a condition of the definition is not in the rule set: " + CanonicalCondition(c))
	}
	r := e.reason(i)
	l := e.set.conds[i].leaf
	x := Explained{
		Condition: r.Condition, Observed: r.Observed, Needs: r.Needs, True: r.True, Inexact: r.Inexact,
		Changes: explainedAt(l.changes(e, i)),
	}
	if !x.True {
		x.Missing = missing(c, x.Observed)
	}
	if l, ok := l.(occurringLeaf); ok {
		at, counts := l.occurred(e, i)
		x.Occurred = at
		if len(at) > 0 && counts > 0 {
			x.Fades = explainedAt(at[0] + counts)
		}
	}
	return x
}

func (l *windowLeaf) occurred(e *Evaluator, c condIndex) ([]int64, int64) {
	times, _ := l.live(e, c)
	return append([]int64(nil), times...), l.last
}

func (l *aggregateLeaf) occurred(e *Evaluator, c condIndex) ([]int64, int64) {
	i, ok := l.search(e.state, c)
	if !ok {
		return nil, l.last
	}
	var at []int64
	for _, o := range l.live(&e.state.aggregates[i], e.now) {
		at = append(at, o.at)
	}
	return at, l.last
}

// missing says by how much a number falls short of, or exceeds, what a
// condition needs.
func missing(c Condition, observed any) string {
	var ops []Operator
	step := 0.0 // how far apart two counts are; 0 for numbers that are no counts
	switch c := c.(type) {
	case *Count:
		ops, step = c.Count, 1
	case *Aggregate:
		if ops = c.Operators; c.Kind == Distinct {
			step = 1
		}
	case *SessionProperty:
		ops, step = c.Operators, 1
	}
	n, ok := observed.(float64)
	if i, whole := observed.(int); whole {
		n, ok = float64(i), true
	}
	if !ok {
		return ""
	}
	for _, o := range ops {
		if text := shortfall(n, o, step); text != "" {
			return text
		}
	}
	return ""
}

func shortfall(n float64, o Operator, step float64) string {
	bound, ok := o.Operand.(float64)
	if list, between := o.Operand.([]any); between && o.Op == OpBetween {
		if bound, ok = list[0].(float64); ok && n >= bound {
			bound, ok = list[1].(float64)
		}
	}
	if !ok {
		return ""
	}
	number := func(x float64) string { return strconv.FormatFloat(math.Abs(x), 'f', -1, 64) }
	switch {
	case o.Op == OpGt && n <= bound && step > 0:
		return number(math.Floor(bound)+step-n) + " more"
	case o.Op == OpGt && n <= bound:
		return "over " + number(bound-n) + " more"
	case o.Op == OpGte && n < bound && step > 0:
		return number(math.Ceil(bound)-n) + " more"
	case (o.Op == OpGte || o.Op == OpEq || o.Op == OpBetween) && n < bound:
		return number(bound-n) + " more"
	case (o.Op == OpLte || o.Op == OpEq || o.Op == OpBetween) && n > bound:
		return number(n-bound) + " too many"
	case o.Op == OpLt && n >= bound && step > 0:
		return number(n-math.Ceil(bound)+step) + " too many"
	}
	return ""
}
