package usher

import (
	"errors"
	"testing"
	"time"
)

const onTheWire = `{"type":"exited","audience":"high-intent","version":3,"key":"u_42","userId":"u_42","anonymousId":"a_9",` +
	`"sessionId":"s1","n":6,"position":"1795428000123-48213-0","at":"2026-11-23T10:00:00.123Z","cause":"event",` +
	`"event":{"messageId":"m1","name":"Product Added"},"expiresAt":"2026-11-23T10:09:00Z",` +
	`"because":[{"condition":"event Pricing Viewed","observed":3,"needs":">= 3","true":true}]}`

func TestTransitionFromTheWire(t *testing.T) {
	got, err := decode("audiences.high-intent.u_42", []byte(onTheWire))
	if err != nil {
		t.Fatal(err)
	}
	if got.Type != Exited || got.Audience != "high-intent" || got.Key != "u_42" || got.N != 6 || got.Cause != CauseEvent {
		t.Errorf("decode = %+v", got)
	}
	if want := time.UnixMilli(1795428000123); !got.At.Equal(want) || got.Position.Seq != 48213 {
		t.Errorf("at %v, position %v; want %v and sequence 48213", got.At, got.Position, want)
	}
	if want := time.Date(2026, 11, 23, 10, 9, 0, 0, time.UTC); !got.ExpiresAt.Equal(want) {
		t.Errorf("expires at %v, want %v", got.ExpiresAt, want)
	}
	if len(got.Because) != 1 || !got.Because[0].True || got.Because[0].Needs != ">= 3" {
		t.Errorf("because %+v", got.Because)
	}
	back, err := got.MarshalJSON()
	if err != nil || string(back) != onTheWire {
		t.Errorf("marshalled %s, %v; want what was read", back, err)
	}
}

func TestUnreadableTransition(t *testing.T) {
	for _, data := range []string{"", "{", `{"type":"moved"}`, `{"type":"entered","position":"x"}`} {
		if got, err := decode("audiences.a.u", []byte(data)); !errors.Is(err, ErrUnreadable) {
			t.Errorf("decode(%q) = %+v, %v; want %v", data, got, err, ErrUnreadable)
		}
	}
}

func TestValidAudience(t *testing.T) {
	for a, want := range map[AudienceKey]bool{
		"": false, "high-intent": true, "a1": true, "High": false, "a.b": false, "a b": false, "*": false, ">": false, "é": false,
	} {
		if got := validAudience(a); got != want {
			t.Errorf("validAudience(%q) = %t, want %t", a, got, want)
		}
	}
}

func TestConnectSaysWhere(t *testing.T) {
	c, err := Connect("nats://127.0.0.1:1")
	if !errors.Is(err, ErrConnect) {
		t.Fatalf("Connect to a closed port = %v, %v; want %v", c, err, ErrConnect)
	}
}
