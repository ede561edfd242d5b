package session

import (
	"fmt"

	"github.com/usher-audiences/usher/rules"
)

// snapshotVersion is the first field of a snapshot; another means another
// layout.
const snapshotVersion = 1

// Encode appends the session's snapshot to dst: MessagePack, a function of the
// session's state alone.
func (s *Session) Encode(dst []byte) []byte {
	w := rules.NewSnapshotWriter(dst)
	w.List(8)
	w.Uint(snapshotVersion)
	w.Uint(s.set.Revision())
	w.Int(s.at)
	w.Uint(s.seq)
	w.Text(s.userID)
	w.Text(s.anonymousID)
	w.List(len(s.counted.hashes))
	for i := range s.counted.hashes {
		w.Uint(s.counted.hashes[(int(s.counted.head)+i)%len(s.counted.hashes)])
	}
	s.state.Write(w, s.set)
	return w.Bytes()
}

// Decode restores a session from what Encode wrote. The rule set must be of
// the revision the state was encoded under, and hold the conditions it names;
// anything else is an error that wraps [rules.ErrSnapshot].
func Decode(key rules.UserKey, state []byte, rs *rules.RuleSet, cfg Config) (*Session, error) {
	s := New(key, rs, cfg)
	r := rules.NewSnapshotReader(state)
	r.Fields(8)
	if v := r.Uint(); v != snapshotVersion {
		r.Fail("version %d, not %d", v, snapshotVersion)
	}
	if revision := r.Uint(); revision != rs.Revision() {
		r.Fail("revision %d of the rules, not %d", revision, rs.Revision())
	}
	s.at, s.seq = r.Int(), r.Uint()
	s.userID, s.anonymousID = r.Text(), r.Text()
	n := r.List()
	if n > countedMax {
		r.Fail("%d messageIds", n)
		n = 0
	}
	s.counted.hashes = make([]uint64, n)
	for i := range s.counted.hashes {
		s.counted.hashes[i] = r.Uint()
	}
	s.state.Read(r, rs)
	if err := r.End(); err != nil {
		return nil, fmt.Errorf("session %q: %w", key, err)
	}
	s.next = s.state.Deadline(rs, s.idle, s.at)
	return s, nil
}
