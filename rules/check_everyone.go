package rules

import "math"

// MayHoldWithNoData reports whether c could be true, at some time, for some
// key about which nothing is known: no event, no trait, no open session.
// everyone says which audiences have everyone: true; the others have no such
// member. A held condition counts as the one it holds.
//
// Each leaf is judged by itself, so a group may be said to be possible though
// its members exclude each other, as in all of two disjoint hours.
func MayHoldWithNoData(c Condition, everyone func(AudienceKey) bool) bool {
	return blankForm{everyone}.truth(c).mayHold
}

// blankTruth is what a condition can be for a key with no data.
type blankTruth struct{ mayHold, mayFail bool }

// blankAlways returns the truth of a condition that time and key leave as is.
func blankAlways(holds bool) blankTruth { return blankTruth{holds, !holds} }

// blankForm judges conditions for keys with no data.
type blankForm struct{ everyone func(AudienceKey) bool }

func (f blankForm) truth(c Condition) blankTruth {
	switch c := c.(type) {
	case *Group:
		return f.group(c)
	case *Not:
		of := f.truth(c.Of)
		return blankTruth{of.mayFail, of.mayHold}
	case *AtLeast:
		return f.atLeast(c.Of, c.N)
	case *Held:
		return f.truth(c.Of)
	case *Count:
		return blankAlways(blankNumber(0, c.Count))
	case *Aggregate:
		if c.Kind == Sum || c.Kind == Distinct {
			return blankAlways(blankNumber(0, c.Operators))
		}
		return blankAlways(blankMissing(c.Operators))
	case *Trait:
		return blankAlways(blankMissing(c.Operators))
	case *ContextProperty:
		return blankAlways(blankMissing(c.Operators))
	case *Membership:
		return f.membership(c)
	case *TimeOfDay:
		hours := blankHours(c.Hour)
		return blankTruth{hours > 0, hours < hoursPerDay || len(c.Weekdays) > 0 && len(c.Weekdays) < len(weekdays())}
	case *Bucket:
		share := math.Round(c.Percent * 100)
		return blankTruth{share > 0, share < bucketShares}
	}
	// A sequence needs an event, and with no open session every comparison
	// of a session property is false.
	return blankAlways(false)
}

const (
	hoursPerDay  = 24
	bucketShares = 10_000
)

// group judges all as every member, any as one of them, none as the opposite
// of any.
func (f blankForm) group(c *Group) blankTruth {
	if c.Kind == All {
		return f.atLeast(c.Of, len(c.Of))
	}
	some := f.atLeast(c.Of, 1)
	if c.Kind == None {
		return blankTruth{some.mayFail, some.mayHold}
	}
	return some
}

// atLeast judges whether n of the members can hold, and whether so many can
// fail that n do not.
func (f blankForm) atLeast(of []Condition, n int) blankTruth {
	mayHold, mayFail := 0, 0
	for _, c := range of {
		t := f.truth(c)
		if t.mayHold {
			mayHold++
		}
		if t.mayFail {
			mayFail++
		}
	}
	return blankTruth{mayHold >= n, mayFail > len(of)-n}
}

// membership judges a reference: with no data only an audience of everyone
// has members, and not at every time.
func (f blankForm) membership(c *Membership) blankTruth {
	member := blankTruth{f.everyone(c.Audience), true}
	if c.NotMember {
		return blankTruth{member.mayFail, member.mayHold}
	}
	return member
}

// blankMissing reports whether operators hold of a missing value.
func blankMissing(operators []Operator) bool {
	for _, o := range operators {
		if o.Op != OpExists || o.Operand != false {
			return false
		}
	}
	return true
}

// blankNumber reports whether operators on numbers hold of n.
func blankNumber(n float64, operators []Operator) bool {
	for _, o := range operators {
		if !blankCompares(n, o) {
			return false
		}
	}
	return true
}

// blankCompares reports whether one operator holds of n. It is written out
// here, apart from the evaluator's operators, because it needs only numbers.
func blankCompares(n float64, o Operator) bool {
	operand, _ := o.Operand.(float64)
	list, _ := o.Operand.([]any)
	switch o.Op {
	case OpEq:
		return n == operand
	case OpNeq:
		return n != operand
	case OpGt:
		return n > operand
	case OpGte:
		return n >= operand
	case OpLt:
		return n < operand
	case OpLte:
		return n <= operand
	case OpBetween:
		return n >= list[0].(float64) && n <= list[1].(float64)
	case OpIn, OpNotIn:
		found := false
		for _, item := range list {
			found = found || item == n
		}
		return found == (o.Op == OpIn)
	case OpExists:
		return o.Operand == true
	}
	return false
}

// blankHours returns at how many hours of a day the operators hold.
func blankHours(operators []Operator) int {
	hours := 0
	for h := range hoursPerDay {
		if blankNumber(float64(h), operators) {
			hours++
		}
	}
	return hours
}
