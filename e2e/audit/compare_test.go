package audit

import (
	"slices"
	"testing"

	"github.com/usher-audiences/usher/rules"
)

// sample is what must be stored in two registers: five transitions in the
// first, the second and fourth by time alone, and two in the other.
func sample() []Expected {
	transition := func(audience rules.AudienceKey, n uint64, at int64, seq uint64, alone bool) Expected {
		t := Expected{TimeAlone: alone}
		t.Audience, t.Key, t.N, t.Version, t.SessionID = audience, "ada", n, 1, "s"
		t.Kind, t.Position, t.Cause = rules.Exited, rules.Position{At: at, Seq: seq}, rules.CauseWindow
		if n%2 == 1 {
			t.Kind, t.Cause, t.MessageID = rules.Entered, rules.CauseEvent, "m"
		}
		return t
	}
	return []Expected{
		transition("fans", 1, 100, 1, false), transition("fans", 2, 200, 0, true),
		transition("fans", 3, 300, 3, false), transition("fans", 4, 400, 0, true),
		transition("fans", 5, 500, 5, false),
		transition("vip", 1, 100, 1, false), transition("vip", 2, 300, 3, false),
	}
}

// stored is the sample as it is stored when nothing is wrong.
func stored() []rules.Published {
	var out []rules.Published
	for _, e := range sample() {
		t := e.Published
		t.ExpiresAt = t.Position.At + 100
		out = append(out, t)
	}
	return out
}

func TestCompareEqual(t *testing.T) {
	if diffs := Compare(sample(), stored()); len(diffs) > 0 {
		t.Errorf("got %v, want no difference", diffs)
	}
	// Registers may lie between each other in the stream.
	mixed := stored()
	mixed[1], mixed[5] = mixed[5], mixed[1]
	mixed[4], mixed[6] = mixed[6], mixed[4]
	slices.SortStableFunc(mixed, func(a, b rules.Published) int { return a.Position.Compare(b.Position) })
	if diffs := Compare(sample(), mixed); len(diffs) > 0 {
		t.Errorf("mixed: got %v, want no difference", diffs)
	}
}

// TestComparePlanted plants one fault at a time, at every place, and demands
// that it is seen for what it is.
func TestComparePlanted(t *testing.T) {
	for name, fault := range map[string]struct {
		plant func(ts []rules.Published, i int) []rules.Published
		want  DifferenceKind
	}{
		"dropped": {func(ts []rules.Published, i int) []rules.Published { return slices.Delete(ts, i, i+1) }, Lost},
		"doubled": {func(ts []rules.Published, i int) []rules.Published { return slices.Insert(ts, i, ts[i]) }, Doubled},
		"swapped": {func(ts []rules.Published, i int) []rules.Published {
			if i == 4 || i == 6 {
				i--
			}
			ts[i], ts[i+1] = ts[i+1], ts[i]
			return ts
		}, Wrong},
		"early":      {func(ts []rules.Published, i int) []rules.Published { ts[i].Position.At--; return ts }, Lost},
		"late":       {func(ts []rules.Published, i int) []rules.Published { ts[i].Position.At++; return ts }, Unexpected},
		"noticed by": {func(ts []rules.Published, i int) []rules.Published { ts[i].Position.Seq++; return ts }, Unexpected},
		"order":      {func(ts []rules.Published, i int) []rules.Published { ts[i].Position.Order++; return ts }, Lost},
		"wrong n":    {func(ts []rules.Published, i int) []rules.Published { ts[i].N += 2; return ts }, Wrong},
		"wrong kind": {func(ts []rules.Published, i int) []rules.Published {
			ts[i].Kind = rules.Entered + rules.Exited - ts[i].Kind
			return ts
		}, Wrong},
		"wrong cause":      {func(ts []rules.Published, i int) []rules.Published { ts[i].Cause = rules.CauseDeadline; return ts }, Wrong},
		"wrong version":    {func(ts []rules.Published, i int) []rules.Published { ts[i].Version++; return ts }, Wrong},
		"wrong session":    {func(ts []rules.Published, i int) []rules.Published { ts[i].SessionID = "other"; return ts }, Wrong},
		"wrong message":    {func(ts []rules.Published, i int) []rules.Published { ts[i].MessageID = "other"; return ts }, Wrong},
		"other key":        {func(ts []rules.Published, i int) []rules.Published { ts[i].Key = "bob"; return ts }, Lost},
		"shadow":           {func(ts []rules.Published, i int) []rules.Published { ts[i].Shadow = true; return ts }, Unexpected},
		"expired already":  {func(ts []rules.Published, i int) []rules.Published { ts[i].ExpiresAt = ts[i].Position.At; return ts }, Wrong},
		"another audience": {func(ts []rules.Published, i int) []rules.Published { ts[i].Audience = "others"; return ts }, Unexpected},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range stored() {
				diffs := Compare(sample(), fault.plant(stored(), i))
				if !slices.ContainsFunc(diffs, func(d Difference) bool { return d.Kind == fault.want }) {
					t.Errorf("at %d: got %v, want one that is %s", i, diffs, fault.want)
				}
			}
		})
	}
}

// TestCompareExpires plants an expiry after the instant at which time alone
// changed the membership.
func TestCompareExpires(t *testing.T) {
	for _, i := range []int{0, 2} {
		ts := stored()
		ts[i].ExpiresAt = rules.Never
		if diffs := Compare(sample(), ts); len(diffs) != 1 || diffs[0].Kind != Wrong {
			t.Errorf("at %d: got %v, want one that is wrong", i, diffs)
		}
	}
	ts := stored()
	ts[1].ExpiresAt = rules.Never // a message came before the next
	if diffs := Compare(sample(), ts); len(diffs) > 0 {
		t.Errorf("got %v, want no difference", diffs)
	}
}

func TestCompareRejected(t *testing.T) {
	expected := []Rejected{{Seq: 3, Reason: rules.ReasonNotJSON}, {Seq: 8, Reason: rules.ReasonNoKey}}
	for name, c := range map[string]struct {
		actual []Rejected
		want   []DifferenceKind
	}{
		"equal":        {[]Rejected{{3, rules.ReasonNotJSON}, {8, rules.ReasonNoKey}, {3, rules.ReasonNotJSON}}, nil},
		"dropped":      {expected[:1], []DifferenceKind{Lost}},
		"wrong reason": {[]Rejected{{3, rules.ReasonNoKey}, {8, rules.ReasonNoKey}}, []DifferenceKind{Wrong}},
		"unexpected":   {append([]Rejected{{5, rules.ReasonPanic}}, expected...), []DifferenceKind{Unexpected}},
	} {
		var got []DifferenceKind
		for _, d := range CompareRejected(expected, c.actual) {
			got = append(got, d.Kind)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestCheckRegisters(t *testing.T) {
	if diffs := CheckRegisters(stored()); len(diffs) > 0 {
		t.Errorf("got %v, want no difference", diffs)
	}
	for name, plant := range map[string]func([]rules.Published){
		"gap":      func(ts []rules.Published) { ts[2].N = 5 },
		"parity":   func(ts []rules.Published) { ts[3].Kind = rules.Entered },
		"backward": func(ts []rules.Published) { ts[4].Position.At = 350 },
	} {
		ts := stored()
		plant(ts)
		if len(CheckRegisters(ts)) == 0 {
			t.Errorf("%s: got no difference", name)
		}
	}
}
