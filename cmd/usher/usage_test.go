package main

import (
	"strings"
	"testing"
)

// TestNonsense wants every mistake named, with the exit code that a script
// can tell it by.
func TestNonsense(t *testing.T) {
	notJSON := write(t, "events.jsonl", "{\n")
	tests := []struct {
		args string
		code int
		want string // in what is said
	}{
		{"nonsense", exitUsage, `unknown command "nonsense"`},
		{"servee", exitUsage, "did you mean serve?"},
		{"serve extra", exitUsage, `unknown command "extra"`},
		{"serve --no-such-flag", exitUsage, "unknown flag: --no-such-flag"},
		{"serve --partitions 0", exitUsage, "want 1 to 1024"},
		{"serve --partitions x", exitUsage, `invalid argument "x"`},
		{"serve --sessions-max 0", exitUsage, "--sessions-max 0: want at least 1"},
		{"serve --sync sometimes", exitUsage, "want always or interval"},
		{"serve --log-format xml", exitUsage, "want text or json"},
		{"serve --idle 0s", exitUsage, "--idle 0s"},
		{"serve --keep 1s", exitUsage, "--keep 1s"},
		{"serve --forget-exits 80h", exitUsage, "two days longer than --keep"},
		{"serve --prune", exitUsage, "--audiences"},
		{"serve --user u", exitUsage, "needs --password"},
		{"serve --listen nonsense", exitUsage, "want HOST:PORT"},
		{"serve --listen 0.0.0.0:0", exitUsage, "can be reached from other machines; give --token"},
		{"serve --listen :0 --token t", exitUsage, "give --tls-cert and --tls-key, or"},
		{"serve --tls-cert c.pem", exitUsage, "--tls-cert and --tls-key go together"},
		{"serve --nats nats://127.0.0.1:1 --listen 127.0.0.1:0", exitUsage, "the embedded server's"},
		{"serve --nats nats://127.0.0.1:1", exitFailed, "nats://127.0.0.1:1"},
		{"serve --audiences /no/such/dir", exitUsage, "/no/such/dir"},
		{"demo --for 0s", exitUsage, "--for 0s"},
		{"watch a b", exitUsage, "at most 1 arg"},
		{"watch --nats nats://127.0.0.1:1", exitFailed, "is `usher serve` running?"},
		{"publish u", exitUsage, "accepts 2 arg"},
		{"publish u nonsense", exitUsage, "not a JSON object"},
		{"publish u null", exitUsage, "not a JSON object"},
		{"publish u {}{}", exitUsage, "more than one JSON object"},
		{"publish u {} --nats nats://127.0.0.1:1", exitFailed, "is `usher serve` running?"},
		{"replay", exitUsage, "accepts 1 arg"},
		{"replay no-such-file", exitFailed, "no-such-file"},
		{"replay x --speed fast", exitUsage, "want a factor above 0"},
		{"replay x --speed -1", exitUsage, "want a factor above 0"},
		{"replay x --speed NaN", exitUsage, "want a factor above 0"},
		{"replay " + notJSON + " --nats nats://127.0.0.1:1", exitFailed, "cannot connect"},
		{"apply", exitUsage, "requires at least 1 arg"},
		{"apply no-such-file", exitUsage, "no-such-file"},
		{"validate no-such-file", exitUsage, "no-such-file"},
		{"get --output xml", exitUsage, "want yaml or json"},
		{"get --nats nats://127.0.0.1:1", exitFailed, "usher serve"},
		{"delete", exitUsage, "requires at least 1 arg"},
		{"inspect", exitUsage, "accepts 1 arg"},
		{"inspect " + strings.Repeat("x", 257), exitUsage, "longer than 256 bytes"},
		{"inspect u --nats nats://127.0.0.1:1", exitFailed, "is `usher serve` running?"},
		{"forget u --nats nats://127.0.0.1:1", exitFailed, "is `usher serve` running?"},
		{"status --nats nats://127.0.0.1:1", exitFailed, "is `usher serve` running?"},
		{"status --tls-ca no-such-file", exitUsage, "--tls-ca"},
		{"status --tls-cert no-such-file", exitUsage, "go together"},
		{"version extra", exitUsage, `unknown command "extra"`},
	}
	for _, tt := range tests {
		code, out, said := usherRun(t, strings.Fields(tt.args)...)
		if code != tt.code || !strings.Contains(said, tt.want) || out != "" {
			t.Errorf("usher %s: exit code %d, want %d with %q on standard error\nout: %s\nerr: %s", tt.args, code, tt.code, tt.want, out, said)
		}
		if strings.Count(said, "is `usher serve` running?") > 1 {
			t.Errorf("usher %s: the remedy is said twice:\n%s", tt.args, said)
		}
	}
}

