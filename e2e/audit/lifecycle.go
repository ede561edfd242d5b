package audit

import "github.com/usher-audiences/usher/rules"

const dayMillis = 24 * 60 * 60 * 1000

// audience is one audience's lifecycle for the key, followed from evaluation
// to evaluation.
type audience struct {
	truth      bool
	trueSince  int64
	falseSince int64
	member     bool
	shadow     bool // the register that the membership stands in
	lastExit   int64
	exited     bool // lastExit is set
	entries    []entry
	next       int64 // next instant at which time alone could change something
}

// entry is one entry into the audience.
type entry struct {
	at      int64
	session int
}

func (a *audience) isMember() bool { return a != nil && a.member }

// flip notes the raw truth found at now, and reports whether it changed.
func (a *audience) flip(truth bool, now int64) (changed bool) {
	if truth == a.truth {
		return false
	}
	a.truth = truth
	if truth {
		a.trueSince = now
	} else {
		a.falseSince = now
	}
	return true
}

// decide passes the raw truth through the lifecycle: should the key be a
// member now?
func (a *audience) decide(d *rules.Definition, k *keyAudit, ended bool, now int64) bool {
	mustLeave := d.OnSessionEnd == rules.ExitOnSessionEnd
	if a.member {
		if mustLeave && ended {
			return false
		}
		return a.truth || now < a.falseSince+int64(d.Linger)
	}
	switch {
	case !a.truth,
		now < a.trueSince+int64(d.HoldFor),
		a.exited && now < a.lastExit+int64(d.Cooldown),
		mustLeave && k.open == nil:
		return false
	}
	return d.MaxEntries == nil || a.entriesInPeriod(d.MaxEntries.Per, k.sessions, now) < d.MaxEntries.Count
}

// entriesInPeriod counts the entries that max_entries counts now. The entries
// after a session's end count for that session until the next begins.
func (a *audience) entriesInPeriod(per rules.EntryPeriod, session int, now int64) int {
	n := 0
	for _, e := range a.entries {
		switch per {
		case rules.PerSession:
			if e.session != session {
				continue
			}
		case rules.PerDay:
			if e.at/dayMillis != now/dayMillis {
				continue
			}
		}
		n++
	}
	return n
}

// enter and leave change the membership.
func (a *audience) enter(session int, now int64) {
	a.member = true
	a.entries = append(a.entries, entry{at: now, session: session})
}

func (a *audience) leave(now int64) {
	a.member, a.exited, a.lastExit = false, true, now
}

// carry says what the lifecycle keeps when the definition changes at now. A
// limit that was not there before counts from now; an exit whose cooldown is
// over is forgotten.
func (a *audience) carry(before, after *rules.Definition, now int64) {
	if before == nil {
		return
	}
	if before.HoldFor == 0 {
		a.trueSince = now
	}
	if now >= a.lastExit+int64(before.Cooldown) {
		a.exited = false
	}
	if before.MaxEntries == nil || after.MaxEntries == nil || before.MaxEntries.Per != after.MaxEntries.Per {
		a.entries = nil
	}
}
