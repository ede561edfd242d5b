package main

import (
	"strings"
	"testing"
)

// TestDefinitions: apply, change, get, prune and delete, each as one revision.
func TestDefinitions(t *testing.T) {
	i := serveForTest(t)
	nats := []string{"--nats", i.url}
	file := write(t, "all.yaml", buyersText+"---\n"+viewers(2))

	out, said := mustRun(t, append(nats, "apply", file, "--dry-run")...)
	if !strings.Contains(out, "+ buyers") || !strings.Contains(said, "nothing was changed") {
		t.Errorf("apply --dry-run:\n%s%s", out, said)
	}
	if out, said := mustRun(t, append(nats, "get")...); out != "" || !strings.Contains(said, "0 audiences") {
		t.Errorf("get after a dry run:\n%s%s", out, said)
	}
	mustRun(t, append(nats, "apply", file)...)
	mustRun(t, append(nats, "publish", "u", "--traits", `{"plan": "pro"}`)...)
	watching := begin(t, "", nil, append(nats, "watch")...)
	watching.err.await(t, "watching")

	// Another rule: u enters by the change alone.
	changed := write(t, "viewers.yaml", "audience: viewers\nwhen: {trait: plan, eq: pro}\n")
	out, said = mustRun(t, append(nats, "apply", changed)...)
	if !strings.Contains(out, "~ viewers") || !strings.Contains(out, "version 2") || !strings.Contains(said, "revision 2 in force") {
		t.Errorf("apply a change:\n%s%s", out, said)
	}
	watching.out.await(t, `entered viewers +u +rule_changed`)
	out, _ = mustRun(t, append(nats, "apply", changed, "--json")...)
	if !strings.Contains(out, `{"audience":"viewers","change":"unchanged","version":2,"revision":2}`) {
		t.Errorf("apply --json again:\n%s", out)
	}

	out, _ = mustRun(t, append(nats, "get")...)
	if !strings.Contains(out, "buyers") || !strings.Contains(out, "Buyers") || !strings.Contains(out, "viewers") {
		t.Errorf("get:\n%s", out)
	}
	backup, _ := mustRun(t, append(nats, "get", "-o", "yaml")...)
	out, _ = mustRun(t, append(nats, "apply", write(t, "backup.yaml", backup))...)
	if strings.Count(out, "unchanged") != 2 {
		t.Errorf("apply what get -o yaml printed:\n%s\n%s", backup, out)
	}
	lines, _ := mustRun(t, append(nats, "get", "--json")...)
	if strings.Count(lines, "\n") != 2 || !strings.HasPrefix(lines, "{") {
		t.Errorf("get --json:\n%s", lines)
	}

	out, _ = mustRun(t, append(nats, "apply", changed, "--prune")...)
	if !strings.Contains(out, "- buyers") {
		t.Errorf("apply --prune:\n%s", out)
	}
	out, said = mustRun(t, append(nats, "delete", "viewers")...)
	if !strings.Contains(out, "- viewers") || !strings.Contains(said, "in force") {
		t.Errorf("delete:\n%s%s", out, said)
	}
	watching.out.await(t, `exited +viewers +u +rule_changed`)
}

// TestRefusedWhole: one wrong document, and nothing changes.
func TestRefusedWhole(t *testing.T) {
	i := serveForTest(t)
	nats := []string{"--nats", i.url}
	wrong := write(t, "wrong.yaml", buyersText+"---\naudience: viewers\nwhen: {event: Product Viewed, cuont: 2}\n")
	code, out, said := usherRun(t, append(nats, "apply", wrong)...)
	if code != exitUsage || out != "" || !strings.Contains(said, "wrong.yaml:6:") || !strings.Contains(said, `did you mean "count"?`) {
		t.Errorf("apply a wrong document: exit code %d\n%s%s", code, out, said)
	}
	if _, said := mustRun(t, append(nats, "get")...); !strings.Contains(said, "revision 0, 0 audiences") {
		t.Errorf("get after a refusal:\n%s", said)
	}
	code, _, said = usherRun(t, append(nats, "delete", "nobody")...)
	if code != exitFailed || !strings.Contains(said, "nobody") || !strings.Contains(said, "usher get") {
		t.Errorf("delete an unknown audience: exit code %d\n%s", code, said)
	}
	code, _, said = usherRun(t, append(nats, "get", "nobody")...)
	if code != exitFailed || !strings.Contains(said, "nobody") {
		t.Errorf("get an unknown audience: exit code %d\n%s", code, said)
	}
	code, _, said = usherRun(t, append(nats, "watch", "No.Audience")...)
	if code != exitFailed || !strings.Contains(said, "not an audience key") {
		t.Errorf("watch what is no audience: exit code %d\n%s", code, said)
	}
}
