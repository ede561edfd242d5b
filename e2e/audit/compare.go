package audit

import (
	"fmt"
	"slices"

	"github.com/usher-audiences/usher/rules"
)

// Difference is one way in which what is stored is not what must be.
type Difference struct {
	Kind     DifferenceKind
	Register string // shadow., audience and key; empty for a rejected message
	Detail   string
}

// DifferenceKind says what sort of difference it is.
type DifferenceKind string

// The kinds of difference.
const (
	Lost       DifferenceKind = "lost"       // expected, not stored
	Doubled    DifferenceKind = "doubled"    // stored again at the same position
	Unexpected DifferenceKind = "unexpected" // stored, not expected
	Wrong      DifferenceKind = "wrong"      // stored in its place, with something else in it
)

// String is one line for a person.
func (d Difference) String() string {
	return fmt.Sprintf("%s %s: %s", d.Kind, d.Register, d.Detail)
}

// registerName names a transition's register.
func registerName(t *rules.Transition) string {
	name := string(t.Audience) + " " + string(t.Key)
	if t.Shadow {
		return "shadow " + name
	}
	return name
}

// Compare demands that every register's stored transitions, in the order in
// which they are stored, equal the expected ones. Differences come by
// register.
func Compare(expected []Expected, actual []rules.Published) []Difference {
	wanted := make(map[string][]Expected)
	stored := make(map[string][]rules.Published)
	var names []string
	for _, t := range expected {
		name := registerName(&t.Transition)
		if wanted[name] == nil {
			names = append(names, name)
		}
		wanted[name] = append(wanted[name], t)
	}
	for _, t := range actual {
		name := registerName(&t.Transition)
		if wanted[name] == nil && stored[name] == nil {
			names = append(names, name)
		}
		stored[name] = append(stored[name], t)
	}
	slices.Sort(names)
	var out []Difference
	for _, name := range names {
		out = append(out, compareRegister(name, wanted[name], stored[name])...)
	}
	return out
}

// compareRegister pairs transitions by position, so that one that is missing
// does not make all after it look wrong.
func compareRegister(name string, wanted []Expected, stored []rules.Published) []Difference {
	var out []Difference
	differ := func(kind DifferenceKind, format string, args ...any) {
		out = append(out, Difference{Kind: kind, Register: name, Detail: fmt.Sprintf(format, args...)})
	}
	places := make(map[rules.Position]int)
	for i := range wanted {
		places[wanted[i].Position] = i
	}
	found := make([]bool, len(wanted))
	reached := -1
	for i := range stored {
		got := &stored[i]
		place, known := places[got.Position]
		switch {
		case !known:
			differ(Unexpected, "stored %s", describe(got))
			continue
		case found[place]:
			differ(Doubled, "stored again %s", describe(got))
			continue
		case place < reached:
			differ(Wrong, "stored after a later one: %s", describe(got))
		}
		found[place], reached = true, max(reached, place)
		if wrong := unequal(&wanted[place].Published, got); wrong != "" {
			differ(Wrong, "%s: %s", describe(got), wrong)
		}
		if place+1 < len(wanted) && wanted[place+1].TimeAlone && got.ExpiresAt > wanted[place+1].Position.At {
			differ(Wrong, "%s: expires at %d, time alone changed it at %d", describe(got), got.ExpiresAt, wanted[place+1].Position.At)
		}
	}
	for i := range wanted {
		if !found[i] {
			differ(Lost, "not stored: %s", describe(&wanted[i].Published))
		}
	}
	return out
}

// unequal names the first field in which two transitions differ.
func unequal(want, got *rules.Published) string {
	for _, f := range []struct {
		name      string
		want, got any
	}{
		{"type", want.Kind, got.Kind},
		{"n", want.N, got.N},
		{"cause", want.Cause, got.Cause},
		{"version", want.Version, got.Version},
		{"userId", want.UserID, got.UserID},
		{"anonymousId", want.AnonymousID, got.AnonymousID},
		{"sessionId", want.SessionID, got.SessionID},
		{"messageId", want.MessageID, got.MessageID},
		{"event name", want.EventName, got.EventName},
	} {
		if f.want != f.got {
			return fmt.Sprintf("%s is %v, want %v", f.name, f.got, f.want)
		}
	}
	if got.ExpiresAt <= got.Position.At {
		return fmt.Sprintf("expires at %d, which is not after it", got.ExpiresAt)
	}
	return ""
}

func describe(t *rules.Published) string {
	return fmt.Sprintf("%s n %d at %s (%s) by %s", t.Kind, t.N, t.Position, rules.FormatTime(t.Position.At), t.Cause)
}

// CompareRejected demands that every message that cannot be used is set aside
// at least once, with its reason, and no other.
func CompareRejected(expected, actual []Rejected) []Difference {
	wanted := make(map[uint64]string)
	for _, r := range expected {
		wanted[r.Seq] = r.Reason
	}
	var out []Difference
	found := make(map[uint64]bool)
	for _, r := range actual {
		reason, known := wanted[r.Seq]
		switch {
		case !known:
			out = append(out, Difference{Kind: Unexpected, Detail: fmt.Sprintf("message %d rejected as %s", r.Seq, r.Reason)})
		case reason != r.Reason:
			out = append(out, Difference{Kind: Wrong, Detail: fmt.Sprintf("message %d rejected as %s, want %s", r.Seq, r.Reason, reason)})
		}
		found[r.Seq] = true
	}
	for _, r := range expected {
		if !found[r.Seq] {
			out = append(out, Difference{Kind: Lost, Detail: fmt.Sprintf("message %d not rejected (%s)", r.Seq, r.Reason)})
		}
	}
	return out
}

// CheckRegisters demands what holds of every register whatever was lost: n
// counts without a gap, odd n is entered and even n exited, positions grow. A
// register that lost all it held goes on with its n.
func CheckRegisters(actual []rules.Published) []Difference {
	var out []Difference
	last := make(map[string]*rules.Published)
	for i := range actual {
		t := &actual[i]
		name := registerName(&t.Transition)
		want, before := t.N, last[name]
		if before != nil {
			want = before.N + 1
		}
		kind := rules.Exited
		if want%2 == 1 {
			kind = rules.Entered
		}
		switch {
		case t.N != want:
			out = append(out, Difference{Wrong, name, fmt.Sprintf("%s: n is %d, want %d", describe(t), t.N, want)})
		case t.Kind != kind:
			out = append(out, Difference{Wrong, name, fmt.Sprintf("%s: want %s", describe(t), kind)})
		case before != nil && t.Position.Compare(before.Position) <= 0:
			out = append(out, Difference{Wrong, name, fmt.Sprintf("%s: not after %s", describe(t), before.Position)})
		}
		last[name] = t
	}
	return out
}
