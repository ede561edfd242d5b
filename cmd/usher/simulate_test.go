package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ended is the outcome of one command.
type ended struct {
	code     int
	out, err string
}

// runWith runs the command to its end over a standard input.
func runWith(t *testing.T, stdin string, args ...string) ended {
	t.Helper()
	c := begin(t, stdin, nil, args...)
	code := c.end(t)
	return ended{code, c.out.String(), c.err.String()}
}

const seenYAML = "audience: seen\nwhen: {event: A, within: 10s}\n"

const seenLog = `{"type":"track","event":"A","userId":"u","timestamp":"2026-01-01T00:00:00.000Z"}
{"type":"track","event":"B","userId":"v","timestamp":"2026-01-01T00:00:05.000Z"}
`

const seenEntered = `{"key":"u","audience":"seen","n":1,"type":"entered","at":"2026-01-01T00:00:00.000Z","cause":"session_start",` +
	`"version":1,"userId":"u","sessionId":"1767225600000","position":"1767225600000-1-0","event":{"name":"A"},` +
	`"expiresAt":"2026-01-01T00:00:10.000Z","because":[{"condition":"event A within 10s","observed":1,"needs":">= 1","true":true}]}`

func TestSimulate(t *testing.T) {
	audiences, log := write(t, "a.yaml", seenYAML), write(t, "log.jsonl", seenLog)
	got := runWith(t, "", "simulate", "--audiences", audiences, "--log", log)
	if got.code != exitOK || got.out != seenEntered+"\n" {
		t.Errorf("got code %d, out\n%s\nerr\n%s\nwant 0 and\n%s", got.code, got.out, got.err, seenEntered)
	}
	if want := "2 lines of 2 users, 0 lines that cannot be used; 1 transition"; !strings.Contains(got.err, want) {
		t.Errorf("got %q, want %q in it", got.err, want)
	}
	// Time runs on; gzip, standard input and a directory of definitions.
	got = runWith(t, zipped(t, seenLog), "simulate", "--audiences", filepath.Dir(audiences), "--log", "-", "--end", "2026-01-01T00:00:10.000Z")
	if lines := strings.Split(got.out, "\n"); got.code != exitOK || len(lines) != 3 || lines[0] != seenEntered ||
		!strings.HasPrefix(lines[1], `{"key":"u","audience":"seen","n":2,"type":"exited","at":"2026-01-01T00:00:10.000Z","cause":"window"`) {
		t.Errorf("got code %d, out\n%s\nerr\n%s", got.code, got.out, got.err)
	}
}

func TestSimulateIdle(t *testing.T) {
	audiences := "[{audience: visiting, when: {event: A}}]"
	log := write(t, "log.jsonl", seenLog)
	got := runWith(t, audiences, "simulate", "--audiences", "-", "--log", log, "--idle", "3s", "--end", "2026-01-01T00:01:00Z")
	if want := `"type":"exited","at":"2026-01-01T00:00:03.000Z","cause":"session_end"`; got.code != exitOK || !strings.Contains(got.out, want) {
		t.Errorf("got code %d, out\n%s\nerr\n%s\nwant %s", got.code, got.out, got.err, want)
	}
}

func TestSimulateOut(t *testing.T) {
	to := filepath.Join(t.TempDir(), "out.jsonl")
	got := runWith(t, "", "simulate", "--audiences", write(t, "a.yaml", seenYAML), "--log", write(t, "l", seenLog), "--out", to)
	written, err := os.ReadFile(to)
	if err != nil || got.code != exitOK || got.out != "" || string(written) != seenEntered+"\n" {
		t.Errorf("got code %d, out %q, file %q, %v", got.code, got.out, written, err)
	}
}

// TestSimulateBadLines tells unusable lines by their number and goes on,
// unless it is to be strict.
func TestSimulateBadLines(t *testing.T) {
	audiences := write(t, "a.yaml", seenYAML)
	log := "oops\n" + seenLog + `{"t":"2026-01-01T00:00:06Z","kind":"evnt","body":{}}` + "\n"
	got := runWith(t, log, "simulate", "--audiences", audiences, "--log", "-")
	if got.code != exitOK || strings.Count(got.out, "\n") != 1 || !strings.Contains(got.err, "2 lines that cannot be used") ||
		!strings.Contains(got.err, "standard input:1: not_json") || !strings.Contains(got.err, "standard input:4: unknown_type") {
		t.Errorf("got code %d, out\n%s\nerr\n%s", got.code, got.out, got.err)
	}
	got = runWith(t, log, "simulate", "--audiences", audiences, "--log", "-", "--strict")
	if got.code != exitFailed || got.out != "" || !strings.Contains(got.err, "standard input:1: not_json") {
		t.Errorf("--strict: got code %d, out\n%s\nerr\n%s", got.code, got.out, got.err)
	}
}

func TestSimulateUsage(t *testing.T) {
	audiences, log := write(t, "a.yaml", seenYAML), write(t, "l", seenLog)
	wrong := write(t, "wrong.yaml", "audience: seen\nwhen: {evnt: A}\n")
	for _, args := range [][]string{
		{},
		{"--audiences", audiences},
		{"--log", log},
		{"--audiences", "-", "--log", "-"},
		{"--audiences", audiences, "--log", log, "--end", "soon"},
		{"--audiences", audiences, "--log", log, "--idle", "0s"},
		{"--audiences", audiences, "--log", log, "more"},
		{"--audiences", audiences, "--log", filepath.Join(t.TempDir(), "none")},
		{"--audiences", wrong, "--log", log},
	} {
		if got := runWith(t, "", append([]string{"simulate"}, args...)...); got.code != exitUsage || got.out != "" || got.err == "" {
			t.Errorf("%q: got code %d, out %q, err %q, want code 2", args, got.code, got.out, got.err)
		}
	}
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
