package dryrun

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"github.com/usher-audiences/usher/rules"
)

// AppendTransition appends a transition as one JSON object: key, audience, n,
// type, at and cause first, then the other fields of a published transition.
func AppendTransition(dst []byte, p *rules.Published) []byte {
	dst = appendText(append(dst, `{"key":`...), string(p.Key))
	dst = appendText(append(dst, `,"audience":`...), string(p.Audience))
	dst = strconv.AppendUint(append(dst, `,"n":`...), p.N, 10)
	dst = appendText(append(dst, `,"type":`...), p.Kind.String())
	dst = appendTime(append(dst, `,"at":`...), p.Position.At)
	dst = appendText(append(dst, `,"cause":`...), string(p.Cause))
	dst = strconv.AppendUint(append(dst, `,"version":`...), p.Version, 10)
	dst = appendField(dst, "userId", p.UserID)
	dst = appendField(dst, "anonymousId", p.AnonymousID)
	dst = appendField(dst, "sessionId", p.SessionID)
	dst = append(dst, `,"position":"`...)
	dst = strconv.AppendInt(dst, p.Position.At, 10)
	dst = strconv.AppendUint(append(dst, '-'), p.Position.Seq, 10)
	dst = append(strconv.AppendInt(append(dst, '-'), int64(p.Position.Order), 10), '"')
	if p.MessageID != "" || p.EventName != "" {
		dst = appendEvent(dst, p)
	}
	dst = append(dst, `,"expiresAt":`...)
	if p.ExpiresAt == rules.Never {
		dst = append(dst, `null`...)
	} else {
		dst = appendTime(dst, p.ExpiresAt)
	}
	dst = append(dst, `,"because":[`...)
	for i := range p.Because {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendReason(dst, &p.Because[i])
	}
	dst = append(dst, ']')
	if p.Shadow {
		dst = append(dst, `,"shadow":true`...)
	}
	return append(dst, '}')
}

func appendEvent(dst []byte, p *rules.Published) []byte {
	dst = append(dst, `,"event":{`...)
	if p.MessageID != "" {
		dst = appendText(append(dst, `"messageId":`...), p.MessageID)
	}
	if p.EventName != "" {
		if p.MessageID != "" {
			dst = append(dst, ',')
		}
		dst = appendText(append(dst, `"name":`...), p.EventName)
	}
	return append(dst, '}')
}

func appendReason(dst []byte, r *rules.Reason) []byte {
	dst = appendText(append(dst, `{"condition":`...), r.Condition)
	dst = appendValue(append(dst, `,"observed":`...), r.Observed)
	dst = appendText(append(dst, `,"needs":`...), r.Needs)
	dst = strconv.AppendBool(append(dst, `,"true":`...), r.True)
	if r.Inexact {
		dst = append(dst, `,"inexact":true`...)
	}
	return append(dst, '}')
}

// appendField appends a member unless it is empty.
func appendField(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(append(append(dst, `,"`...), name...), `":`...)
	return appendText(dst, value)
}

// appendTime appends an instant as RFC 3339, UTC, with milliseconds.
func appendTime(dst []byte, ms int64) []byte {
	dst = time.UnixMilli(ms).UTC().AppendFormat(append(dst, '"'), "2006-01-02T15:04:05.000Z")
	return append(dst, '"')
}

// appendText appends a JSON string. Most text is plain.
func appendText(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			return appendEncoded(dst, s)
		}
	}
	return append(append(append(dst, '"'), s...), '"')
}

func appendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, `null`...)
	case bool:
		return strconv.AppendBool(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case string:
		return appendText(dst, v)
	}
	return appendEncoded(dst, v)
}

// appendEncoded appends what the library writes, with <, > and & as they are.
func appendEncoded(dst []byte, v any) []byte {
	b := bytes.NewBuffer(dst)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("dryrun: an observed value cannot be encoded: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
