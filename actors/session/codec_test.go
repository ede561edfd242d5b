package session_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/rules"
)

// richSession is a session with a record of every kind.
func richSession(t testing.TB, rs *rules.RuleSet) *session.Session {
	t.Helper()
	s, ev := session.New("u", rs, session.Config{}), rules.NewEvaluator()
	for i := range 20 {
		body := fmt.Sprintf(`{"type":"track","event":"A","userId":"u","anonymousId":"a","messageId":"m%d","context":{"sessionId":"s"}}`, i)
		if i == 10 {
			body = `{"type":"identify","userId":"u","traits":{"plan":"pro","n":1.5,"list":[true,null,{"x":"y"}]}}`
		}
		e, err := rs.DecodeEvent([]byte(body), rules.JSON)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Step(ev, rules.Input{At: start + int64(i)*20_000, Seq: uint64(i + 1), Event: e}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestDecodeRefusesAnotherRevision(t *testing.T) {
	saved := richSession(t, compileYAML(t, 1, richRules)).Encode(nil)
	if _, err := session.Decode("u", saved, compileYAML(t, 2, richRules), session.Config{}); !errors.Is(err, rules.ErrSnapshot) {
		t.Errorf("another revision: got %v, want ErrSnapshot", err)
	}
	if _, err := session.Decode("u", saved, compileYAML(t, 1, "audience: x\nwhen: {event: X}\n"), session.Config{}); !errors.Is(err, rules.ErrSnapshot) {
		t.Errorf("other rules: got %v, want ErrSnapshot", err)
	}
	if _, err := session.Decode("u", saved, compileYAML(t, 1, richRules), session.Config{}); err != nil {
		t.Errorf("the same rules, compiled again: %v", err)
	}
}

func TestDecodeRefusesEveryPrefix(t *testing.T) {
	rs := compileYAML(t, 1, richRules)
	saved := richSession(t, rs).Encode(nil)
	for n := range saved {
		if _, err := session.Decode("u", saved[:n], rs, session.Config{}); !errors.Is(err, rules.ErrSnapshot) {
			t.Fatalf("the first %d of %d bytes: got %v, want ErrSnapshot", n, len(saved), err)
		}
	}
}

func TestEncodeAppends(t *testing.T) {
	s := richSession(t, compileYAML(t, 1, richRules))
	want := append([]byte("before"), s.Encode(nil)...)
	if got := s.Encode([]byte("before")); !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

// FuzzDecode decodes nonsense: an error or a session that steps without a
// panic and that encodes to bytes which decode to the same.
func FuzzDecode(f *testing.F) {
	rs := compileYAML(f, 1, richRules)
	saved := richSession(f, rs).Encode(nil)
	f.Add(saved)
	f.Add(session.New("u", rs, session.Config{}).Encode(nil))
	f.Add([]byte{0xdd, 0xff, 0xff, 0xff, 0xff})
	for i := 0; i < len(saved); i += 7 {
		broken := bytes.Clone(saved)
		broken[i] ^= 0x55
		f.Add(broken)
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		s, err := session.Decode("u", state, rs, session.Config{})
		if err != nil {
			if !errors.Is(err, rules.ErrSnapshot) {
				t.Fatalf("%v is not ErrSnapshot", err)
			}
			return
		}
		again, err := session.Decode("u", s.Encode(nil), rs, session.Config{})
		if err != nil || !bytes.Equal(again.Encode(nil), s.Encode(nil)) {
			t.Fatalf("decoded, encoded and decoded again: %v", err)
		}
		at, seq := s.Applied()
		if at > start*2 || seq > 1<<60 {
			return
		}
		e, err := rs.DecodeEvent([]byte(`{"type":"track","event":"A","userId":"u"}`), rules.JSON)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Step(rules.NewEvaluator(), rules.Input{At: max(at, start) + 60_000, Seq: seq + 1, Event: e}); err != nil {
			t.Fatal(err)
		}
	})
}
