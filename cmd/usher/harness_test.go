package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// waitMax bounds every wait of a test. It is long because it only passes when
// something is broken.
const waitMax = 30 * time.Second

// transcript is an output that a test can wait on.
type transcript struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func newTranscript() *transcript { return &transcript{changed: make(chan struct{})} }

func (tr *transcript) Write(p []byte) (int, error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	close(tr.changed)
	tr.changed = make(chan struct{})
	return tr.text.Write(p)
}

func (tr *transcript) String() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.text.String()
}

// await waits until the output matches, and returns the submatches.
func (tr *transcript) await(t *testing.T, pattern string) []string {
	t.Helper()
	expression := regexp.MustCompile(pattern)
	deadline := time.After(waitMax)
	for {
		tr.mu.Lock()
		found, changed := expression.FindStringSubmatch(tr.text.String()), tr.changed
		tr.mu.Unlock()
		if found != nil {
			return found
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("no %q within %v in:\n%s", pattern, waitMax, tr)
		}
	}
}

// call is one run of the command.
type call struct {
	out, err *transcript
	cancel   context.CancelCauseFunc
	code     chan int
}

// begin starts the command; it is interrupted at the end of the test.
func begin(t *testing.T, stdin string, env map[string]string, args ...string) *call {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	c := &call{out: newTranscript(), err: newTranscript(), cancel: cancel, code: make(chan int, 1)}
	con := &console{
		in: strings.NewReader(stdin), out: c.out, err: c.err,
		env: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
	}
	go func() { c.code <- run(ctx, args, con) }()
	t.Cleanup(func() {
		cancel(&interruption{syscall.SIGTERM})
		c.end(t)
	})
	return c
}

// end waits for the exit code.
func (c *call) end(t *testing.T) int {
	t.Helper()
	select {
	case code := <-c.code:
		c.code <- code
		return code
	case <-time.After(waitMax):
		t.Fatalf("still running after %v; it wrote:\n%s%s", waitMax, c.out, c.err)
		return -1
	}
}

// usherRun runs the command to its end.
func usherRun(t *testing.T, args ...string) (code int, out, err string) {
	t.Helper()
	c := begin(t, "", nil, args...)
	code = c.end(t)
	return code, c.out.String(), c.err.String()
}

// mustRun runs the command and wants it to succeed.
func mustRun(t *testing.T, args ...string) (out, err string) {
	t.Helper()
	code, out, err := usherRun(t, args...)
	if code != exitOK {
		t.Fatalf("usher %s: exit code %d\n%s%s", strings.Join(args, " "), code, out, err)
	}
	return out, err
}

// installation is a running `usher serve`.
type installation struct {
	*call
	url, http, data string
}

// serveForTest starts a node on free ports, with two partitions.
func serveForTest(t *testing.T, args ...string) *installation {
	t.Helper()
	return serveOn(t, t.TempDir(), args...)
}

func serveOn(t *testing.T, data string, args ...string) *installation {
	t.Helper()
	args = append([]string{"serve", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", data, "--partitions", "2"}, args...)
	c := begin(t, "", nil, args...)
	found := c.err.await(t, `(?s)NATS +(\S+)\n.*operators +(\S+).*Ctrl-C`)
	return &installation{call: c, url: found[1], http: found[2], data: data}
}

// write puts a file into a directory of its own and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const buyersText = `audience: buyers
name: Buyers
when: {event: Order Completed, within: lifetime}
`

const viewersText = `audience: viewers
when:
  event: Product Viewed
  count: {gte: %d}
  within: session
`

func viewers(views int) string { return fmt.Sprintf(viewersText, views) }
