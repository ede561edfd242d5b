package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Canonical returns the definition as JSON that says the same: every default
// that a condition has is written out, keys are sorted, durations are whole
// milliseconds, and there are no places. Two definitions that differ only in
// layout, comments, the order of keys, or YAML against JSON have equal bytes.
//
// [Parse] accepts the result and returns an equal definition but for places.
func (d *Definition) Canonical() []byte {
	out := map[string]any{"audience": string(d.Audience), "when": canonicalForm{}.condition(d.When)}
	canonicalSet(out, "name", d.Name)
	canonicalSet(out, "description", d.Description)
	canonicalSet(out, "everyone", d.Everyone)
	canonicalSet(out, "status", [...]string{"", "paused", "shadow"}[d.Status])
	canonicalSet(out, "hold_for", d.HoldFor)
	canonicalSet(out, "linger", d.Linger)
	canonicalSet(out, "cooldown", d.Cooldown)
	canonicalSet(out, "on_session_end", [...]string{"", "exit"}[d.OnSessionEnd])
	if d.MaxEntries != nil {
		per := [...]string{"session", "day", "lifetime"}[d.MaxEntries.Per]
		out["max_entries"] = map[string]any{"count": d.MaxEntries.Count, "per": per}
	}
	if d.Backfill > 0 {
		out["backfill"] = map[string]any{"replay": d.Backfill}
	}
	if len(d.Tests) > 0 {
		out["tests"] = canonicalList(d.Tests, canonicalTest)
	}
	return canonicalAppend(nil, out)
}

// Digest returns the SHA-256 of the canonical form, in lower-case hex. It
// names the definition where definitions are stored by content.
func (d *Definition) Digest() string {
	sum := sha256.Sum256(d.Canonical())
	return hex.EncodeToString(sum[:])
}

// canonicalSet puts value under name unless it is the zero value, which is
// what leaving the key out means.
func canonicalSet[T comparable](out map[string]any, name string, value T) {
	var zero T
	if value != zero {
		out[name] = value
	}
}

func canonicalList[T any](items []T, form func(T) any) []any {
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = form(item)
	}
	return out
}

func canonicalTest(t Test) any {
	out := map[string]any{
		"start":    time.UnixMilli(t.Start).UTC().Format("2006-01-02T15:04:05.000Z07:00"),
		"timeline": canonicalList(t.Timeline, canonicalInput),
		"expect": canonicalList(t.Expect, func(e TestExpectation) any {
			kind := Exited
			if e.Entered {
				kind = Entered
			}
			return map[string]any{"at": e.At, kind.String(): true}
		}),
	}
	canonicalSet(out, "name", t.Name)
	if t.Traits != nil {
		out["traits"] = t.Traits
	}
	return out
}

func canonicalInput(in TestInput) any {
	out := maps.Clone(in.Event)
	if out == nil {
		out = map[string]any{}
	}
	out["at"] = in.At
	switch {
	case in.Call == "traits":
	case in.Name != "":
		out[in.Call] = in.Name
	default:
		out[in.Call] = nil
	}
	return out
}

// canonicalAppend appends v as JSON with sorted keys and no blanks. It takes
// plain values, ints and Millis; the order of a map never shows.
func canonicalAppend(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case float64:
		return canonicalNumber(dst, v)
	case Millis:
		return fmt.Appendf(dst, `"%dms"`, int64(v))
	case string:
		// The error is about bytes that are no UTF-8: they are replaced.
		dst, _ = jsontext.AppendQuote(dst, v)
		return dst
	case []any:
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = canonicalAppend(dst, item)
		}
		return append(dst, ']')
	case map[string]any:
		dst = append(dst, '{')
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(canonicalAppend(dst, name), ':')
			dst = canonicalAppend(dst, v[name])
		}
		return append(dst, '}')
	}
	panic(fmt.Sprintf("rules: %T is not a plain value", v))
}

// canonicalNumber appends the shortest decimal that reads back as f; minus
// zero, which equals zero, is zero.
func canonicalNumber(dst []byte, f float64) []byte {
	if magnitude := math.Abs(f); magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(dst, f+0, 'f', -1, 64)
}
