package rules

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestSumsAreExact compares with big.Float, which adds exactly at this
// precision and rounds once.
func TestSumsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.OneOf(
			rapid.Float64Range(-1e6, 1e6),
			rapid.SampledFrom([]float64{0.1, -0.1, 1e16, -1e16, 1, 1e-300, -1e-300, 1e100, -1e100, 0.5, math.SmallestNonzeroFloat64}),
		)
		var partials []float64
		want := new(big.Float).SetPrec(3000)
		for _, x := range rapid.SliceOfN(number, 0, 50).Draw(t, "numbers") {
			partials = addExact(partials, x)
			want.Add(want, new(big.Float).SetFloat64(x))
		}
		rounded, _ := want.Float64()
		if got := roundExact(partials); got != rounded {
			t.Fatalf("got %v, want %v", got, rounded)
		}
	})
}

// plainAggregate is the aggregate of what is in the window at now, from the
// whole history.
func plainAggregate(kind AggregateKind, all []occurrence, last, now int64) value {
	var in []occurrence
	for _, o := range all {
		if o.at > now-last && o.at <= now {
			in = append(in, o)
		}
	}
	slices.SortStableFunc(in, func(a, b occurrence) int { return int(a.at - b.at) })
	l := &aggregateLeaf{kind: kind}
	if kind == Distinct {
		seen := map[uint64]bool{}
		for _, o := range in {
			seen[o.bits] = true
		}
		return valueOf(len(seen))
	}
	return l.of(NewEvaluator(), in)
}

// TestWindowedAggregatesKeepEnough feeds occurrences in any order and
// compares, at every instant, with the aggregate of the whole history.
func TestWindowedAggregatesKeepEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]AggregateKind{Sum, Avg, Min, Max, Distinct, First, Last}).Draw(t, "kind")
		op := Operator{Op: rapid.SampledFrom([]Op{OpGte, OpLt, OpEq}).Draw(t, "op"), Operand: float64(rapid.IntRange(0, 4).Draw(t, "operand"))}
		p, err := preparePredicate(&op, caseExact)
		if err != nil {
			t.Fatal(err)
		}
		const last = 20
		l := newAggregateLeaf(&Aggregate{Kind: kind, Within: Window{Last: last}}, &pathNode{}, comparison{p})
		e := NewEvaluator()
		e.state, e.set, e.values = &State{}, &RuleSet{conds: make([]condition, 1)}, make([]*value, 1)
		var all []occurrence
		for now := int64(100); now < 200; now++ {
			e.At(now)
			e.set.conds[0].leaf = l
			e.expireAggregates()
			if rapid.IntRange(0, 3).Draw(t, "feed") == 0 {
				e.occurred = now - rapid.SampledFrom([]int64{0, 0, 1, 5, 19, 20}).Draw(t, "late")
				v := valueOf(float64(rapid.IntRange(0, 3).Draw(t, "value")))
				e.values[0] = &v
				l.feed(e, 0)
				all = append(all, occurrence{at: e.occurred, bits: math.Float64bits(v.number), any: v.plain()})
			}
			want := plainAggregate(kind, all, last, now)
			if got, want := l.holds(e, 0), l.compare.holds(&want, now); got != want {
				t.Fatalf("%s at %d: got %v, want %v", kind, now, got, want)
			}
		}
	})
}
