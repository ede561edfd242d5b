package session_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/rules"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the want sections of the scripts with what came out")

// start is 0s of every script: 2026-01-01T00:00:00Z.
const start int64 = 1767225600000

// TestScripts runs testdata/*.txt. A script has sections that begin with
// "-- NAME --": "rules" (YAML documents; "rules NAME" is another set, put in
// force by the line "TIME rules NAME"), "timeline", and "want". A line of the
// timeline is
//
//	TIME track|page|screen NAME [JSON]    an event; JSON holds more fields
//	TIME identify|group|alias [JSON]
//	TIME traits JSON                      a trait update
//	TIME tick
//	TIME rules NAME
//
// and idle DURATION may stand first. The key is u unless JSON names another
// userId. Every timeline is run three times: as it stands, with the session
// encoded and decoded before every line, and with every line given twice.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runScript(t, file) })
	}
}

func runScript(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sections := splitScript(string(text))
	for _, mode := range []string{"plain", "snapshot", "twice"} {
		got := newScript(t, sections).run(mode)
		want := sections.body("want")
		if *rewrite && mode == "plain" {
			before, _, _ := strings.Cut(string(text), "-- want --\n")
			if err := os.WriteFile(file, []byte(before+"-- want --\n"+got), 0o644); err != nil {
				t.Fatal(err)
			}
			want = got
			sections.setWant(got)
		}
		if got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", mode, got, want)
		}
	}
}

type section struct{ name, body string }

type sections []section

func splitScript(text string) sections {
	var out sections
	for line := range strings.Lines(text) {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), "-- ")
		if name, end := strings.CutSuffix(name, " --"); ok && end {
			out = append(out, section{name: name})
			continue
		}
		if len(out) > 0 {
			out[len(out)-1].body += line
		}
	}
	return out
}

func (ss sections) body(name string) string {
	for _, s := range ss {
		if s.name == name {
			return s.body
		}
	}
	return ""
}

func (ss sections) setWant(body string) {
	for i := range ss {
		if ss[i].name == "want" {
			ss[i].body = body
		}
	}
}

// script is one run of a timeline.
type script struct {
	t        *testing.T
	sections sections
	sets     map[string]*rules.RuleSet
	cfg      session.Config
	session  *session.Session
	ev       *rules.Evaluator
	set      *rules.RuleSet
	seq      uint64
	out      bytes.Buffer
}

func newScript(t *testing.T, ss sections) *script {
	sc := &script{t: t, sections: ss, sets: map[string]*rules.RuleSet{}, ev: rules.NewEvaluator()}
	revision := uint64(0)
	for _, s := range ss {
		name, ok := strings.CutPrefix(s.name, "rules")
		if ok {
			revision++
			sc.sets[strings.TrimSpace(name)] = compileYAML(t, revision, s.body)
		}
	}
	sc.set = sc.sets[""]
	return sc
}

