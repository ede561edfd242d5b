package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const recordingText = `{"type":"track","event":"Product Viewed","userId":"u1","messageId":"1","timestamp":"2019-10-01T02:17:02Z"}

{"type":"track","event":"Product Viewed","anonymousId":"a 1","messageId":"2","timestamp":"2019-10-01T02:17:02.5Z"}
not an event
{"type":"track","event":"Product Viewed","messageId":"3"}
{"type":"track","event":"Product Viewed","userId":"u1","messageId":"4","timestamp":"yesterday"}
{"type":"track","event":"Product Viewed","userId":"u1","messageId":"5"}`

func TestSource(t *testing.T) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := io.WriteString(w, recordingText); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"plain": []byte(recordingText), "gzip": zipped.Bytes()} {
		s, err := openSource(&console{in: bytes.NewReader(data)}, "-")
		if err != nil {
			t.Fatal(err)
		}
		got := readSource(t, s)
		want := "u1 a 1 bad:4 bad:5 bad:6 u1"
		if strings.Join(got, " ") != want {
			t.Errorf("%s: read %q, want %q", name, got, want)
		}
	}
}

// readSource returns the key of each event, and bad:<line> for each bad line.
func readSource(t *testing.T, s *source) []string {
	t.Helper()
	var got []string
	for {
		e, err := s.next()
		var bad *badLine
		switch {
		case errors.Is(err, io.EOF):
			return got
		case errors.As(err, &bad):
			got = append(got, fmt.Sprintf("bad:%d", s.number))
		case err != nil:
			t.Fatal(err)
		default:
			got = append(got, string(e.key))
		}
	}
}

func TestSourceBounds(t *testing.T) {
	large := `{"userId":"u","x":"` + strings.Repeat("x", 33<<10) + `"}`
	endless := `{"userId":"u","x":"` + strings.Repeat("x", 3<<20) + `"}`
	text := large + "\n" + endless + "\n" + `{"userId":"after"}`
	s, err := openSource(&console{in: strings.NewReader(text)}, "-")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(readSource(t, s), " "); got != "bad:1 bad:2 after" {
		t.Errorf("read %q", got)
	}
	cut := gzipped(t, strings.Repeat(recordingText+"\n", 100))
	if s, err = openSource(&console{in: bytes.NewReader(cut[:len(cut)/2])}, "-"); err != nil {
		t.Fatal(err)
	}
	for err == nil || errors.As(err, new(*badLine)) {
		_, err = s.next()
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that was cut off ends in %v", err)
	}
}

func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWithTimestamp(t *testing.T) {
	got, err := withTimestamp([]byte(`{"userId":"u","timestamp":"2019-10-01T02:17:02Z","properties":{"id":12345678901234567890,"x":[1.50]}}`), time.UnixMilli(0))
	want := `{"properties":{"id":12345678901234567890,"x":[1.50]},"timestamp":"1970-01-01T00:00:00.000Z","userId":"u"}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

func TestReplay(t *testing.T) {
	i := serveForTest(t)
	mustRun(t, "apply", write(t, "viewers.yaml", viewers(1)), "--nats", i.url)
	file := filepath.Join(t.TempDir(), "events.jsonl.gz")
	if err := os.WriteFile(file, gzipped(t, recordingText), 0o600); err != nil {
		t.Fatal(err)
	}
	watching := begin(t, "", nil, "watch", "--nats", i.url)
	watching.err.await(t, "watching")

	out, said := mustRun(t, "replay", file, "--shift-to-now", "--speed", "100", "--nats", i.url)
	if !strings.Contains(out, "published 3, refused 0, bad lines 3") {
		t.Errorf("replay:\n%s%s", out, said)
	}
	for _, bad := range []string{":4: not a JSON event", ":5: no usable userId", ":6: timestamp"} {
		if !strings.Contains(said, filepath.Base(file)+bad) {
			t.Errorf("no %q in:\n%s", bad, said)
		}
	}
	watching.out.await(t, `entered viewers +(u1|a 1) `)
	// Years ago, so in no session that is open now: nobody enters.
	out, _ = mustRun(t, "replay", file, "--speed", "max", "--json", "--nats", i.url)
	var result replayResult
	if err := json.Unmarshal([]byte(out), &result); err != nil || result.Published != 3 || result.Bad != 3 {
		t.Errorf("replay --json: %v\n%s", err, out)
	}
	code, out, said := usherRun(t, "replay", file, "--speed", "max", "--strict", "--nats", i.url)
	if code != exitFailed || !strings.Contains(said, ":4: not a JSON event") || !strings.Contains(out, "published 2,") {
		t.Errorf("replay --strict: exit code %d\n%s%s", code, out, said)
	}
}

// TestReplayKeepsThePace: half a second of a recording takes as long.
func TestReplayKeepsThePace(t *testing.T) {
	r := &replay{start: time.Now(), flags: replayFlags{speed: 2}}
	first := time.Date(2019, 10, 1, 2, 17, 2, 0, time.UTC)
	for _, at := range []time.Time{first, {}, first.Add(100 * time.Millisecond), first.Add(-time.Hour)} {
		if err := r.wait(t.Context(), at); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(r.start); took < 50*time.Millisecond {
		t.Errorf("100 ms at twice the pace took %v", took)
	}
}
