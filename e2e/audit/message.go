package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

// Message is one stored message of a partition's log.
type Message struct {
	Seq      uint64
	Time     int64 // the stream's timestamp, Unix nanoseconds
	Kind     subject.Kind
	Encoding rules.Encoding
	Payload  []byte
}

// The limits of a message, as SPEC.md and the decoder's documentation name
// them.
const (
	payloadMax = 32 << 10
	depthMax   = 32
)

// body is a message that can be used.
type body struct {
	key         rules.UserKey
	userID      string
	anonymousID string
	messageID   string
	call        rules.CallType
	name        string
	timestamp   int64 // Unix milliseconds; rules.Never if none
	sessionID   string
	start       bool // context.sessionStart
	properties  map[string]any
	context     map[string]any
	traits      map[string]any

	exprs expressions     // of all definitions
	said  map[string]bool // what those that were asked say of it, by text
}

// unusable is the error of a message that cannot be used: the reason that
// must stand in the rejected stream.
type unusable string

func (u unusable) Error() string { return string(u) }

// decode reads an events or traits message.
func decode(m *Message, partition, partitions int) (*body, error) {
	if len(m.Payload) > payloadMax {
		return nil, unusable(rules.ReasonTooLarge)
	}
	doc, err := document(m)
	if err != nil {
		return nil, err
	}
	b := &body{timestamp: rules.Never}
	if err := b.identify(doc); err != nil {
		return nil, err
	}
	var isMap bool
	b.traits, isMap = doc["traits"].(map[string]any)
	if m.Kind == subject.KindTraits {
		if !isMap && doc["traits"] != nil {
			return nil, unusable(rules.ReasonNotJSON)
		}
	} else if err := b.event(doc); err != nil {
		return nil, err
	}
	if partitionOf(b.key, partitions) != partition {
		return nil, unusable(rules.ReasonMisrouted)
	}
	return b, nil
}

// identify reads whose message it is.
func (b *body) identify(doc map[string]any) error {
	if id := doc["userId"]; id != nil {
		if _, isText := id.(string); !isText {
			return unusable(rules.ReasonNoKey)
		}
	}
	b.userID, _ = doc["userId"].(string)
	b.anonymousID, _ = doc["anonymousId"].(string)
	b.key = rules.UserKey(b.userID)
	if b.key == "" {
		b.key = rules.UserKey(b.anonymousID)
	}
	if b.key == "" || len(b.key) > userKeyMax {
		return unusable(rules.ReasonNoKey)
	}
	return nil
}

// event reads what only an event has.
func (b *body) event(doc map[string]any) error {
	word, _ := doc["type"].(string)
	calls := map[string]rules.CallType{
		"track": rules.Track, "page": rules.Page, "screen": rules.Screen,
		"identify": rules.Identify, "group": rules.GroupCall, "alias": rules.Alias,
	}
	call, known := calls[word]
	if !known {
		return unusable(rules.ReasonUnknownType)
	}
	b.call = call
	switch call {
	case rules.Track:
		b.name, _ = doc["event"].(string)
	case rules.Page, rules.Screen:
		b.name, _ = doc["name"].(string)
	}
	b.messageID, _ = doc["messageId"].(string)
	b.properties, _ = doc["properties"].(map[string]any)
	b.context, _ = doc["context"].(map[string]any)
	b.sessionID = sessionIDOf(b.context)
	b.start, _ = b.context["sessionStart"].(bool)
	if stamp, present := doc["timestamp"]; present && stamp != nil {
		text, isText := stamp.(string)
		at, err := time.Parse(time.RFC3339, text)
		if !isText || err != nil || at.UnixMilli() < 0 || at.Year() > 9999 {
			return unusable(rules.ReasonBadTimestamp)
		}
		b.timestamp = at.UnixMilli()
	}
	return nil
}

func sessionIDOf(context map[string]any) string {
	switch id := context["sessionId"].(type) {
	case string:
		return id
	case float64:
		return strconv.FormatFloat(id, 'f', -1, 64)
	}
	return ""
}

// document decodes the body into plain values: every number is a float64.
func document(m *Message) (map[string]any, error) {
	var doc any
	var err error
	if m.Encoding == rules.MessagePack {
		doc, err = fromMessagePack(m.Payload)
	} else {
		doc, err = fromJSON(m.Payload)
	}
	if err != nil {
		return nil, err
	}
	fields, isMap := doc.(map[string]any)
	if !isMap {
		return nil, unusable(rules.ReasonNotJSON)
	}
	if depth(fields) > depthMax {
		return nil, unusable(rules.ReasonTooDeep)
	}
	return fields, nil
}

func fromJSON(payload []byte) (any, error) {
	if !json.Valid(payload) {
		return nil, unusable(rules.ReasonNotJSON)
	}
	var doc any
	if err := json.Unmarshal(payload, &doc); err != nil {
		var mismatch *json.UnmarshalTypeError
		if errors.As(err, &mismatch) {
			return nil, unusable(rules.ReasonBadNumber)
		}
		return nil, unusable(rules.ReasonNotJSON)
	}
	return doc, nil
}

func fromMessagePack(payload []byte) (any, error) {
	r := bytes.NewReader(payload)
	d := msgpack.NewDecoder(r)
	d.UseLooseInterfaceDecoding(true)
	doc, err := d.DecodeInterface()
	if err != nil {
		return nil, unusable(rules.ReasonNotJSON)
	}
	if _, err := r.ReadByte(); !errors.Is(err, io.EOF) {
		return nil, unusable(rules.ReasonNotJSON)
	}
	return plain(doc)
}

// plain turns what MessagePack gives into what JSON would have given.
func plain(v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		for k, member := range v {
			p, err := plain(member)
			if err != nil {
				return nil, err
			}
			v[k] = p
		}
		return v, nil
	case []any:
		for i, member := range v {
			p, err := plain(member)
			if err != nil {
				return nil, err
			}
			v[i] = p
		}
		return v, nil
	case int64:
		return float64(v), nil
	case uint64:
		return float64(v), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, unusable(rules.ReasonBadNumber)
		}
		return v, nil
	case nil, bool, string:
		return v, nil
	default:
		return nil, unusable(rules.ReasonNotJSON)
	}
}

// depth counts how deep maps and lists nest.
func depth(v any) int {
	deepest := 0
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			deepest = max(deepest, depth(member))
		}
	case []any:
		for _, member := range v {
			deepest = max(deepest, depth(member))
		}
	default:
		return 0
	}
	return deepest + 1
}

// revisionOf reads the body of a rules message.
func revisionOf(m *Message) (uint64, error) {
	var doc struct {
		Revision uint64 `json:"revision"`
	}
	if err := json.Unmarshal(m.Payload, &doc); err != nil {
		return 0, fmt.Errorf("rules message %d: %w", m.Seq, err)
	}
	return doc.Revision, nil
}
