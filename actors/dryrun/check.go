package dryrun

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/rules"
)

// testUser is the user of a test whose timeline names none.
const testUser = "user"

// Moment is one thing that happened in a test: an input, or a transition of
// the audience that is tested.
type Moment struct {
	At         rules.Millis // since the test's 0s
	Input      *rules.TestInput
	Transition *rules.Published
}

// Outcome is how a test block came out.
type Outcome struct {
	// Moments is all that happened, in order.
	Moments []Moment
	// Expected is what the test expects, in the order of time.
	Expected []rules.TestExpectation
	// Matched is how many of them came true before the first difference.
	Matched int
	// Missing is the expectation that did not come true, and Surplus the
	// transition that stands in its place or that nobody expected. Both are
	// nil if the test passed.
	Missing *rules.TestExpectation
	Surplus *Moment
	// Session is the user's at the end of the test.
	Session *session.Session
}

// Passed tells whether there was no difference.
func (o *Outcome) Passed() bool { return o.Missing == nil && o.Surplus == nil }

// Check runs one test block of an audience in virtual time. What it expects
// is complete up to the last instant that it names, or, if it expects
// nothing, up to its last input. The error is that of an input which cannot
// be used.
func Check(set *rules.RuleSet, audience rules.AudienceKey, test *rules.Test, config session.Config) (*Outcome, error) {
	c := &check{test: test, audience: audience, user: userOf(test), out: &Outcome{}}
	c.out.Expected = slices.Clone(test.Expect)
	slices.SortStableFunc(c.out.Expected, func(a, b rules.TestExpectation) int { return cmp.Compare(a.At, b.At) })
	c.run = New(set, config, c.note)
	if err := c.play(); err != nil {
		return nil, err
	}
	c.out.Session = c.run.Session(c.user)
	c.compare()
	return c.out, nil
}

type check struct {
	test     *rules.Test
	audience rules.AudienceKey
	user     rules.UserKey
	run      *Run
	out      *Outcome
	seq      uint64
}

// userOf returns the first user that the timeline names: traits at the
// beginning, and lines that name none, are that user's.
func userOf(test *rules.Test) rules.UserKey {
	for i := range test.Timeline {
		for _, field := range []string{"userId", "anonymousId"} {
			if id, ok := test.Timeline[i].Event[field].(string); ok {
				return rules.UserKey(id)
			}
		}
	}
	return testUser
}

func (c *check) note(p *rules.Published) {
	if p.Audience == c.audience {
		kept := *p
		c.out.Moments = append(c.out.Moments, Moment{At: rules.Millis(p.Position.At - c.test.Start), Transition: &kept})
	}
}

// play applies the timeline and lets time run on to the last expectation.
func (c *check) play() error {
	if c.test.Traits != nil {
		if err := c.apply(rules.TraitsInput, 0, map[string]any{"traits": c.test.Traits}); err != nil {
			return fmt.Errorf("traits: %w", err)
		}
	}
	for i := range c.test.Timeline {
		in := &c.test.Timeline[i]
		// Time passes first, so that the moments stand in their order.
		if err := c.run.Advance(c.test.Start + int64(in.At)); err != nil {
			return err
		}
		c.out.Moments = append(c.out.Moments, Moment{At: in.At, Input: in})
		kind, body := inputBody(in)
		if err := c.apply(kind, in.At, body); err != nil {
			return fmt.Errorf("%s: %w", in.Place, err)
		}
	}
	return c.run.Advance(c.test.Start + int64(c.until()))
}

// until is the instant up to which the expectations are complete.
func (c *check) until() rules.Millis {
	if n := len(c.out.Expected); n > 0 {
		return c.out.Expected[n-1].At
	}
	if n := len(c.test.Timeline); n > 0 {
		return c.test.Timeline[n-1].At
	}
	return 0
}

func inputBody(in *rules.TestInput) (rules.InputKind, map[string]any) {
	body := make(map[string]any, len(in.Event)+2)
	for name, value := range in.Event {
		body[name] = value
	}
	if in.Call == "traits" {
		return rules.TraitsInput, body
	}
	body["type"] = in.Call
	switch in.Call {
	case "track":
		body["event"] = in.Name
	case "page", "screen":
		body["name"] = in.Name
	}
	return rules.EventInput, body
}

func (c *check) apply(kind rules.InputKind, at rules.Millis, body map[string]any) error {
	if body["userId"] == nil && body["anonymousId"] == nil {
		body["userId"] = string(c.user)
	}
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	c.seq++
	return c.run.Apply(Message{Kind: kind, At: c.test.Start + int64(at), Seq: c.seq, Body: data})
}

// compare finds the first difference.
func (c *check) compare() {
	o, until := c.out, c.until()
	for i := range o.Moments {
		m := &o.Moments[i]
		if m.Transition == nil || m.At > until {
			continue
		}
		if o.Matched == len(o.Expected) {
			o.Surplus = m
			return
		}
		e := &o.Expected[o.Matched]
		if e.At != m.At || e.Entered != (m.Transition.Kind == rules.Entered) {
			o.Missing, o.Surplus = e, m
			return
		}
		o.Matched++
	}
	if o.Matched < len(o.Expected) {
		o.Missing = &o.Expected[o.Matched]
	}
}
