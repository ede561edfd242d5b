package rules

func (s *State) writeSequences(w *SnapshotWriter, rs *RuleSet) {
	w.List(len(s.sequences))
	for i := range s.sequences {
		rec := &s.sequences[i]
		w.List(5)
		w.Uint(rs.conds[rec.cond].id)
		w.Bool(rec.satisfied)
		w.Bool(rec.lost)
		w.Int(rec.until)
		w.List(len(rec.partials))
		for _, p := range rec.partials {
			w.List(4)
			w.Int(int64(p.step))
			w.Int(p.first)
			w.Int(p.prev)
			w.Plain(p.captured)
		}
	}
}

// readSequences reads the records; when they are due next follows from them,
// at the applied instant.
func (s *State) readSequences(r *SnapshotReader, rs *RuleSet) {
	n := r.List()
	for last := -1; len(s.sequences) < n; {
		r.Fields(5)
		rec := sequenceRecord{cond: readCondition(r, rs, last)}
		rec.satisfied, rec.lost, rec.until = r.Bool(), r.Bool(), r.Int()
		if r.err != nil {
			return
		}
		l, ok := rs.conds[rec.cond].leaf.(*sequenceLeaf)
		if !ok {
			r.Fail("a sequence for another kind of condition")
			return
		}
		for range r.List() {
			p := readPartial(r, l)
			if r.err != nil {
				return
			}
			rec.partials = append(rec.partials, p)
		}
		rec.next = l.wake(&rec, 0)
		last = int(rec.cond)
		s.sequences = append(s.sequences, rec)
	}
}

func readPartial(r *SnapshotReader, l *sequenceLeaf) partial {
	r.Fields(4)
	p := partial{step: int32(r.Count(int64(len(l.steps)))), due: Never}
	p.first, p.prev = r.Count(timestampMax), r.Count(timestampMax)
	if captured, _ := r.Plain(depthMax).([]any); len(captured) > 0 {
		p.captured = captured
	}
	want := 0
	for _, c := range l.captures {
		if c.step < int(p.step) {
			want++
		}
	}
	waits := int(p.step) == len(l.steps)
	if len(p.captured) != want || p.step == 0 || waits && l.absence == nil {
		r.Fail("a match that is none of this sequence")
		return p
	}
	if waits {
		p.due = p.prev + l.absence.after
	}
	return p
}
