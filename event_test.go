package usher

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func TestEventOnTheWire(t *testing.T) {
	at := time.Date(2026, 11, 23, 11, 0, 0, 123456789, time.FixedZone("CET", 3600))
	tests := []struct {
		event Event
		key   UserKey
		want  string
	}{
		{
			Event{Event: "Product Added", UserID: "u_42", AnonymousID: "a_9", MessageID: "m1", Properties: map[string]any{"price": 120}},
			"u_42",
			`{"type":"track","event":"Product Added","userId":"u_42","anonymousId":"a_9","messageId":"m1","properties":{"price":120}}`,
		},
		{
			Event{Type: Page, Name: "Pricing", AnonymousID: "a.9", MessageID: "m2", Timestamp: at},
			"a.9",
			`{"type":"page","name":"Pricing","anonymousId":"a.9","messageId":"m2","timestamp":"2026-11-23T10:00:00.123Z"}`,
		},
		{
			Event{Type: Identify, UserID: "u", MessageID: "m3", Traits: map[string]any{"plan": nil}, Context: map[string]any{"sessionId": "s"}},
			"u",
			`{"type":"identify","userId":"u","messageId":"m3","traits":{"plan":null},"context":{"sessionId":"s"}}`,
		},
	}
	for _, tt := range tests {
		key, data, err := tt.event.encode()
		if err != nil || key != tt.key || string(data) != tt.want {
			t.Errorf("encode %+v\n got %q %s, %v\nwant %q %s", tt.event, key, data, err, tt.key, tt.want)
		}
	}
}

func TestEventGetsAMessageID(t *testing.T) {
	ids := map[string]bool{}
	for range 100 {
		_, data, err := Event{Event: "E", UserID: "u"}.encode()
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ MessageID string }
		if err := json.Unmarshal(data, &got); err != nil || got.MessageID == "" || ids[got.MessageID] {
			t.Fatalf("encode = %s, %v; want a message id not used before", data, err)
		}
		ids[got.MessageID] = true
	}
}

func TestEventRefused(t *testing.T) {
	tests := []struct {
		name  string
		event Event
		want  error
	}{
		{"nobody", Event{Event: "E"}, ErrNoKey},
		{"key too long", Event{Event: "E", UserID: strings.Repeat("x", 257)}, ErrNoKey},
		{"no name", Event{UserID: "u"}, ErrEvent},
		{"unknown type", Event{Type: "trak", Event: "E", UserID: "u"}, ErrEvent},
		{"not JSON", Event{Event: "E", UserID: "u", Properties: map[string]any{"x": math.NaN()}}, ErrEvent},
	}
	for _, tt := range tests {
		if _, data, err := tt.event.encode(); !errors.Is(err, tt.want) {
			t.Errorf("%s: encode = %s, %v; want %v", tt.name, data, err, tt.want)
		}
	}
	if _, err := check("u", make([]byte, MessageMax+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("check(%d bytes) = %v, want %v", MessageMax+1, err, ErrTooLarge)
	}
	if _, err := check("u", make([]byte, MessageMax)); err != nil {
		t.Errorf("check(%d bytes) = %v, want no error", MessageMax, err)
	}
}
