package generate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

// Message is one message as a producer publishes it.
type Message struct {
	Key      string
	Kind     subject.Kind
	Encoding rules.Encoding
	Payload  []byte
	Fault    string // what is unusual about it; empty for nothing
}

// PanicPrefix begins the messageId of a message whose step is to be made to
// panic.
const PanicPrefix = "panic-"

// Traffic draws what producers publish about a few users.
type Traffic struct {
	*Source
	users     []string
	ids       map[string][]string // messageIds by user
	sessions  map[string]int
	published int

	// Malformed and Panics are how many of 1,000 messages cannot be used, and
	// how many make their step panic.
	Malformed, Panics int
}

// Traffic returns the traffic of the users u0 to u<n-1>. Some keys hold
// characters that a subject cannot.
func (s *Source) Traffic(n int) *Traffic {
	t := &Traffic{Source: s, ids: make(map[string][]string), sessions: make(map[string]int)}
	for i := range n {
		t.users = append(t.users, fmt.Sprintf(pick(s, "u%d", "u%d", "u.%d", "ü %d"), i))
	}
	return t
}

// Users returns the keys.
func (t *Traffic) Users() []string { return t.users }

// Next draws a message that is published at now, Unix milliseconds.
func (t *Traffic) Next(now int64) Message {
	t.published++
	user := pick(t.Source, t.users...)
	doc := map[string]any{"userId": user}
	if t.chance(20) {
		doc = map[string]any{"anonymousId": user}
	} else if t.chance(20) {
		doc["anonymousId"] = "device"
	}
	if t.chance(15) {
		doc["traits"] = t.traits(now)
		return t.encode(user, subject.KindTraits, doc)
	}
	fault := t.event(user, doc, now)
	m := t.encode(user, subject.KindEvents, doc)
	m.Fault = fault
	if t.IntN(1000) < t.Malformed {
		t.damage(&m, doc)
	}
	return m
}

// event fills in an event.
func (t *Traffic) event(user string, doc map[string]any, now int64) (fault string) {
	switch t.IntN(12) {
	case 0, 1:
		doc["type"], doc["name"] = "page", pick(t.Source, pageNames()...)
	case 2:
		doc["type"], doc["name"] = "screen", pick(t.Source, pageNames()...)
	case 3:
		doc["type"], doc["traits"] = "identify", t.traits(now)
	case 4:
		doc["type"] = pick(t.Source, "group", "alias")
	default:
		doc["type"], doc["event"] = "track", pick(t.Source, eventNames()...)
		if t.chance(10) {
			doc["traits"] = t.traits(now)
		}
	}
	doc["properties"] = t.properties()
	doc["context"] = t.context(user)
	fault = t.stamp(doc, now)
	id := fmt.Sprintf("m%d", t.published)
	switch known := t.ids[user]; {
	case t.IntN(1000) < t.Panics:
		id = PanicPrefix + id
		fault = "panic"
	case len(known) > 0 && t.chance(6):
		id, fault = pick(t.Source, known...), "duplicate messageId"
	case t.chance(5):
		return fault // no messageId
	}
	doc["messageId"] = id
	t.ids[user] = append(t.ids[user], id)
	return fault
}

// stamp gives an event its timestamp.
func (t *Traffic) stamp(doc map[string]any, now int64) (fault string) {
	at := now
	switch t.IntN(12) {
	case 0, 1, 2:
		return ""
	case 3:
		at, fault = now-int64(t.duration()), "late"
	case 4:
		at, fault = now-int64(t.IntN(int(2*hour))), "late"
	case 5:
		at, fault = now+int64(t.IntN(int(hour))), "future timestamp"
	case 6:
		at = now - int64(t.IntN(int(2*minute)))
	}
	stamp := time.UnixMilli(at).UTC()
	if t.chance(30) {
		stamp = stamp.In(time.FixedZone("", -5*60*60))
	}
	doc["timestamp"] = stamp.Format("2006-01-02T15:04:05.000Z07:00")
	return fault
}

func (t *Traffic) properties() map[string]any {
	p := map[string]any{}
	if t.chance(70) {
		p["plan"] = pick(t.Source, append(plans(), nil, 10, true)...)
	}
	if t.chance(70) {
		p["price"] = pick[any](t.Source, 0, 9.5, 10, 10.0, 100, 120.25, -3, 0.1, "10", nil)
	}
	if t.chance(40) {
		p["cart"] = map[string]any{"total": pick[any](t.Source, 10, 9.5, 100, "100")}
	}
	if t.chance(60) {
		p["sku"] = pick[any](t.Source, "s1", "s2", 1, "1", map[string]any{"a": 1})
	}
	if t.chance(40) {
		p["tags"] = pick[any](t.Source, []any{"new"}, []any{"NEW", "sale"}, []any{1, "sale", nil}, []any{}, "new")
	}
	if t.chance(20) {
		p[pick(t.Source, "path", "url")] = pick(t.Source, "/home", "/p")
	}
	if t.chance(40) {
		p["flag"] = pick[any](t.Source, true, false, "true")
	}
	return p
}

