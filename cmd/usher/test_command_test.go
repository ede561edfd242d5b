package main

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const testedYAML = `audience: keen
when:
  all:
    - {event: A, count: {gte: 2}, within: 1m}
    - {trait: plan, eq: pro}
linger: 30s
tests:
  - name: enters on the second, leaves a minute and the linger after the first
    traits: {plan: pro}
    timeline:
      - {at: 0s, track: A}
      - {at: 10s, track: A}
    expect:
      - {at: 10s, entered: true}
      - {at: 90s, exited: true}
  - name: free plans never do
    traits: {plan: free}
    timeline:
      - {at: 0s, track: A}
      - {at: 1s, track: A, properties: {price: 3}}
    expect: []
`

func TestTestPasses(t *testing.T) {
	got := runWith(t, "", "test", write(t, "keen.yaml", testedYAML))
	if got.code != exitOK || got.out != "2 tests: 2 passed, 0 failed\n" || got.err != "" {
		t.Errorf("got code %d, out %q, err %q", got.code, got.out, got.err)
	}
}

// TestTestDifference shows each kind of first difference.
func TestTestDifference(t *testing.T) {
	for _, c := range []struct{ name, from, to, want string }{
		{"surplus", "      - {at: 10s, entered: true}\n      - {at: 90s", "      - {at: 90s", `
FAIL keen: enters on the second, leaves a minute and the linger after the first (FILE:8:5)
          0s  traits {"plan":"pro"}
          0s  track A
         10s  track A
+        10s  -> entered, cause event
                [x] event A within 1m: 2, needs >= 2
                [x] trait plan: pro, needs = pro
-      1m30s  exited was expected, at FILE:14:9

2 tests: 1 passed, 1 failed
`},
		{"at another time", "at: 90s, exited", "at: 91s, exited", `
FAIL keen: enters on the second, leaves a minute and the linger after the first (FILE:8:5)
          0s  traits {"plan":"pro"}
          0s  track A
         10s  track A
         10s  -> entered, cause event
+      1m30s  -> exited, cause deadline
                [ ] event A within 1m: 0, needs >= 2
                [x] trait plan: pro, needs = pro
-      1m31s  exited was expected, at FILE:15:9

2 tests: 1 passed, 1 failed
`},
		{"missing", "    expect: []\n", "    expect: [{at: 2s, entered: true}]\n", `
FAIL keen: free plans never do (FILE:16:5)
          0s  traits {"plan":"free"}
          0s  track A
          1s  track A {"properties":{"price":3}}
-         2s  entered was expected, at FILE:21:14

2 tests: 1 passed, 1 failed
`},
		{"unusable", "track: A, properties: {price: 3}", `track: A, timestamp: "1930-01-01T00:00:00Z"`, `
FAIL keen: free plans never do (FILE:16:5)
  FILE:20:9: bad_timestamp: timestamp outside the years 1970 to 9999: "1930-01-01T00:00:00Z"

2 tests: 1 passed, 1 failed
`},
	} {
		path := write(t, "keen.yaml", strings.Replace(testedYAML, c.from, c.to, 1))
		got := runWith(t, "", "test", path)
		want := strings.TrimPrefix(strings.ReplaceAll(c.want, "FILE", path), "\n")
		if got.code != exitDifference || got.out != want || got.err != "usher: 1 test of 2 failed\n" {
			t.Errorf("%s: got code %d, out\n%s\nerr %q\nwant\n%s", c.name, got.code, got.out, got.err, want)
		}
	}
}

func TestTestReports(t *testing.T) {
	path := write(t, "keen.yaml", strings.Replace(testedYAML, "at: 90s, exited", "at: 91s, exited", 1))
	report := filepath.Join(t.TempDir(), "report.xml")
	got := runWith(t, "", "test", path, "--json", "--junit", report)
	lines := strings.Split(strings.TrimSpace(got.out), "\n")
	var first testResult
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil || len(lines) != 2 {
		t.Fatalf("got %q: %v", got.out, err)
	}
	if first.Passed || first.Matched != 1 || len(first.Expected) != 2 || first.Observed[1] != (testTransition{"1m30s", "exited"}) || first.Line != 8 {
		t.Errorf("got %+v", first)
	}
	data, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var suites junitSuites
	if err := xml.Unmarshal(data, &suites); err != nil {
		t.Fatal(err)
	}
	if suites.Tests != 2 || suites.Failures != 1 || len(suites.Suites) != 1 || len(suites.Suites[0].Cases) != 2 {
		t.Fatalf("got %+v", suites)
	}
	failure := suites.Suites[0].Cases[0].Failure
	if failure == nil || failure.Message != "exited at 1m31s was expected; exited at 1m30s happened" || !strings.Contains(failure.Text, "-> entered") {
		t.Errorf("got failure %+v", failure)
	}
	if suites.Suites[0].Cases[1].Failure != nil {
		t.Errorf("the second test failed, too")
	}
}

// TestTestUsers gives lines without a user to the first that is named, with
// the traits of the beginning.
func TestTestUsers(t *testing.T) {
	named := strings.ReplaceAll(testedYAML, "{at: 10s, track: A}", "{at: 10s, track: A, userId: someone}")
	if got := runWith(t, "", "test", write(t, "keen.yaml", named)); got.code != exitOK {
		t.Errorf("got code %d, out\n%s", got.code, got.out)
	}
	two := strings.ReplaceAll(named, "{at: 0s, track: A}", "{at: 0s, track: A, userId: other}")
	if got := runWith(t, "", "test", write(t, "keen.yaml", two)); got.code != exitDifference {
		t.Errorf("two users: got code %d, out\n%s", got.code, got.out)
	}
}

func TestTestNothing(t *testing.T) {
	got := runWith(t, "", "test", write(t, "a.yaml", seenYAML))
	if got.code != exitOK || got.out != "" || got.err != "no tests in 1 audience\n" {
		t.Errorf("got code %d, out %q, err %q", got.code, got.out, got.err)
	}
	if got := runWith(t, "", "test"); got.code != exitUsage {
		t.Errorf("without a file: got code %d, want %d", got.code, exitUsage)
	}
	if got := runWith(t, "", "test", write(t, "wrong.yaml", "audience: seen\n")); got.code != exitUsage {
		t.Errorf("a wrong definition: got code %d, want %d", got.code, exitUsage)
	}
}