func TestFlagsFromTheEnvironment(t *testing.T) {
	c := begin(t, "", map[string]string{"USHER_JSON": "true"}, "version")
	if code := c.end(t); code != exitOK || !strings.HasPrefix(c.out.String(), "{") {
		t.Errorf("USHER_JSON=true usher version: %d\n%s%s", code, c.out, c.err)
	}
	c = begin(t, "", map[string]string{"USHER_NATS": "nats://127.0.0.1:1"}, "status")
	if code := c.end(t); code != exitFailed || !strings.Contains(c.err.String(), "nats://127.0.0.1:1") {
		t.Errorf("USHER_NATS=... usher status: %d\n%s%s", code, c.out, c.err)
	}
	c = begin(t, "", map[string]string{"USHER_NATS": "nats://127.0.0.1:1"}, "status", "--nats", "nats://127.0.0.1:2")
	if code := c.end(t); code != exitFailed || !strings.Contains(c.err.String(), "nats://127.0.0.1:2") {
		t.Errorf("a flag does not win over the environment: %d\n%s%s", code, c.out, c.err)
	}
	c = begin(t, "", map[string]string{"USHER_SESSIONS_MAX": "many"}, "serve")
	if code := c.end(t); code != exitUsage || !strings.Contains(c.err.String(), `USHER_SESSIONS_MAX="many"`) {
		t.Errorf("a wrong value in the environment: %d\n%s%s", code, c.out, c.err)
	}
}

func TestValidate(t *testing.T) {
	good := write(t, "good.yaml", buyersText+"---\n"+viewers(2))
	out, said := mustRun(t, "validate", good)
	if out != "2 audiences in 1 file: valid, 0 warnings\n" || said != "" {
		t.Errorf("validate a good file:\n%s%s", out, said)
	}
	bad := write(t, "bad.yaml", "audience: buyers\nwhen: {evnt: Order Completed}\n")
	code, out, said := usherRun(t, "validate", good, bad)
	if code != exitUsage || out != "" || !strings.Contains(said, "bad.yaml:2:8") || !strings.Contains(said, `"event"`) || !strings.Contains(said, "^") {
		t.Errorf("validate a bad file: %d\n%s%s", code, out, said)
	}
	code, out, _ = usherRun(t, "validate", bad, "--json")
	if code != exitUsage || !strings.Contains(out, `"severity":"error"`) || !strings.Contains(out, `"line":2`) {
		t.Errorf("validate --json a bad file: %d\n%s", code, out)
	}
	doubtful := write(t, "doubtful.yaml", "audience: a\neveryone: true\nwhen: {none: [{event: Order Completed}]}\n")
	out, said = mustRun(t, "validate", doubtful)
	if !strings.Contains(out, "1 warning") || !strings.Contains(said, "warning: ") || !strings.Contains(said, "doubtful.yaml:3") {
		t.Errorf("validate a doubtful file:\n%s%s", out, said)
	}
	twice := write(t, "twice.yaml", buyersText)
	if code, _, said := usherRun(t, "validate", good, twice); code != exitUsage || !strings.Contains(said, "buyers") {
		t.Errorf("validate two files with one audience: %d\n%s", code, said)
	}
}
