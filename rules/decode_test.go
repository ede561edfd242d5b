package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// readerRules reads paths of every kind: nested, beneath a wanted object, in
// all three parts of an event.
const readerRules = `
audience: reader
when:
  all:
    - event: Product Viewed
      where:
        product_id: {exists: true}
        price: {gte: 1}
        tags: {includes: a}
        a: {exists: true}
        a.b: {exists: true}
        a.b.c: {exists: true}
        context.page.url: {exists: true}
        traits.plan: pro
`

func compileText(t testing.TB, text string) *RuleSet {
	t.Helper()
	defs, err := Parse("rules.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	versioned := make([]Versioned, len(defs))
	for i, d := range defs {
		versioned[i] = Versioned{Definition: d, Version: 1}
	}
	rs, err := Compile(1, versioned)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

const shopEvent = `{"type":"track","event":"Product Viewed","messageId":"shop-1241","userId":"518908920",` +
	`"anonymousId":"0b131d55-5abd-48c1-99a2-68e503feaf3f","timestamp":"2019-10-01T02:17:02Z",` +
	`"context":{"sessionId":"0b131d55-5abd-48c1-99a2-68e503feaf3f"},"properties":{"product_id":"1004785",` +
	`"category_id":"2053013555631882655","category":"electronics.smartphone","brand":"huawei","price":278.55}}`

func TestDecodeEventRejects(t *testing.T) {
	rs := compileText(t, readerRules)
	for _, tc := range []struct{ name, body, reason string }{
		{"empty", ``, ReasonNotJSON},
		{"not an object", `[]`, ReasonNotJSON},
		{"cut off", `{"type":"track","userId":"u"`, ReasonNotJSON},
		{"two objects", `{"type":"track","userId":"u"} {}`, ReasonNotJSON},
		{"trailing NUL", "{\"type\":\"track\",\"userId\":\"u\"}\x00", ReasonNotJSON},
		{"leading zero", `{"type":"track","userId":"u","properties":{"price":01}}`, ReasonNotJSON},
		{"control character", "{\"type\":\"track\",\"userId\":\"a\nb\"}", ReasonNotJSON},
		{"no key", `{"type":"track"}`, ReasonNoKey},
		{"empty key", `{"type":"track","userId":"","anonymousId":""}`, ReasonNoKey},
		{"null key", `{"type":"track","userId":null}`, ReasonNoKey},
		{"numeric userId", `{"type":"track","userId":42,"anonymousId":"a"}`, ReasonNoKey},
		{"long key", `{"type":"track","userId":"` + strings.Repeat("k", 257) + `"}`, ReasonNoKey},
		{"no type", `{"userId":"u"}`, ReasonUnknownType},
		{"unknown type", `{"userId":"u","type":"Track"}`, ReasonUnknownType},
		{"type twice, the last counts", `{"userId":"u","type":"track","type":"x"}`, ReasonUnknownType},
		{"timestamp without zone", `{"userId":"u","type":"track","timestamp":"2026-01-01T00:00:00"}`, ReasonBadTimestamp},
		{"timestamp before 1970", `{"userId":"u","type":"track","timestamp":"1969-12-31T23:59:59.999Z"}`, ReasonBadTimestamp},
		{"timestamp after 9999", `{"userId":"u","type":"track","timestamp":"9999-12-31T23:59:59-01:00"}`, ReasonBadTimestamp},
		{"numeric timestamp", `{"userId":"u","type":"track","timestamp":1767225600}`, ReasonBadTimestamp},
		{"NaN", `{"userId":"u","type":"track","properties":{"x":NaN}}`, ReasonBadNumber},
		{"-Infinity", `{"userId":"u","type":"track","properties":{"x":-Infinity}}`, ReasonBadNumber},
		{"overflow in a value nobody reads", `{"userId":"u","type":"track","properties":{"x":1e999}}`, ReasonBadNumber},
		{"33 levels", nested(32), ReasonTooDeep},
		{"too large", `{"userId":"u","type":"track","x":"` + strings.Repeat("x", EventMax) + `"}`, ReasonTooLarge},
	} {
		_, err := rs.DecodeEvent([]byte(tc.body), JSON)
		var rejection *Rejection
		if !errors.As(err, &rejection) || rejection.Reason != tc.reason {
			t.Errorf("%s: got %v, want %s", tc.name, err, tc.reason)
		}
	}
}

// nested is an event with n levels of arrays in it.
func nested(n int) string {
	return `{"userId":"u","type":"track","x":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`
}

func TestDecodeEventAccepts(t *testing.T) {
	rs := compileText(t, readerRules)
	for _, tc := range []struct {
		name, body string
		check      func(*Event) bool
	}{
		{"32 levels", nested(31), func(ev *Event) bool { return ev.Key == "u" }},
		{"track without a name", `{"type":"track","userId":"u","event":7}`, func(ev *Event) bool { return ev.Name == "" }},
		{"a page goes by name", `{"type":"page","userId":"u","event":"e","name":"n"}`, func(ev *Event) bool { return ev.Name == "n" }},
		{"anonymous key", `{"type":"track","anonymousId":"a"}`, func(ev *Event) bool { return ev.Key == "a" && ev.UserID == "" }},
		{"no timestamp", `{"type":"track","userId":"u"}`, func(ev *Event) bool { return ev.Timestamp == Never }},
		{"timestamps are truncated", `{"type":"track","userId":"u","timestamp":"1970-01-01T00:00:01.0019+00:00"}`, func(ev *Event) bool { return ev.Timestamp == 1001 }},
		{"numeric sessionId", `{"type":"track","userId":"u","context":{"sessionId":1662393792234,"sessionStart":true}}`, func(ev *Event) bool { return ev.SessionID == "1662393792234" && ev.SessionStart }},
		{"context twice, the last counts", `{"type":"track","userId":"u","context":{"sessionId":"s"},"context":{}}`, func(ev *Event) bool { return ev.SessionID == "" }},
		{"traits before type", `{"traits":{"plan":"pro","n":{"x":[1]}},"type":"identify","userId":"u"}`, func(ev *Event) bool {
			return reflect.DeepEqual(ev.Traits, map[string]any{"plan": "pro", "n": map[string]any{"x": []any{1.0}}})
		}},
		{"traits of a track are not merged", `{"traits":{"plan":"pro"},"type":"track","userId":"u"}`, func(ev *Event) bool { return ev.Traits == nil }},
		{"escaped names", `{"\u0074ype":"track","userId":"\ud83d\ude00\n"}`, func(ev *Event) bool { return ev.Key == "😀\n" }},
	} {
		ev, err := rs.DecodeEvent([]byte(tc.body), JSON)
		if err != nil || !tc.check(ev) {
			t.Errorf("%s: got %+v, %v", tc.name, ev, err)
		}
	}
}

// FuzzDecodeEvent compares the scanner with encoding/json: what it accepts,
// and every value it extracts.
func FuzzDecodeEvent(f *testing.F) {
	for _, seed := range []string{
		shopEvent, nested(3), `{"a":{"b":1},"a":2}`,
		`{"type":"track","userId":"u","properties":{"a":{"b":{"c":null},"b":3},"tags":["a",1,{}],"price":-0.0}}`,
		`{"type":"track","userId":"u","properties":{"a":{"b":{"c":"x"}}},"properties":{"price":1e3}}`,
		"{\"type\":\"track\",\"userId\":\"\xff\\ud800\\u0041\\ud83d\\ude00\xe2\x28\"}",
		`{"type":"identify","userId":"u","traits":{"plan":"pro"},"context":{"page":{"url":"/"}}}`,
		` { "type" : "track" , "userId" : "u" , "x" : [ true , false , null , 1.5E-3 ] } `,
		`{"type":"track","userId":"u","x":1e400}`, `{"type":"track","userId":"u","x":-NaN}`,
	} {
		f.Add([]byte(seed))
	}
	rs := compileText(f, readerRules)
	f.Fuzz(func(t *testing.T, body []byte) {
		ev, err := rs.DecodeEvent(body, JSON)
		var reference map[string]any
		referenceErr := json.Unmarshal(body, &reference)
		if err != nil {
			var rejection *Rejection
			if !errors.As(err, &rejection) {
				t.Fatalf("%v is no rejection", err)
			}
			if rejection.Reason == ReasonNotJSON && referenceErr == nil && reference != nil {
				t.Fatalf("refused what encoding/json accepts: %v", err)
			}
			return
		}
		if referenceErr != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", referenceErr)
		}
		compareEvent(t, rs, ev, reference)
	})
}

func compareEvent(t *testing.T, rs *RuleSet, ev *Event, reference map[string]any) {
	t.Helper()
	found := make(map[int32]any)
	for i := range ev.values {
		if _, twice := found[ev.values[i].slot]; twice {
			t.Fatalf("slot %d twice", ev.values[i].slot)
		}
		found[ev.values[i].slot] = ev.values[i].plain()
	}
	want := make(map[int32]any)
	for part, top := range map[string]*pathNode{"properties": &rs.paths.properties, "context": &rs.paths.context, "traits": &rs.paths.traits} {
		collect(top, reference[part], want)
	}
	if !reflect.DeepEqual(found, want) {
		t.Fatalf("extracted: got %v, want %v", found, want)
	}
	id, _ := reference["userId"].(string)
	if ev.UserID != id {
		t.Fatalf("userId: got %q, want %q", ev.UserID, id)
	}
	if traits, _ := reference["traits"].(map[string]any); ev.Call == Identify && !reflect.DeepEqual(ev.Traits, traits) {
		t.Fatalf("traits: got %v, want %v", ev.Traits, traits)
	}
}

func collect(n *pathNode, x any, into map[int32]any) {
	if n.slot >= 0 && x != nil {
		into[n.slot] = x
	}
	if object, ok := x.(map[string]any); ok {
		for _, k := range n.kids {
			collect(k, object[k.name], into)
		}
	}
}

// FuzzDecodeMessagePack turns JSON into MessagePack and expects the same
// event; and feeds the bytes as they are, which must not panic.
func FuzzDecodeMessagePack(f *testing.F) {
	f.Add([]byte(shopEvent))
	f.Add([]byte(`{"type":"identify","userId":"u\"\\\u0001","traits":{"a":[1,2.5,null,true,{}],"b":-3}}`))
	f.Add([]byte{0xdf, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0x81, 0xa1, 'a', 0xdb, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0x81, 0xa1, 'a', 0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{0x81, 0xa1, 'a', 0xd6, 0xff, 0, 0, 0, 1})
	f.Add(bytes.Repeat([]byte{0x91}, 100))
	rs := compileText(f, readerRules)
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := rs.DecodeEvent(body, MessagePack); err != nil {
			var rejection *Rejection
			if !errors.As(err, &rejection) {
				t.Fatalf("%v is no rejection", err)
			}
		}
		want, err := rs.DecodeEvent(body, JSON)
		if err != nil {
			return
		}
		var plain map[string]any
		if err := json.Unmarshal(body, &plain); err != nil {
			t.Fatal(err)
		}
		packed, err := msgpack.Marshal(plain)
		if err != nil {
			t.Fatal(err)
		}
		got, err := rs.DecodeEvent(packed, MessagePack)
		if err != nil && len(packed) <= EventMax {
			t.Fatalf("from MessagePack: %v", err)
		}
		if err == nil {
			got.body, want.body = "", ""
			sortValues(got.values)
			sortValues(want.values)
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("from MessagePack: got %+v, want %+v", got, want)
			}
		}
	})
}

