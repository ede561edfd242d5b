package rules

import (
	"strconv"
	"time"
)

// extractor reads one message in one pass.
type extractor struct {
	sc    scanner
	ev    *Event
	paths *pathSet // nil for a trait update
	found []value  // each path at most once

	seen             [3]bool // properties, context, traits
	traitsAt         int     // where the last traits member begins, 0 if none
	badUserID        bool    // userId is there, but no string
	callName         string  // the type member
	eventName        string  // the event member
	pageName         string  // the name member
	timestamp        string
	timestampPresent bool
	timestampText    bool
}

// decodeBody reads an event from JSON text.
func (rs *RuleSet) decodeBody(body string) (*Event, *Rejection) {
	ev := new(Event)
	if rejection := rs.decodeInto(ev, body); rejection != nil {
		return nil, rejection
	}
	return ev, nil
}

// decodeInto is decodeBody into memory of another event.
func (rs *RuleSet) decodeInto(ev *Event, body string) *Rejection {
	found := ev.values[:0]
	*ev = Event{from: rs, body: body}
	if cap(found) == 0 {
		found = ev.few[:0]
	}
	x := extractor{sc: scanner{s: body}, ev: ev, paths: rs.paths, found: found}
	if !x.topLevel() || !x.finishKey() || !x.finishCall() || !x.finishTimestamp() {
		return x.sc.err
	}
	x.finishSession()
	if ev.Call == Identify && x.traitsAt > 0 {
		sc := scanner{s: body, i: x.traitsAt}
		ev.Traits, _ = sc.plain().(map[string]any)
	}
	ev.values = x.found
	return nil
}

// topLevel reads the outermost object.
func (x *extractor) topLevel() bool {
	if x.sc.peek() != '{' {
		return x.sc.fail(ReasonNotJSON, "want an object")
	}
	for ok := x.sc.open('}'); ok; ok = x.sc.more('}') {
		name, named := x.sc.name()
		if !named || !x.field(name) {
			return false
		}
	}
	if x.sc.err != nil {
		return false
	}
	if x.sc.peek(); x.sc.i < len(x.sc.s) {
		return x.sc.fail(ReasonNotJSON, "something follows the object")
	}
	return true
}

// field reads one top-level member.
func (x *extractor) field(name string) bool {
	if x.paths == nil {
		return x.traitsField(name)
	}
	return x.eventField(name)
}

// eventField reads one top-level member of an event.
func (x *extractor) eventField(name string) bool {
	switch name {
	case "properties":
		return x.top(&x.paths.properties, 0)
	case "context":
		return x.top(&x.paths.context, 1)
	case "traits":
		x.sc.peek()
		x.traitsAt = x.sc.i
		return x.top(&x.paths.traits, 2)
	case "type":
		return x.readText(&x.callName)
	case "event":
		return x.readText(&x.eventName)
	case "name":
		return x.readText(&x.pageName)
	case "messageId":
		return x.readText(&x.ev.MessageID)
	case "timestamp":
		v, ok := x.sc.value()
		x.timestamp, x.timestampPresent = v.text, v.kind != missingValue
		x.timestampText = v.kind == textValue
		return ok
	default:
		return x.keyField(name)
	}
}

// traitsField reads one top-level member of a trait update.
func (x *extractor) traitsField(name string) bool {
	if name != "traits" {
		return x.keyField(name)
	}
	x.sc.peek()
	x.traitsAt = x.sc.i
	return x.sc.skip()
}

func (x *extractor) keyField(name string) bool {
	switch name {
	case "userId":
		v, ok := x.sc.value()
		x.ev.UserID = v.text
		x.badUserID = v.kind != missingValue && v.kind != textValue
		return ok
	case "anonymousId":
		return x.readText(&x.ev.AnonymousID)
	default:
		return x.sc.skip()
	}
}

// readText reads a value that counts only if it is a string.
func (x *extractor) readText(to *string) bool {
	v, ok := x.sc.value()
	*to = v.text
	return ok
}

// top reads the value of properties, context or traits.
func (x *extractor) top(node *pathNode, which int) bool {
	if x.seen[which] {
		x.drop(node)
	}
	x.seen[which] = true
	return x.visit(node)
}

