package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/usher-audiences/usher"
)

// waitMax bounds every wait for a program. It only passes when something is
// broken.
const waitMax = 60 * time.Second

// build returns the path of the usher binary, built once for all tests.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "usher-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "usher")
	if out, err := exec.Command("go", "build", "-o", path, "../cmd/usher").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// TestMain removes the binary at the end.
func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := build(); err == nil {
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(code)
}

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

func (tr *transcript) find(expression *regexp.Regexp) ([]string, <-chan struct{}) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return expression.FindStringSubmatch(tr.text.String()), tr.changed
}

// program is one run of the real binary. It ends with the test.
type program struct {
	cmd      *exec.Cmd
	out, err *transcript
	ended    chan struct{} // closed when it has ended
	patience time.Duration // bounds every wait for it
}

// start runs the binary. Nothing of the environment that begins with USHER_
// reaches it.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return startCommand(t, exec.Command(path, args...))
}

// startCommand starts any program.
func startCommand(t *testing.T, cmd *exec.Cmd) *program {
	t.Helper()
	p := &program{cmd: cmd, out: newTranscript(), err: newTranscript(), ended: make(chan struct{}), patience: waitMax}
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.err
	p.cmd.SysProcAttr = dieWithParent()
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "USHER_") {
			p.cmd.Env = append(p.cmd.Env, variable)
		}
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // what came of it is in ProcessState
	}()
	t.Cleanup(func() { p.kill(t) })
	return p
}

func (p *program) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("signal %v: %v", s, err)
	}
}

// kill is SIGKILL, and waits until the program is gone.
func (p *program) kill(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGKILL)
	<-p.ended
}

// end waits until the program has ended by itself and returns its exit code,
// -1 if a signal ended it.
func (p *program) end(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(p.patience):
		t.Fatalf("still running after %v; it wrote:\n%s%s", p.patience, p.out, p.err)
		return -1
	}
}

func (p *program) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// await waits until an output matches, and returns the submatches.
func (p *program) await(t *testing.T, tr *transcript, pattern string) []string {
	t.Helper()
	expression := regexp.MustCompile(pattern)
	deadline := time.After(p.patience)
	for {
		found, changed := tr.find(expression)
		if found != nil {
			return found
		}
		select {
		case <-changed:
		case <-p.ended:
			if found, _ := tr.find(expression); found != nil {
				return found
			}
			t.Fatalf("ended (%v) without %q; it wrote:\n%s%s", p.cmd.ProcessState, pattern, p.out, p.err)
		case <-deadline:
			t.Fatalf("no %q within %v; it wrote:\n%s%s", pattern, p.patience, p.out, p.err)
		}
	}
}

// run runs the binary to its end.
func run(t *testing.T, args ...string) (code int, out, said string) {
	t.Helper()
	p := start(t, args...)
	code = p.end(t)
	return code, p.out.String(), p.err.String()
}

// mustRun runs the binary and wants success.
func mustRun(t *testing.T, args ...string) (out string) {
	t.Helper()
	code, out, said := run(t, args...)
	if code != 0 {
		t.Fatalf("usher %s: exit code %d\n%s%s", strings.Join(args, " "), code, out, said)
	}
	return out
}

// node is a running `usher serve`.
type node struct {
	*program
	url  string
	data string
}

// serve starts a node with an embedded server on a port of its own.
func serve(t *testing.T, args ...string) *node {
	t.Helper()
	return serveAt(t, "127.0.0.1:0", t.TempDir(), args...)
}

// serveAt starts one where it can be started again, and waits until it is
// ready.
func serveAt(t *testing.T, address, data string, args ...string) *node {
	t.Helper()
	p := start(t, append([]string{"serve", "--listen", address, "--http", "", "--data", data}, args...)...)
	url := p.await(t, p.err, `(?s)NATS +(\S+)\n.*Ctrl-C`)[1]
	return &node{program: p, url: url, data: data}
}

// freeAddress returns an address of this machine that nothing listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func connect(t *testing.T, url string) *usher.Client {
	t.Helper()
	c, err := usher.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// limited is a context for one test's requests.
func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitMax)
	t.Cleanup(cancel)
	return ctx
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
