package partition_test

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/rules"
)

var rewrite = flag.Bool("rewrite", false, "write what the scripts give as what they should give")

// TestScripts runs testdata/*.txt. In a script each line that begins with
// "> " is one input, and the lines below it are the effects it should have.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("scripts: %v, %d found", err, len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runScript(t, file) })
	}
}

func runScript(t *testing.T, file string) {
	t.Helper()
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := &script{snapshots: map[string][]byte{}}
	var got strings.Builder
	lines := bufio.NewScanner(strings.NewReader(string(want)))
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "> "):
			fmt.Fprintln(&got, line)
			for _, e := range s.step(t, strings.Fields(line[2:])) {
				fmt.Fprintln(&got, describe(e))
			}
		case line == "" || strings.HasPrefix(line, "#"):
			fmt.Fprintln(&got, line)
		}
	}
	if got.String() == string(want) {
		return
	}
	if !*rewrite {
		t.Fatalf("%s: got\n%s\nwant\n%s", file, got.String(), want)
	}
	if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// script turns words into inputs. It remembers the snapshots the machine
// saved, by key, so that a later line can give one back.
type script struct {
	machine   *partition.Machine
	reading   int
	attempts  map[string]uint64 // of the last Publish or ReadRegister, by audience
	snapshots map[string][]byte
}

// args are the key=value words of a line.
type args map[string]string

