package dryrun_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/usher-audiences/usher/actors/dryrun"
	"github.com/usher-audiences/usher/rules"
)

// TestAppendTransition compares what is written by hand with what the wire
// form reads and writes.
func TestAppendTransition(t *testing.T) {
	full := rules.Published{N: 3, Transition: rules.Transition{
		Kind: rules.Entered, Audience: "a-1", Version: 2, Shadow: true, Key: "ü \"1\"", UserID: "ü \"1\"", AnonymousID: "d\u2028",
		SessionID: "s", Position: rules.Position{At: 1767225600123, Seq: 7, Order: 1}, Cause: rules.CauseEvent,
		MessageID: "m\t", EventName: "<A&B>", ExpiresAt: 1767225600124,
		Because: []rules.Reason{
			{Condition: "event A", Observed: 2, Needs: ">= 2", True: true, Inexact: true},
			{Condition: "trait x", Observed: map[string]any{"a": []any{1.5, nil, true}}, Needs: "exists"},
			{Condition: "trait y", Observed: "t", Needs: "= t"}, {Condition: "z", Observed: nil}, {Observed: false}, {Observed: 1e300},
		},
	}}
	bare := rules.Published{N: 2, Transition: rules.Transition{Kind: rules.Exited, Audience: "b", Key: "k", Cause: rules.CauseWindow, ExpiresAt: rules.Never}}
	named := bare
	named.EventName = "B"
	for _, p := range []rules.Published{full, bare, named} {
		line := dryrun.AppendTransition([]byte("before "), &p)
		got := decoded(t, strings.TrimPrefix(string(line), "before "))
		wire, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if want := decoded(t, string(wire)); !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	const want = `{"key":"k","audience":"b","n":2,"type":"exited","at":"1970-01-01T00:00:00.000Z","cause":"window","version":0,` +
		`"position":"0-0-0","expiresAt":null,"because":[]}`
	if got := string(dryrun.AppendTransition(nil, &bare)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func decoded(t *testing.T, text string) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return object
}