func sortValues(vs []value) {
	for i := range vs {
		for j := i; j > 0 && vs[j].slot < vs[j-1].slot; j-- {
			vs[j], vs[j-1] = vs[j-1], vs[j]
		}
	}
}

func TestDecodeMessagePack(t *testing.T) {
	rs := compileText(t, readerRules)
	at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	packed, err := msgpack.Marshal(map[string]any{"type": "track", "userId": "u", "timestamp": at, "properties": map[string]any{"price": int64(7), "tags": []string{"a"}}})
	if err != nil {
		t.Fatal(err)
	}
	ev, err := rs.DecodeEvent(packed, MessagePack)
	if err != nil || ev.Timestamp != at.UnixMilli() {
		t.Fatalf("got %+v, %v, want timestamp %d", ev, err, at.UnixMilli())
	}
	packed, err = msgpack.Marshal(map[string]any{"type": "track", "userId": "u", "x": math.NaN()})
	if err != nil {
		t.Fatal(err)
	}
	var rejection *Rejection
	if _, err := rs.DecodeEvent(packed, MessagePack); !errors.As(err, &rejection) || rejection.Reason != ReasonBadNumber {
		t.Errorf("NaN: got %v, want %s", err, ReasonBadNumber)
	}
}

func FuzzDecodeTraits(f *testing.F) {
	f.Add([]byte(`{"userId":"u","traits":{"plan":"pro","n":null}}`))
	f.Add([]byte(`{"anonymousId":"a","traits":null}`))
	f.Add([]byte(`{"userId":"u","traits":[1]}`))
	f.Add([]byte(`{"userId":"u","traits":{"a":1},"traits":{"b":2}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		u, err := DecodeTraits(body, JSON)
		var rejection *Rejection
		if err != nil {
			if !errors.As(err, &rejection) {
				t.Fatalf("%v is no rejection", err)
			}
			return
		}
		var reference struct{ Traits map[string]any }
		var all map[string]any
		if err := json.Unmarshal(body, &all); err != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		reference.Traits, _ = all["traits"].(map[string]any)
		if !reflect.DeepEqual(u.Traits, reference.Traits) {
			t.Fatalf("got %v, want %v", u.Traits, reference.Traits)
		}
	})
}

func BenchmarkDecodeEvent(b *testing.B) {
	rs := compileText(b, readerRules)
	payload := []byte(shopEvent)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		ev, err := rs.DecodeEvent(payload, JSON)
		if err != nil || ev.Name != "Product Viewed" || len(ev.values) != 3 {
			b.Fatal(ev, err)
		}
	}
}

func BenchmarkDecodeEventMessagePack(b *testing.B) {
	rs := compileText(b, readerRules)
	var plain map[string]any
	if err := json.Unmarshal([]byte(shopEvent), &plain); err != nil {
		b.Fatal(err)
	}
	payload, err := msgpack.Marshal(plain)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		ev, err := rs.DecodeEvent(payload, MessagePack)
		if err != nil || ev.Name != "Product Viewed" {
			b.Fatal(ev, err)
		}
	}
}