func compileYAML(t testing.TB, revision uint64, text string) *rules.RuleSet {
	t.Helper()
	defs, err := rules.Parse("rules.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	versioned := make([]rules.Versioned, len(defs))
	for i, d := range defs {
		versioned[i] = rules.Versioned{Definition: d, Version: revision}
	}
	rs, err := rules.Compile(revision, versioned)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

func (sc *script) run(mode string) string {
	for line := range strings.Lines(sc.sections.body("timeline")) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if idle, ok := strings.CutPrefix(line, "idle "); ok {
			d, err := rules.ParseDuration(idle)
			if err != nil {
				sc.t.Fatal(err)
			}
			sc.cfg.Idle = d
			continue
		}
		if sc.session == nil {
			sc.session = session.New("u", sc.set, sc.cfg)
		}
		in := sc.input(line)
		if mode == "snapshot" {
			sc.restore()
		}
		sc.step(in)
		if mode == "twice" {
			sc.again(in)
		}
	}
	return sc.out.String()
}

func (sc *script) restore() {
	saved := sc.session.Encode(nil)
	s, err := session.Decode("u", saved, sc.session.Rules(), sc.cfg)
	if err != nil {
		sc.t.Fatal(err)
	}
	if again := s.Encode(nil); !bytes.Equal(again, saved) {
		sc.t.Errorf("encoded again: got %x, want %x", again, saved)
	}
	sc.session = s
}

func (sc *script) again(in rules.Input) {
	before := sc.session.Encode(nil)
	out, err := sc.session.Step(sc.ev, in)
	if in.Seq == 0 || err != nil {
		return
	}
	if !out.Skipped || len(out.Transitions) > 0 {
		sc.t.Errorf("at %d: the same input again was not skipped", in.At)
	}
	if !bytes.Equal(before, sc.session.Encode(nil)) {
		sc.t.Errorf("at %d: the same input again changed the state", in.At)
	}
}

func (sc *script) step(in rules.Input) {
	out, err := sc.session.Step(sc.ev, in)
	if err != nil {
		fmt.Fprintf(&sc.out, "%s rejected %v\n", offset(in.At), err)
		return
	}
	for _, tr := range out.Transitions {
		sc.print(tr)
	}
	if in.Kind == rules.RulesInput {
		sc.set = in.Rules
	}
}

func (sc *script) print(tr rules.Transition) {
	source := "deadline"
	if tr.Position.Seq != 0 {
		source = fmt.Sprintf("input %d", tr.Position.Seq)
	}
	name := string(tr.Audience)
	if tr.Shadow {
		name = "shadow." + name
	}
	expires := "never"
	if tr.ExpiresAt != rules.Never {
		expires = offset(tr.ExpiresAt)
	}
	id := tr.SessionID
	if id != "" && strings.HasPrefix(id, "17") {
		id = "@" + strings.TrimPrefix(id, "17672")
	}
	fmt.Fprintf(&sc.out, "%s %s %s: %s, %s order %d, session %q, expires %s\n",
		offset(tr.Position.At), tr.Kind, name, tr.Cause, source, tr.Position.Order, id, expires)
	for _, r := range tr.Because {
		seen, _ := json.Marshal(r.Observed)
		fmt.Fprintf(&sc.out, "    %v: %s is %s, needs %s\n", r.True, r.Condition, seen, r.Needs)
	}
}

func offset(at int64) string {
	return strconv.FormatFloat(float64(at-start)/1000, 'f', -1, 64) + "s"
}

func (sc *script) input(line string) rules.Input {
	at, rest, _ := strings.Cut(line, " ")
	d, err := rules.ParseDuration(at)
	if err != nil {
		sc.t.Fatalf("%s: %v", line, err)
	}
	word, rest, _ := strings.Cut(rest, " ")
	name, body, _ := strings.Cut(rest, "{")
	if body != "" {
		body = strings.ReplaceAll("{"+body, "X32K", strings.Repeat("x", 32700))
	}
	name = strings.TrimSpace(name)
	sc.seq++
	in := rules.Input{At: start + int64(d), Seq: sc.seq}
	switch word {
	case "tick":
		in.Kind = rules.TickInput
	case "rules":
		in.Kind, in.Rules = rules.RulesInput, sc.sets[name]
	case "traits":
		in.Kind = rules.TraitsInput
		in.Traits, err = rules.DecodeTraits([]byte(`{"userId":"u","traits":`+body+`}`), rules.JSON)
	default:
		in.Event, err = sc.set.DecodeEvent(eventJSON(sc.t, word, name, body), rules.JSON)
	}
	if err != nil {
		sc.t.Fatalf("%s: %v", line, err)
	}
	return in
}

func eventJSON(t *testing.T, call, name, body string) []byte {
	fields := map[string]any{}
	if body != "" {
		if err := json.Unmarshal([]byte(body), &fields); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
	}
	fields["type"] = call
	if _, ok := fields["userId"]; !ok {
		fields["userId"] = "u"
	}
	if name != "" && call == "track" {
		fields["event"] = name
	} else if name != "" {
		fields["name"] = name
	}
	if o, ok := fields["o"].(string); ok {
		d, err := rules.ParseDuration(strings.TrimPrefix(o, "-"))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(o, "-") {
			d = -d
		}
		delete(fields, "o")
		fields["timestamp"] = rules.FormatTime(start + int64(d))
	}
	out, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
