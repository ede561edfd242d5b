package main

import (
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/usher-audiences/usher/actors/dryrun"
	"github.com/usher-audiences/usher/rules"
)

// atWidth is the width of the column of instants in a timeline.
const atWidth = 10

// timeline says how a failed test went, up to the first difference.
func (t *tested) timeline() string {
	var b strings.Builder
	fmt.Fprintf(&b, "FAIL %s: %s (%s)\n", t.audience, t.name(), t.test.Place)
	if t.err != nil {
		fmt.Fprintf(&b, "  %v\n", t.err)
		return b.String()
	}
	if t.test.Traits != nil {
		momentLine(&b, ' ', 0, "traits "+valueWords(t.test.Traits))
	}
	t.moments(&b)
	return b.String()
}

// moments writes what happened up to the first difference, and there, in the
// order of time, what was expected (-) and what happened instead (+).
func (t *tested) moments(b *strings.Builder) {
	missing := t.outcome.Missing
	for i := range t.outcome.Moments {
		m := &t.outcome.Moments[i]
		if missing != nil && missing.At < m.At {
			missingLine(b, missing)
			if missing = nil; t.outcome.Surplus == nil {
				return
			}
		}
		if m == t.outcome.Surplus {
			surplusLines(b, m)
			break
		}
		momentLine(b, ' ', m.At, momentWords(m))
	}
	if missing != nil {
		missingLine(b, missing)
	}
}

func missingLine(b *strings.Builder, e *rules.TestExpectation) {
	momentLine(b, '-', e.At, expectationWords(e)+" was expected, at "+e.String())
}

func surplusLines(b *strings.Builder, m *dryrun.Moment) {
	momentLine(b, '+', m.At, momentWords(m))
	for _, r := range m.Transition.Because {
		fmt.Fprintf(b, "  %*s    [%s] %s\n", atWidth, "", mark(r.True), reasonWords(r))
	}
}

func momentLine(b *strings.Builder, mark byte, at rules.Millis, words string) {
	fmt.Fprintf(b, "%c %*s  %s\n", mark, atWidth, at, words)
}

func momentWords(m *dryrun.Moment) string {
	if p := m.Transition; p != nil {
		return fmt.Sprintf("-> %s, cause %s", p.Kind, p.Cause)
	}
	text := m.Input.Call
	if m.Input.Name != "" {
		text += " " + m.Input.Name
	}
	if len(m.Input.Event) > 0 {
		text += " " + valueWords(m.Input.Event)
	}
	return text
}

func expectationWords(e *rules.TestExpectation) string {
	if e.Entered {
		return "entered"
	}
	return "exited"
}

// testResult is a test's result as a script reads it. Instants are offsets
// from the test's 0s, written as definitions write them.
type testResult struct {
	Audience rules.AudienceKey `json:"audience"`
	Test     string            `json:"test"`
	File     string            `json:"file"`
	Line     int               `json:"line"`
	Passed   bool              `json:"passed"`
	Error    string            `json:"error,omitempty"`
	Expected []testTransition  `json:"expected"`
	Observed []testTransition  `json:"observed"`
	// Matched is how many transitions are as expected before the first
	// difference.
	Matched int `json:"matched"`
}

type testTransition struct {
	At   string `json:"at"`
	Type string `json:"type"`
}

func newTestResult(t *tested) testResult {
	r := testResult{
		Audience: t.audience, Test: t.name(), File: t.test.File, Line: t.test.Line, Passed: t.passed(),
		Expected: []testTransition{}, Observed: []testTransition{},
	}
	if t.err != nil {
		r.Error = t.err.Error()
		return r
	}
	r.Matched = t.outcome.Matched
	for i := range t.outcome.Expected {
		e := &t.outcome.Expected[i]
		r.Expected = append(r.Expected, testTransition{e.At.String(), expectationWords(e)})
	}
	for _, m := range t.outcome.Moments {
		if m.Transition != nil {
			r.Observed = append(r.Observed, testTransition{m.At.String(), m.Transition.Kind.String()})
		}
	}
	return r
}

// The parts of JUnit's XML that its readers agree on.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
		took     float64
	}
	junitCase struct {
		Name      string        `xml:"name,attr"`
		ClassName string        `xml:"classname,attr"`
		File      string        `xml:"file,attr,omitempty"`
		Line      int           `xml:"line,attr,omitempty"`
		Time      string        `xml:"time,attr"`
		Failure   *junitFailure `xml:"failure,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// junit writes the report: one suite for each audience.
func junit(all []*tested) []byte {
	report := junitSuites{Tests: len(all)}
	total := 0.0
	for _, t := range all {
		n := len(report.Suites)
		if n == 0 || report.Suites[n-1].Name != string(t.audience) {
			report.Suites = append(report.Suites, junitSuite{Name: string(t.audience)})
			n++
		}
		suite := &report.Suites[n-1]
		suite.add(t)
		total += t.took.Seconds()
		if !t.passed() {
			report.Failures++
		}
	}
	report.Time = seconds(total)
	data, err := xml.MarshalIndent(report, "", "  ")
	if err != nil {
		panic("usher: a report of plain text cannot be encoded: " + err.Error())
	}
	return append([]byte(xml.Header), append(data, '\n')...)
}

func (s *junitSuite) add(t *tested) {
	c := junitCase{Name: t.name(), ClassName: string(t.audience), File: t.test.File, Line: t.test.Line, Time: seconds(t.took.Seconds())}
	s.Tests++
	if !t.passed() {
		s.Failures++
		c.Failure = &junitFailure{Message: t.summary(), Text: t.timeline()}
	}
	s.took += t.took.Seconds()
	s.Time = seconds(s.took)
	s.Cases = append(s.Cases, c)
}

// summary says in one line what was different.
func (t *tested) summary() string {
	switch o := t.outcome; {
	case t.err != nil:
		return t.err.Error()
	case o.Missing == nil:
		return fmt.Sprintf("%s at %s was not expected", o.Surplus.Transition.Kind, o.Surplus.At)
	case o.Surplus == nil:
		return fmt.Sprintf("%s at %s did not happen", expectationWords(o.Missing), o.Missing.At)
	default:
		return fmt.Sprintf("%s at %s was expected; %s at %s happened", expectationWords(o.Missing), o.Missing.At,
			o.Surplus.Transition.Kind, o.Surplus.At)
	}
}

func seconds(s float64) string { return fmt.Sprintf("%.3f", s) }
