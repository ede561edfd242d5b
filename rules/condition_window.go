package rules

import "slices"

// windowLeaf counts occurrences younger than a duration.
//
// It keeps their times, ascending, and of those only the youngest that can
// matter: as many as the count from which on its comparison is settled (N for
// gte N), at most occurrencesMax. The count is the number of kept times
// younger than the window. This is exact whatever order occurrences come in:
// those younger than the window are always the youngest ones, so the truth
// depends on no others, and it next changes when one of the kept ones has
// left the window. Memory is 8 bytes per kept time and 16 per key; a feed
// costs a search and a move of what it keeps.
type windowLeaf struct {
	threshold
	last    int64 // the window's length in milliseconds
	session bool  // only of the open session
	keep    int
}

func newWindowLeaf(t threshold, w Window) *windowLeaf {
	return &windowLeaf{
		threshold: t,
		last:      int64(w.Last),
		session:   w.Session,
		keep:      min(max(t.settled, 1), occurrencesMax),
	}
}

// live returns the kept times that are younger than the window, and the
// record.
func (l *windowLeaf) live(e *Evaluator, c condIndex) ([]int64, windowRecord) {
	i, offset, ok := e.state.searchWindow(c)
	if !ok {
		return nil, windowRecord{}
	}
	rec := e.state.windows[i]
	times := e.state.times[offset : offset+int(rec.n)]
	return times[l.expired(times, e.now):], rec
}

// expired returns how many of the times have left the window.
func (l *windowLeaf) expired(times []int64, now int64) int {
	for i, o := range times {
		if o > now-l.last {
			return i
		}
	}
	return len(times)
}

func (l *windowLeaf) holds(e *Evaluator, c condIndex) bool {
	times, _ := l.live(e, c)
	return l.threshold.holds(len(times))
}

func (l *windowLeaf) changes(e *Evaluator, c condIndex) int64 {
	times, _ := l.live(e, c)
	next := l.nextFlip(times)
	if l.session && l.threshold.holds(len(times)) != l.threshold.holds(0) {
		next = min(next, e.sessionEnd())
	}
	return next
}

// nextFlip returns when the first of the live times whose leaving changes the
// truth leaves.
func (l *windowLeaf) nextFlip(times []int64) int64 {
	n := len(times)
	now := l.threshold.holds(n)
	for i, o := range times {
		together := i+1 < n && times[i+1] == o
		if !together && l.threshold.holds(n-i-1) != now {
			return o + l.last
		}
	}
	return Never
}

func (l *windowLeaf) observed(e *Evaluator, c condIndex) observation {
	times, rec := l.live(e, c)
	if len(times) < l.keep {
		return observation{value: len(times)}
	}
	if rec.more {
		return observation{value: atLeast(len(times)), inexact: rec.lost}
	}
	return observation{value: len(times)}
}

func (l *windowLeaf) feed(e *Evaluator, c condIndex) {
	if l.session && !e.inSession || e.occurred <= e.now-l.last {
		return
	}
	i, offset, ok := e.state.searchWindow(c)
	if !ok {
		e.state.windows = slices.Insert(e.state.windows, i, windowRecord{cond: c, next: Never})
	}
	rec := &e.state.windows[i]
	times := e.state.times[offset : offset+int(rec.n)]
	expired := l.expired(times, e.now)
	before := l.threshold.holds(len(times) - expired)
	l.insert(e, rec, offset, expired)
	times = e.state.times[offset : offset+int(rec.n)]
	rec.next = l.nextFlip(times)
	if l.threshold.holds(len(times)) != before {
		e.flipped(c)
	}
}

// insert drops the expired times, keeps the event's in its place, and drops
// the oldest if that is one too many.
func (l *windowLeaf) insert(e *Evaluator, rec *windowRecord, offset, expired int) {
	times := e.state.times[offset : offset+int(rec.n)]
	at := len(times)
	for at > expired && times[at-1] > e.occurred {
		at--
	}
	drop := expired
	if len(times)-expired < l.keep {
		rec.more, rec.lost = false, false
	} else {
		rec.more, rec.lost = true, l.keep < l.settled
		if at == expired {
			// Older than all that are kept: the one to drop is itself.
			e.state.times = slices.Delete(e.state.times, offset, offset+drop)
			rec.n -= uint16(drop)
			return
		}
		drop++
	}
	if drop == 0 {
		e.state.times = slices.Insert(e.state.times, offset+at, e.occurred)
		rec.n++
		return
	}
	copy(times[drop-1:], times[drop:at])
	times[at-1] = e.occurred
	copy(times[:len(times)-drop+1], times[drop-1:])
	end := offset + len(times)
	e.state.times = slices.Delete(e.state.times, end-(drop-1), end)
	rec.n -= uint16(drop - 1)
}

func (l *windowLeaf) reset(e *Evaluator, c condIndex) {
	i, offset, ok := e.state.searchWindow(c)
	if !ok {
		return
	}
	changed := l.holds(e, c) != l.threshold.holds(0)
	if e.state.windows[i].next <= e.now {
		changed = !changed // the window moved on at this very instant, and nobody has looked yet
	}
	if changed {
		e.flipped(c)
	}
	e.state.times = slices.Delete(e.state.times, offset, offset+int(e.state.windows[i].n))
	e.state.windows = slices.Delete(e.state.windows, i, i+1)
}

// trim drops the expired times of the record at i and works out when the
// truth next changes; it returns false if the record is left with nothing.
func (l *windowLeaf) trim(e *Evaluator, i, offset int) bool {
	rec := &e.state.windows[i]
	times := e.state.times[offset : offset+int(rec.n)]
	if drop := l.expired(times, e.now); drop > 0 {
		e.state.times = slices.Delete(e.state.times, offset, offset+drop)
		rec.n -= uint16(drop)
		rec.more, rec.lost = false, false
		times = e.state.times[offset : offset+int(rec.n)]
	}
	rec.next = l.nextFlip(times)
	return rec.n > 0
}
