package session

import (
	"errors"

	"github.com/usher-audiences/usher/rules"
)

// Config is what an installation fixes for all sessions.
type Config struct {
	Idle rules.Millis // a session ends this long after its last activity; default 30 minutes
}

// Output is what one step decided.
type Output struct {
	Transitions []rules.Transition // in position order; valid until the next Step on the same evaluator
	Next        int64              // next deadline, rules.Never if none
	Skipped     bool               // the input was at or before the applied position; nothing changed
}

// Session is the state machine of one key. It is not safe for concurrent use.
type Session struct {
	key rules.UserKey
	set *rules.RuleSet
	cfg Config
	at  int64
	seq uint64
}

// New returns the session of a key of which nothing is known.
func New(key rules.UserKey, rs *rules.RuleSet, cfg Config) *Session {
	return &Session{key: key, set: rs, cfg: cfg}
}

// Decode restores a session from what Encode wrote. The rule set must be of
// the revision the state was encoded under.
func Decode(key rules.UserKey, state []byte, rs *rules.RuleSet, cfg Config) (*Session, error) {
	return nil, errors.New("decoding is not in place yet")
}

// Encode appends the session's snapshot to dst.
func (s *Session) Encode(dst []byte) []byte { return dst }

// Step fires the deadlines at or before the input's log time and applies the
// input. The error is a *rules.Rejection; the state is then as before.
func (s *Session) Step(ev *rules.Evaluator, in rules.Input) (Output, error) {
	s.at, s.seq = in.At, in.Seq
	return Output{Next: rules.Never}, nil
}

// Key returns whose session it is.
func (s *Session) Key() rules.UserKey { return s.key }

// Applied returns log time and sequence of the last applied input.
func (s *Session) Applied() (at int64, seq uint64) { return s.at, s.seq }

// Next returns the next deadline, rules.Never if there is none.
func (s *Session) Next() int64 { return rules.Never }

// Rules returns the rule set in force.
func (s *Session) Rules() *rules.RuleSet { return s.set }
