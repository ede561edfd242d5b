package audit

import (
	"strconv"

	"github.com/usher-audiences/usher/rules"
)

// messageIDsMax is how many messageIds of a key are remembered.
const messageIDsMax = 1024

// occurrence is one event of the key's history.
type occurrence struct {
	*body
	seq     uint64
	at      int64 // log time
	o       int64 // occurrence time
	session int   // number of the session it belongs to; 0 for none
}

// visit is one session of the key.
type visit struct {
	number int
	id     string
	hasID  bool // the id came with an event
	start  int64
	last   int64
	events int
	pages  int
	first  *occurrence
	// recorded are the properties of the entry that some definition asked for
	// when the session began; the others are not known.
	recorded map[string]bool
}

// history is everything that is known of a key.
type history struct {
	key         rules.UserKey
	userID      string
	anonymousID string
	events      []*occurrence
	traits      map[string]any
	messageIDs  []string
	sessions    int
	open        *visit
	previous    *visit // the last one that ended
}

// seen reports whether the messageId was counted lately, and remembers it.
func (h *history) seen(id string) bool {
	if id == "" {
		return false
	}
	for i := len(h.messageIDs) - 1; i >= 0 && i >= len(h.messageIDs)-messageIDsMax; i-- {
		if h.messageIDs[i] == id {
			return true
		}
	}
	h.messageIDs = append(h.messageIDs, id)
	return false
}

// identify keeps the ids that the key's latest message carried.
func (h *history) identify(b *body) {
	if b.userID != "" {
		h.userID = b.userID
	}
	if b.anonymousID != "" {
		h.anonymousID = b.anonymousID
	}
}

// merge applies a trait update: top level only, null deletes.
func (h *history) merge(traits map[string]any) {
	for name, v := range traits {
		if v == nil {
			delete(h.traits, name)
		} else {
			h.traits[name] = v
		}
	}
}

// switches reports whether an event, by its session id, ends the open
// session.
func (h *history) switches(e *occurrence) bool {
	v := h.open
	if v == nil || e.o < v.start || e.sessionID == "" {
		return false
	}
	if v.hasID {
		return e.sessionID != v.id
	}
	return e.start
}

// end closes the open session.
func (h *history) end() {
	h.previous, h.open = h.open, nil
}

// admit adds an event to the history after a session that it switched has
// been ended. It reports whether the event began a session.
func (h *history) admit(e *occurrence, idle int64) (began bool) {
	h.events = append(h.events, e)
	if e.call == rules.Identify {
		h.merge(e.traits)
	}
	v := h.open
	switch {
	case v == nil && e.o+idle <= e.at, v != nil && e.o < v.start:
		return false
	case v == nil:
		h.begin(e)
		began = true
	default:
		if e.sessionID != "" && !v.hasID {
			v.id, v.hasID = e.sessionID, true
		}
		v.last = max(v.last, e.o)
	}
	e.session = h.open.number
	h.open.events++
	if e.call == rules.Page {
		h.open.pages++
	}
	return began
}

func (h *history) begin(e *occurrence) {
	h.sessions++
	v := &visit{number: h.sessions, id: e.sessionID, hasID: e.sessionID != "", start: e.o, last: e.o, first: e}
	if !v.hasID {
		v.id = strconv.FormatInt(e.o, 10)
	}
	h.open = v
}

// sessionID is the id that a transition decided now carries: the open
// session's, or that of the one which has just ended.
func (h *history) sessionID(ended bool) string {
	switch {
	case h.open != nil:
		return h.open.id
	case ended:
		return h.previous.id
	}
	return ""
}
