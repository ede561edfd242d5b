package partition

import (
	"encoding/json"
	"time"

	"github.com/usher-audiences/usher/rules"
)

// tickLost is after how long, in milliseconds, a tick that has not come back
// through the log is given up and appended again.
const tickLost = 1000

// tickRetry is how long, in milliseconds, after a tick that could not be
// appended the next is tried.
const tickRetry = 100

// tick appends a tick to the log when a deadline is due by the wall clock and
// no message has carried log time there, one at a time; else it has itself
// woken at the next deadline.
func (m *Machine) tick() {
	if m.phase != running || !m.opened {
		return
	}
	next := m.timers.earliest()
	if next == rules.Never {
		return
	}
	at := max(next, m.tickAfter)
	if m.tickSent > 0 {
		at = max(at, m.tickSent+tickLost)
	}
	if at <= m.now {
		m.tickSent = m.now
		m.tickAfter = m.now + int64(m.cfg.TickEvery)
		m.emit(AppendTick{At: next})
		at = m.now + tickLost
	}
	if at < m.armed {
		m.armed = at
		m.emit(Arm{At: at})
	}
}

func (m *Machine) onTickAppended(in TickAppended) {
	if in.Outcome != Stored {
		m.tickSent = 0
		m.tickAfter = m.now + tickRetry
	}
}

// tickRead takes a tick back from the log. Reading it has advanced log time;
// one that was stored before its deadline, by another clock, is appended again
// later by the difference (rule 13).
func (m *Machine) tickRead(f *flight) {
	m.tickSent = 0
	var b tickBody
	if err := json.Unmarshal(f.message.Payload, &b); err != nil {
		m.reject(f, &rules.Rejection{Reason: rules.ReasonNotJSON, Detail: "tick: " + err.Error()})
		return
	}
	if early := b.At - f.message.Time/int64(time.Millisecond); early > 0 && b.At > f.at.logTime {
		m.tickAfter = max(m.tickAfter, m.now+min(early, tickLost))
	}
}