// visit reads the value at a node of the trie.
func (x *extractor) visit(n *pathNode) bool {
	composite := x.sc.peek() == '{' && len(n.kids) > 0
	if !composite && n.slot < 0 {
		return x.sc.skip()
	}
	if n.slot >= 0 {
		from, depth := x.sc.i, x.sc.depth
		v, ok := x.sc.value()
		if !ok {
			return false
		}
		if v.kind != missingValue {
			v.slot = n.slot
			x.found = append(x.found, v)
		}
		if !composite {
			return true
		}
		x.sc.i, x.sc.depth = from, depth // once more, for what lies beneath
	}
	return x.object(n)
}

// object reads an object some of whose members are wanted.
func (x *extractor) object(n *pathNode) bool {
	var seen uint64 // the first 64 children; later ones are always dropped first
	for ok := x.sc.open('}'); ok; ok = x.sc.more('}') {
		name, named := x.sc.name()
		if !named {
			return false
		}
		i := n.find(name)
		if i < 0 {
			if !x.sc.skip() {
				return false
			}
			continue
		}
		if i >= 64 || seen>>i&1 == 1 {
			x.drop(n.kids[i])
		}
		seen |= 1 << i
		if !x.visit(n.kids[i]) {
			return false
		}
	}
	return x.sc.err == nil
}

// drop forgets what was found at and beneath a node: of two members of one
// name the last counts, as a whole.
func (x *extractor) drop(n *pathNode) {
	kept := x.found[:0]
	for _, v := range x.found {
		if v.slot < n.first || v.slot >= n.end {
			kept = append(kept, v)
		}
	}
	x.found = kept
}

// finishKey settles whose message it is.
func (x *extractor) finishKey() bool {
	if x.badUserID {
		return x.reject(ReasonNoKey, "userId is not a string")
	}
	key := x.ev.UserID
	if key == "" {
		key = x.ev.AnonymousID
	}
	if key == "" {
		return x.reject(ReasonNoKey, "neither userId nor anonymousId")
	}
	if len(key) > userKeyMax {
		return x.reject(ReasonNoKey, "a key of "+strconv.Itoa(len(key))+" bytes, at most "+strconv.Itoa(userKeyMax))
	}
	x.ev.Key = UserKey(key)
	return true
}

func (x *extractor) finishCall() bool {
	switch x.callName {
	case "track":
		x.ev.Call, x.ev.Name = Track, x.eventName
	case "page":
		x.ev.Call, x.ev.Name = Page, x.pageName
	case "screen":
		x.ev.Call, x.ev.Name = Screen, x.pageName
	case "identify":
		x.ev.Call = Identify
	case "group":
		x.ev.Call = GroupCall
	case "alias":
		x.ev.Call = Alias
	case "":
		return x.reject(ReasonUnknownType, "no type")
	default:
		return x.reject(ReasonUnknownType, "type "+strconv.Quote(x.callName))
	}
	return true
}

func (x *extractor) finishTimestamp() bool {
	x.ev.Timestamp = Never
	if !x.timestampPresent {
		return true
	}
	t, err := time.Parse(time.RFC3339, x.timestamp)
	if err != nil || !x.timestampText {
		return x.reject(ReasonBadTimestamp, "timestamp is not RFC 3339: "+strconv.Quote(x.timestamp))
	}
	ms := t.UnixMilli()
	if ms < 0 || ms > timestampMax {
		return x.reject(ReasonBadTimestamp, "timestamp outside the years 1970 to 9999: "+strconv.Quote(x.timestamp))
	}
	x.ev.Timestamp = ms
	return true
}

// finishSession takes the session's fields from the extracted values. Some
// producers send a number as the session's id.
func (x *extractor) finishSession() {
	for i := range x.found {
		v := &x.found[i]
		switch {
		case v.slot == x.paths.sessionID.slot && v.kind == textValue:
			x.ev.SessionID = v.text
		case v.slot == x.paths.sessionID.slot && v.kind == numberValue:
			x.ev.SessionID = strconv.FormatFloat(v.number, 'f', -1, 64)
		case v.slot == x.paths.sessionStart.slot:
			x.ev.SessionStart = v.kind == boolValue && v.truth
		}
	}
}

// reject is for what is wrong with the message as a whole.
func (x *extractor) reject(reason, detail string) bool {
	x.sc.err = &Rejection{Reason: reason, Detail: detail}
	return false
}
