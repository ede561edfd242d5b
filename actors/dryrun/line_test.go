package dryrun_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/usher-audiences/usher/actors/dryrun"
	"github.com/usher-audiences/usher/rules"
)

// FuzzParseLine compares with the library's reading of the same object.
func FuzzParseLine(f *testing.F) {
	for _, line := range []string{
		`{"t":"2026-01-01T00:00:00.000Z","kind":"event","body":{"type":"track","event":"A","userId":"u"}}`,
		`{"kind":"tick", "t" : "2026-01-01T00:00:00Z" }`, `{"kind":"traits","t":"2026-01-01T00:00:00Z","body":[1,{"a":"]}\""}]}`,
		`{"type":"track","kind":"event"}`, `{"k\u0069nd":"x","note":"\"kind\""}`, `{"kind":5,"t":null}`, `{"kind":"tick"`, `{} "kind"`, `{"kind":"event","t":"2026-01-01T00:00:00Z","body":-1.5e3,"a":[true,null]}`,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		m, err := dryrun.ParseLine(line)
		var rejected *rules.Rejection
		if err != nil && !errors.As(err, &rejected) {
			t.Fatalf("%q: %v is not a rejection", line, err)
		}
		if m.At < dryrun.FromTimestamp || m.Kind > rules.TickInput {
			t.Fatalf("%q: got %+v", line, m)
		}
		var members map[string]json.RawMessage
		if json.Unmarshal(line, &members) != nil || members == nil || repeats(line, len(members)) {
			return
		}
		_, typed := members["type"]
		kind, enveloped := members["kind"]
		if !enveloped || typed || !bytes.Contains(line, []byte(`"kind"`)) {
			if m.At != dryrun.FromTimestamp || m.Kind != rules.EventInput || err != nil || !bytes.Equal(m.Body, line) {
				t.Fatalf("%q is no envelope: got %+v, %v", line, m, err)
			}
			return
		}
		if err != nil {
			return
		}
		var at, word string
		_ = json.Unmarshal(members["t"], &at) // stays empty if it is no text
		_ = json.Unmarshal(kind, &word)
		want, _ := time.Parse(time.RFC3339, at)
		if m.At != want.UnixMilli() || word == "tick" != (m.Kind == rules.TickInput) || word != "tick" && !bytes.Equal(bytes.TrimSpace(m.Body), bytes.TrimSpace(members["body"])) {
			t.Fatalf("%q: got %+v, want t %s, kind %s, body %s", line, m, at, word, members["body"])
		}
	})
}

// repeats tells whether an object names a member twice: it then has more
// members than names.
func repeats(line []byte, names int) bool {
	d := json.NewDecoder(bytes.NewReader(line))
	if _, err := d.Token(); err != nil {
		return true
	}
	members := 0
	for d.More() {
		var value json.RawMessage
		if _, err := d.Token(); err != nil {
			return true
		}
		if err := d.Decode(&value); err != nil {
			return true
		}
		members++
	}
	return members != names
}
