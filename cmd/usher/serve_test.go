package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/usher-audiences/usher/actors"
)

// TestFirstLight goes the way of the README: serve, apply, publish, watch.
func TestFirstLight(t *testing.T) {
	i := serveForTest(t)
	file := write(t, "buyers.yaml", buyersText+"---\n"+viewers(2))
	out, said := mustRun(t, "apply", file, "--nats", i.url)
	if !strings.Contains(out, "+ buyers") || !strings.Contains(out, "+ viewers") || !strings.Contains(said, "revision 1 in force on 2 partitions") {
		t.Fatalf("apply:\n%s%s", out, said)
	}

	watching := begin(t, "", nil, "watch", "--nats", i.url)
	watching.err.await(t, "watching all audiences")
	mustRun(t, "publish", "u.42", `{"event": "Product Viewed"}`, "--nats", i.url)
	mustRun(t, "publish", "u.42", `{"event": "Product Viewed"}`, "--nats", i.url)
	watching.out.await(t, `\d\d:\d\d:\d\d\.\d{3} entered viewers +u\.42 +event +event Product Viewed.*: 2, needs >= 2\n`)

	members := begin(t, "", nil, "watch", "viewers", "--members", "--json", "--nats", i.url)
	members.out.await(t, `"type":"entered","audience":"viewers".*"key":"u\.42"`)
	mustRun(t, "publish", "u_7", `{"type":"track","event":"Order Completed","anonymousId":"u_7"}`, "--nats", i.url)
	watching.out.await(t, `entered buyers +u_7 `)

	out, _ = mustRun(t, "inspect", "u.42", "--nats", i.url)
	if !strings.Contains(out, "member of viewers since") || !strings.Contains(out, "2 events") {
		t.Errorf("inspect:\n%s", out)
	}
	out, _ = mustRun(t, "inspect", "u.42", "--json", "--nats", i.url)
	var inspection actors.Inspection
	if err := json.Unmarshal([]byte(out), &inspection); err != nil || len(inspection.Memberships) != 1 {
		t.Errorf("inspect --json: %v\n%s", err, out)
	}
	out, _ = mustRun(t, "status", "--nats", i.url)
	if !strings.Contains(out, ": ready") || !strings.Contains(out, "2 transitions, 0 rejected") {
		t.Errorf("status:\n%s", out)
	}

	if code := interrupt(t, watching); code != exitInterrupted {
		t.Errorf("watch, interrupted: exit code %d, want %d", code, exitInterrupted)
	}
	i.cancel(&interruption{syscall.SIGTERM})
	if code := i.end(t); code != exitOK {
		t.Errorf("serve, terminated: exit code %d, want 0\n%s", code, i.err)
	}
	i.err.await(t, `draining`)
	i.err.await(t, `stopped`)
}

func interrupt(t *testing.T, c *call) int {
	t.Helper()
	c.cancel(&interruption{os.Interrupt})
	return c.end(t)
}

// TestServeAgain: a second start on the same directory knows everything, and
// the number of partitions.
func TestServeAgain(t *testing.T) {
	data, definitions := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(definitions, "buyers.yaml"), []byte(buyersText), 0o600); err != nil {
		t.Fatal(err)
	}
	first := serveOn(t, data, "--audiences", definitions)
	mustRun(t, "publish", "u", `{"event": "Order Completed"}`, "--nats", first.url)
	begin(t, "", nil, "watch", "--members", "--nats", first.url).out.await(t, "entered buyers +u ")
	if code := interrupt(t, first.call); code != exitInterrupted {
		t.Errorf("serve, interrupted: exit code %d, want %d\n%s", code, exitInterrupted, first.err)
	}

	again := begin(t, "", nil, "serve", "--listen", "127.0.0.1:0", "--http", "", "--data", data, "--audiences", definitions)
	url := again.err.await(t, `(?s)NATS +(\S+)\n.*operators +none.*, 2 partitions.*audiences +1, revision 1`)[1]
	begin(t, "", nil, "watch", "buyers", "--members", "--nats", url).out.await(t, "entered buyers +u ")
	interrupt(t, again)

	code, _, said := usherRun(t, "serve", "--listen", "127.0.0.1:0", "--http", "", "--data", data, "--partitions", "3")
	if code != exitFailed || !strings.Contains(said, "partitions") {
		t.Errorf("serve with another number of partitions: exit code %d\n%s", code, said)
	}
}

// TestServeRefusesWhatIsTaken: a port or a directory in use is named.
func TestServeRefusesWhatIsTaken(t *testing.T) {
	i := serveForTest(t)
	address := strings.TrimPrefix(i.url, "nats://")
	code, _, said := usherRun(t, "serve", "--listen", address, "--http", "", "--data", t.TempDir())
	if code != exitFailed || !strings.Contains(said, address) || !strings.Contains(said, "choose another port with --listen") {
		t.Errorf("serve on a used port: exit code %d\n%s", code, said)
	}
	code, _, said = usherRun(t, "serve", "--listen", "127.0.0.1:0", "--http", "", "--data", i.data)
	if code != exitFailed || !strings.Contains(said, i.data) || !strings.Contains(said, "--data") {
		t.Errorf("serve on a used directory: exit code %d\n%s", code, said)
	}
	code, _, said = usherRun(t, "serve", "--listen", "127.0.0.1:0", "--http", strings.TrimPrefix(i.http, "http://"), "--data", t.TempDir())
	if code != exitFailed || !strings.Contains(said, "--http") {
		t.Errorf("serve with a used HTTP port: exit code %d\n%s", code, said)
	}
}

// TestServeRefusesWrongDefinitions, before it starts anything.
func TestServeRefusesWrongDefinitions(t *testing.T) {
	file := write(t, "wrong.yaml", "audience: a\nwhen: {evnt: x}\n")
	data := filepath.Join(t.TempDir(), "data")
	code, _, said := usherRun(t, "serve", "--listen", "127.0.0.1:0", "--http", "", "--data", data, "--audiences", filepath.Dir(file))
	if code != exitUsage || !strings.Contains(said, "wrong.yaml:2:8") {
		t.Errorf("serve --audiences with a mistake: exit code %d\n%s", code, said)
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("the data directory was made before the definitions were read: %v", err)
	}
}

// TestOperators: what a load balancer and Prometheus ask.
func TestOperators(t *testing.T) {
	i := serveForTest(t)
	for path, want := range map[string]string{
		"/healthz": "ok\n", "/readyz": "ok\n", "/metrics": "usher_ready 1\n",
	} {
		response, err := http.Get(i.http + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("GET %s: %s, %v\n%s", path, response.Status, err, body)
		}
		if err := response.Body.Close(); err != nil {
			t.Error(err)
		}
		if path == "/metrics" {
			for _, name := range []string{`usher_partition_state{partition="0",state="serving"} 1`, `usher_lag_messages{partition="1"} 0`, `usher_transitions_total{partition="0"} 0`, "process_resident_memory_bytes"} {
				if !strings.Contains(string(body), name) {
					t.Errorf("/metrics lacks %s", name)
				}
			}
		}
	}
}

// TestLogFormatJSON: every line of the log is an object, also that it is
// ready.
func TestLogFormatJSON(t *testing.T) {
	c := begin(t, "", nil, "serve", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", t.TempDir(), "--partitions", "1", "--log-format", "json")
	c.err.await(t, `"msg":"ready","nats":"nats://127\.0\.0\.1:\d+"`)
	c.cancel(&interruption{syscall.SIGTERM})
	if code := c.end(t); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	for line := range strings.Lines(c.err.String()) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Errorf("not a JSON object: %s", line)
		}
	}
}
