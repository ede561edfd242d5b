package partition

// flight is one message that was read and is not done: some session has not
// stepped it yet, or a transition, a rejection or a sweep that it caused is
// not acknowledged.
type flight struct {
	before  mark // the place in the log before this message
	at      mark
	pending int
	listed  bool
	message Message

	prev, next *flight
}

// flightList holds the flights in log order.
type flightList struct {
	first, last *flight
	len         int
}

func (l *flightList) push(f *flight) {
	f.prev, f.listed = l.last, true
	if l.last == nil {
		l.first = f
	} else {
		l.last.next = f
	}
	l.last = f
	l.len++
}

func (l *flightList) remove(f *flight) {
	if f.prev == nil {
		l.first = f.next
	} else {
		f.prev.next = f.next
	}
	if f.next == nil {
		l.last = f.prev
	} else {
		f.next.prev = f.prev
	}
	f.prev, f.next, f.listed = nil, nil, false
	l.len--
}

// floor is the last place in the log at and below which everything is done.
func (m *Machine) floor() mark {
	if m.undone.first != nil {
		return m.undone.first.before
	}
	return m.read
}

// hold counts one more thing that f waits for. A nil flight, or one that is
// done, waits for nothing.
func (f *flight) hold() {
	if f != nil && f.listed {
		f.pending++
	}
}

// release counts one thing less, and takes f out once it is done.
func (m *Machine) release(f *flight) {
	if f == nil || !f.listed {
		return
	}
	f.pending--
	if f.pending == 0 {
		m.undone.remove(f)
	}
}