func (a args) int(name string, or int64) int64 {
	v, ok := a[name]
	if !ok {
		return or
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func (a args) uint(name string) uint64 { return uint64(a.int(name, 0)) } //nolint:gosec // scripts hold small numbers

func (s *script) step(t *testing.T, words []string) []partition.Effect {
	t.Helper()
	a := args{}
	for _, w := range words[1:] {
		k, v, _ := strings.Cut(w, "=")
		a[k] = v
	}
	if words[0] == "machine" {
		s.machine = partition.New(partition.Config{
			Partitions: 1, SessionsMax: int(a.int("sessions", 0)), UndoneMax: int(a.int("undone", 0)),
		})
		s.attempts = map[string]uint64{}
		return nil
	}
	in := s.input(t, words[0], a)
	effects := s.machine.Step(in)
	for _, e := range effects {
		switch e := e.(type) {
		case partition.Read:
			s.reading = e.Reading
		case partition.Publish:
			s.attempts[string(e.Register.Audience)] = e.Attempt
		case partition.ReadRegister:
			s.attempts[string(e.Register.Audience)] = e.Attempt
		case partition.SaveSnapshot:
			s.snapshots[string(e.Key)] = e.Data
		}
	}
	return effects
}

func (s *script) input(t *testing.T, word string, a args) partition.Input {
	t.Helper()
	key := rules.UserKey(a["key"])
	register := partition.RegisterKey{Audience: rules.AudienceKey(a["audience"]), Key: key}
	switch word {
	case "start":
		return partition.Start{Now: a.int("now", 0)}
	case "clock":
		return partition.Clock{Now: a.int("now", 0)}
	case "checkpoint-due":
		return partition.CheckpointDue{}
	case "drain":
		return partition.Drain{}
	case "revision-available":
		return partition.RevisionAvailable{Revision: a.uint("revision")}
	case "checkpoint":
		return checkpointRead(a)
	case "transition-checked":
		return partition.TransitionChecked{Intact: a["intact"] == "true"}
	case "rules":
		return ruleSetRead(t, a.uint("revision"))
	case "scanned":
		return scanned(a)
	case "opened":
		return partition.LogOpened{Reading: s.reading, First: a.uint("first"), Last: a.uint("last"), Intact: a["intact"] != "false"}
	case "event", "traits", "tick", "put-rules", "garbage":
		return s.message(word, a)
	case "snapshot":
		return partition.SnapshotRead{Key: key, Data: s.stored(a), Revision: a.uint("revision")}
	case "stepped":
		return stepped(key, a)
	case "captured":
		return partition.Captured{Key: key, State: []byte("state"), AppliedAt: a.int("at", 0), AppliedSeq: a.uint("seq"), Next: a.int("next", rules.Never), Revision: a.uint("revision")}
	case "saved":
		return partition.SnapshotSaved{Key: key, Outcome: outcome(a), Revision: a.uint("revision")}
	case "checkpoint-saved":
		return partition.CheckpointSaved{Outcome: outcome(a)}
	case "passivated":
		return partition.Passivated{Key: key}
	case "published":
		return partition.Published{Register: register, Attempt: s.attempts[a["audience"]], Outcome: outcome(a), Seq: a.uint("seq")}
	case "register":
		return partition.RegisterRead{Register: register, Attempt: s.attempts[a["audience"]], Last: registerLast(a)}
	case "reject-stored":
		return partition.RejectStored{Seq: a.uint("seq")}
	case "tick-appended":
		return partition.TickAppended{Outcome: outcome(a)}
	case "rules-appended":
		return partition.RulesAppended{Revision: a.uint("revision"), Outcome: outcome(a)}
	case "query":
		return partition.Query{Key: key, ID: a.uint("id")}
	case "forget":
		return partition.Forget{Key: key, ID: a.uint("id")}
	case "erased":
		return partition.Erased{Key: key}
	}
	t.Fatalf("unknown input %q", word)
	return nil
}

func checkpointRead(a args) partition.Input {
	if _, ok := a["seq"]; !ok {
		return partition.CheckpointRead{}
	}
	return partition.CheckpointRead{Checkpoint: &partition.Checkpoint{
		Seq: a.uint("seq"), Time: a.int("at", 0) * 1e6, LogTime: a.int("at", 0), Revision: a.uint("revision"),
		Transition: partition.StoredTransition{Sequence: a.uint("transition")},
	}}
}

func ruleSetRead(t *testing.T, revision uint64) partition.Input {
	t.Helper()
	set, err := rules.Compile(revision, nil)
	if err != nil {
		t.Fatal(err)
	}
	return partition.RuleSetRead{Rules: set}
}

func scanned(a args) partition.Input {
	in := partition.SnapshotsScanned{Scan: int(a.int("scan", 1)), Done: true}
	if a["key"] != "" {
		in.Heads = []partition.SnapshotHead{{Key: rules.UserKey(a["key"]), Next: a.int("next", rules.Never), Revision: a.uint("revision")}}
	}
	return in
}

func (s *script) message(word string, a args) partition.Input {
	m := partition.Message{Reading: s.reading, Seq: a.uint("seq"), Time: a.int("at", 0) * 1e6}
	switch word {
	case "event":
		m.Kind = partition.EventMessage
		m.Payload = fmt.Appendf(nil, `{"type":"track","event":"E","userId":%q}`, a["key"])
	case "traits":
		m.Kind = partition.TraitsMessage
		m.Payload = fmt.Appendf(nil, `{"userId":%q,"traits":{"plan":"pro"}}`, a["key"])
	case "tick":
		m.Kind = partition.TickMessage
		m.Payload = partition.EncodeTick(partition.AppendTick{At: a.int("for", 0)})
	case "put-rules":
		m.Kind = partition.RulesMessage
		m.Payload = partition.EncodeRules(a.uint("revision"), "")
	default:
		m.Kind = partition.EventMessage
		m.Payload = []byte("garbage")
	}
	return m
}

// stored gives back what the machine saved last for the key, or a record
// taken at another position.
func (s *script) stored(a args) []byte {
	switch a["data"] {
	case "none":
		return nil
	case "saved":
		return s.snapshots[a["key"]]
	case "damaged":
		return []byte("damaged")
	}
	snap := &partition.Snapshot{AppliedAt: a.int("at", 0), AppliedSeq: a.uint("seq"), Next: a.int("next", rules.Never), Revision: a.uint("rules"), State: []byte("state")}
	if a["audience"] != "" {
		snap.Registers = []partition.Register{{
			Audience: rules.AudienceKey(a["audience"]), Sequence: a.uint("register"), N: a.uint("n"),
			Kind: transitionKind(a["kind"]), Position: rules.Position{At: a.int("at", 0), Seq: a.uint("seq")}, Cause: rules.CauseEvent,
		}}
	}
	return partition.EncodeSnapshot(snap)
}

func stepped(key rules.UserKey, a args) partition.Input {
	in := partition.Stepped{Key: key, Next: a.int("next", rules.Never), Skipped: a["skipped"] == "true"}
	if a["panic"] != "" {
		in.Rejection = &rules.Rejection{Reason: rules.ReasonPanic, Detail: a["panic"]}
	}
	for _, k := range []string{"entered", "exited"} {
		if a[k] == "" {
			continue
		}
		in.Transitions = append(in.Transitions, rules.Transition{
			Kind: transitionKind(k), Audience: rules.AudienceKey(a[k]), Key: key,
			Position: rules.Position{At: a.int("at", 0), Seq: a.uint("seq")}, Cause: rules.CauseEvent, ExpiresAt: rules.Never,
		})
	}
	return in
}

func transitionKind(s string) rules.TransitionKind {
	switch s {
	case "entered":
		return rules.Entered
	case "exited":
		return rules.Exited
	}
	return rules.NoTransition
}

func registerLast(a args) partition.Register {
	return partition.Register{
		Sequence: a.uint("seq"), N: a.uint("n"), Kind: transitionKind(a["kind"]),
		Position: rules.Position{At: a.int("at", 0), Seq: a.uint("from")}, Cause: rules.CauseEvent,
	}
}

func outcome(a args) partition.Outcome {
	for o, name := range []string{"stored", "refused", "doubt"} {
		if _, ok := a[name]; ok {
			return partition.Outcome(o) //nolint:gosec // three of them
		}
	}
	panic("an outcome is stored, refused or doubt")
}
