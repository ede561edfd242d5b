package rules

import "math"

func (s *State) writeAggregates(w *SnapshotWriter, rs *RuleSet) {
	w.List(len(s.aggregates))
	for i := range s.aggregates {
		rec := &s.aggregates[i]
		w.List(5)
		w.Uint(rs.conds[rec.cond].id)
		w.Uint(uint64(rec.n))
		w.Bool(rec.lost)
		w.List(len(rec.partials))
		for _, x := range rec.partials {
			w.Uint(math.Float64bits(x))
		}
		w.List(len(rec.items))
		for _, o := range rec.items {
			w.List(3)
			w.Int(o.at)
			w.Uint(o.bits)
			w.Plain(o.any)
		}
	}
}

func (s *State) readAggregates(r *SnapshotReader, rs *RuleSet) {
	n := r.List()
	for last := -1; len(s.aggregates) < n; {
		r.Fields(5)
		rec := aggregateRecord{cond: readCondition(r, rs, last)}
		rec.n = uint32(r.Count(math.MaxUint32))
		rec.lost, rec.next = r.Bool(), Never
		if r.err != nil {
			return
		}
		l, ok := rs.conds[rec.cond].leaf.(*aggregateLeaf)
		if !ok {
			r.Fail("an aggregate for another kind of condition")
			return
		}
		for range r.List() {
			x := math.Float64frombits(r.Uint())
			if math.IsNaN(x) {
				r.Fail("a sum that is no number")
			}
			rec.partials = append(rec.partials, x)
		}
		rec.readItems(r, l)
		if r.err != nil {
			return
		}
		last = int(rec.cond)
		s.aggregates = append(s.aggregates, rec)
	}
}

func (rec *aggregateRecord) readItems(r *SnapshotReader, l *aggregateLeaf) {
	n := r.List()
	if n > l.keep {
		r.Fail("%d occurrences, at most %d", n, l.keep)
		return
	}
	for i := range n {
		r.Fields(3)
		o := occurrence{at: r.Count(timestampMax), bits: r.Uint(), any: r.Plain(depthMax)}
		if i > 0 && rec.items[i-1].at > o.at || l.kind != Distinct && math.IsNaN(o.number()) {
			r.Fail("occurrences out of order, or no numbers")
		}
		if r.err != nil {
			return
		}
		rec.items = append(rec.items, o)
	}
	if l.last > 0 {
		rec.next = l.nextFlip(NewEvaluator(), rec.items)
	}
}
