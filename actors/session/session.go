package session

import (
	"strings"

	"github.com/usher-audiences/usher/rules"
)

// idleDefault is how long a session lasts after its last activity unless the
// installation says otherwise.
const idleDefault rules.Millis = 30 * 60 * 1000

// Config is what an installation fixes for all sessions.
type Config struct {
	Idle rules.Millis // a session ends this long after its last activity; default 30 minutes
}

func (c Config) validate() Config {
	if c.Idle <= 0 {
		c.Idle = idleDefault
	}
	return c
}

// Output is what one step decided.
type Output struct {
	// Transitions are in position order. They are the caller's to keep.
	Transitions []rules.Transition
	Next        int64 // next deadline, rules.Never if none
	Skipped     bool  // the input was at or before the applied position; nothing changed
}

// Session is the state machine of one key. It is not safe for concurrent use.
type Session struct {
	key  rules.UserKey
	idle rules.Millis
	register
	state rules.State
}

// register is the small part of a session's state, of which a step keeps a
// copy; the evaluator keeps one of the rest.
type register struct {
	set         *rules.RuleSet
	at          int64 // of the last applied input
	seq         uint64
	next        int64
	userID      string // as last seen
	anonymousID string
	counted     ring
}

// New returns the session of a key of which nothing is known.
func New(key rules.UserKey, rs *rules.RuleSet, cfg Config) *Session {
	return &Session{key: key, idle: cfg.validate().Idle, register: register{set: rs, next: rules.Never}}
}

// Key returns whose session it is.
func (s *Session) Key() rules.UserKey { return s.key }

// Applied returns log time and sequence of the last applied input.
func (s *Session) Applied() (at int64, seq uint64) { return s.at, s.seq }

// Next returns the next deadline, rules.Never if there is none.
func (s *Session) Next() int64 { return s.next }

// Rules returns the rule set in force.
func (s *Session) Rules() *rules.RuleSet { return s.set }

// see remembers the ids that a message carries.
func (s *Session) see(userID, anonymousID string) {
	if userID != "" && userID != s.userID {
		s.userID = s.own(userID)
	}
	if anonymousID != "" && anonymousID != s.anonymousID {
		s.anonymousID = s.own(anonymousID)
	}
}

// own returns a copy of id that does not keep a message's body alive: one the
// session holds already if it is the same, as a user id mostly is the key.
func (s *Session) own(id string) string {
	for _, held := range [...]string{string(s.key), s.userID, s.anonymousID, s.state.Visit.ID} {
		if id == held {
			return held
		}
	}
	return strings.Clone(id)
}
