package audit

import (
	"math/big"

	"github.com/usher-audiences/usher/rules"
)

// aggregate computes sum, avg, min, max, distinct, first or last of a
// property over the occurrences that count now.
func (k *keyAudit) aggregate(c *rules.Aggregate, now int64) bool {
	events := k.counted(&c.Match, c.Within, c.Since, k.force.from[c], now)
	return holds(aggregateOf(c, events), &rules.Comparison{Operators: c.Operators, IgnoreCase: c.IgnoreCase}, now)
}

func aggregateOf(c *rules.Aggregate, events []*occurrence) any {
	switch c.Kind {
	case rules.First, rules.Last:
		return edge(c, events)
	case rules.Distinct:
		return float64(distinct(c, events))
	}
	var values []float64
	for _, e := range events {
		if n, isNumber := number(field(e, c.Property)); isNumber {
			values = append(values, n)
		}
	}
	if c.Kind == rules.Sum {
		return exactSum(values, 1)
	}
	if len(values) == 0 {
		return missing
	}
	switch c.Kind {
	case rules.Avg:
		return exactSum(values, len(values))
	case rules.Min:
		least := values[0]
		for _, v := range values {
			least = min(least, v)
		}
		return least
	default:
		most := values[0]
		for _, v := range values {
			most = max(most, v)
		}
		return most
	}
}

// exactSum adds exactly, divides and rounds once.
func exactSum(values []float64, by int) float64 {
	sum := new(big.Rat)
	for _, v := range values {
		sum.Add(sum, new(big.Rat).SetFloat64(v))
	}
	out, _ := sum.Quo(sum, new(big.Rat).SetInt64(int64(by))).Float64()
	return out
}

// edge is the property of the first or last occurrence that has it, by
// (o, log order).
func edge(c *rules.Aggregate, events []*occurrence) any {
	var found *occurrence
	for _, e := range events {
		if field(e, c.Property) == nil {
			continue
		}
		if found == nil || c.Kind == rules.First && e.o < found.o || c.Kind == rules.Last && e.o >= found.o {
			found = e
		}
	}
	if found == nil {
		return missing
	}
	return field(found, c.Property)
}

func distinct(c *rules.Aggregate, events []*occurrence) int {
	var known []any
	for _, e := range events {
		v := field(e, c.Property)
		if v != nil && !among(v, known, false) {
			known = append(known, v)
		}
	}
	return len(known)
}