func (t *Traffic) context(user string) map[string]any {
	c := map[string]any{}
	if t.chance(30) {
		c["campaign"] = map[string]any{"source": pick(t.Source, "mail", "ad")}
	}
	if t.chance(30) {
		c["device"] = map[string]any{"type": pick(t.Source, "phone", "desk")}
	}
	if t.chance(30) {
		c["page"] = map[string]any{pick(t.Source, "path", "url"): pick(t.Source, "/home", "/p"), "referrer": pick(t.Source, "/p", "mail")}
	}
	if t.chance(35) {
		if t.chance(20) {
			t.sessions[user]++
		}
		c["sessionId"] = fmt.Sprintf("%s-%d", user, t.sessions[user])
		if t.chance(10) {
			c["sessionId"] = t.sessions[user]
		}
	}
	if t.chance(10) {
		c["sessionStart"] = t.chance(80)
	}
	return c
}

func (t *Traffic) traits(now int64) map[string]any {
	p := map[string]any{}
	if t.chance(50) {
		p["plan"] = pick(t.Source, append(plans(), nil, nil, 10)...)
	}
	if t.chance(40) {
		p["age"] = pick[any](t.Source, 10, 9.5, 100, nil, "10", 0)
	}
	if t.chance(30) {
		p["tags"] = pick[any](t.Source, []any{"new"}, []any{"NEW", "sale"}, []any{}, nil)
	}
	if t.chance(40) {
		p["renewed"] = pick[any](t.Source, formatDate(t.Source, now), formatDate(t.Source, now), "soon", nil)
	}
	if t.chance(30) {
		p["vip"] = t.chance(50)
	}
	if t.chance(30) {
		p["address"] = pick[any](t.Source, map[string]any{"city": pick(t.Source, plans()...)}, nil, map[string]any{})
	}
	return p
}

func (t *Traffic) encode(user string, kind subject.Kind, doc map[string]any) Message {
	m := Message{Key: user, Kind: kind}
	var err error
	if t.chance(15) {
		m.Encoding = rules.MessagePack
		m.Payload, err = packed(doc)
	} else {
		m.Payload, err = json.Marshal(doc)
	}
	if err != nil {
		panic(fmt.Sprintf("generate: %v cannot be encoded: %v", doc, err))
	}
	return m
}

// packed writes MessagePack with sorted names, so that a seed gives the same
// bytes.
func packed(doc any) ([]byte, error) {
	var b bytes.Buffer
	e := msgpack.NewEncoder(&b)
	e.SetSortMapKeys(true)
	err := e.Encode(doc)
	return b.Bytes(), err
}

// damage makes a message unusable.
func (t *Traffic) damage(m *Message, doc map[string]any) {
	faults := []string{
		rules.ReasonNotJSON, rules.ReasonNoKey, rules.ReasonTooLarge, rules.ReasonTooDeep,
		rules.ReasonBadTimestamp, rules.ReasonBadNumber, rules.ReasonUnknownType,
	}
	m.Fault = pick(t.Source, faults...)
	m.Encoding = rules.JSON
	switch m.Fault {
	case rules.ReasonNotJSON:
		m.Payload = pick(t.Source, []byte(`{"userId": "u`), []byte(`[1]`), []byte(""), []byte("\xff\xfe"), []byte(`"text"`), []byte(`{"type":"track",}`))
		return
	case rules.ReasonNoKey:
		delete(doc, "userId")
		delete(doc, "anonymousId")
		if t.chance(50) {
			doc["userId"] = strings.Repeat("k", subject.KeyMax+1)
		}
	case rules.ReasonTooLarge:
		doc["padding"] = strings.Repeat("x", 33<<10)
	case rules.ReasonTooDeep:
		var nested any = 1
		for range 40 {
			nested = []any{nested}
		}
		doc["properties"] = map[string]any{"nested": nested}
	case rules.ReasonBadTimestamp:
		doc["timestamp"] = pick[any](t.Source, "yesterday", 12, "0000-13-01T00:00:00Z", "1900-01-01T00:00:00Z", "")
	case rules.ReasonBadNumber:
		doc["properties"] = map[string]any{"price": json.RawMessage("1e999")}
	case rules.ReasonUnknownType:
		doc["type"] = pick[any](t.Source, "trak", "", 3)
	}
	payload, err := json.Marshal(doc)
	if err != nil {
		panic(fmt.Sprintf("generate: %v cannot be encoded: %v", doc, err))
	}
	m.Payload = payload
}
