package dryrun

import "github.com/usher-audiences/usher/rules"

// absent is the place of a user without a deadline.
const absent = -1

// timers is a binary heap of users by (due, key). A user's due may lie before
// its deadline: most deadlines are put off by the next event, and then the
// heap is left as it is until the old one comes up.
type timers []timer

type timer struct {
	due  int64
	user *user
}

// before orders by (due, key).
func (t timer) before(s timer) bool {
	if t.due != s.due {
		return t.due < s.due
	}
	return t.user.session.Key() < s.user.session.Key()
}

// first returns the first user due at or before an instant, nil if there is
// none.
func (ts timers) first(at int64) *user {
	if len(ts) == 0 || ts[0].due > at {
		return nil
	}
	return ts[0].user
}

// set has a user wait for an instant, or for none if it is [rules.Never].
func (ts *timers) set(u *user, due int64) {
	u.due = due
	switch {
	case due == rules.Never && u.place == absent:
	case due == rules.Never:
		ts.remove(u)
	case u.place == absent:
		*ts = append(*ts, timer{})
		ts.up(len(*ts)-1, timer{due, u})
	default:
		ts.settle(u.place, timer{due, u})
	}
}

func (ts *timers) remove(u *user) {
	at, last := u.place, len(*ts)-1
	moved := (*ts)[last]
	(*ts)[last] = timer{}
	*ts = (*ts)[:last]
	u.place = absent
	if at < last {
		ts.settle(at, moved)
	}
}

// settle puts a timer at a place, or where it belongs from there.
func (ts timers) settle(at int, t timer) {
	if at > 0 && t.before(ts[(at-1)/2]) {
		ts.up(at, t)
		return
	}
	ts.down(at, t)
}

func (ts timers) up(at int, t timer) {
	for at > 0 {
		parent := (at - 1) / 2
		if !t.before(ts[parent]) {
			break
		}
		ts.put(at, ts[parent])
		at = parent
	}
	ts.put(at, t)
}

func (ts timers) down(at int, t timer) {
	for {
		kid := 2*at + 1
		if kid >= len(ts) {
			break
		}
		if kid+1 < len(ts) && ts[kid+1].before(ts[kid]) {
			kid++
		}
		if !ts[kid].before(t) {
			break
		}
		ts.put(at, ts[kid])
		at = kid
	}
	ts.put(at, t)
}

func (ts timers) put(at int, t timer) {
	ts[at] = t
	t.user.place = at
}
