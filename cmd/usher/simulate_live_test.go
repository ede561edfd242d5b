package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/usher-audiences/usher/actors"
)

// TestLiveTools asks of one running installation what explain and simulate
// say about what it recorded.
func TestLiveTools(t *testing.T) {
	i := serveForTest(t)
	mustRun(t, "apply", write(t, "all.yaml", buyersText+"---\n"+viewers(3)), "--nats", i.url)
	for _, user := range []string{"u.1", "u 2"} {
		for range 2 {
			mustRun(t, "publish", user, `{"event": "Product Viewed"}`, "--nats", i.url)
		}
	}
	mustRun(t, "publish", "u.1", `{"event": "Order Completed"}`, "--nats", i.url)
	t.Run("explain", func(t *testing.T) { testExplainLive(t, i) })
	t.Run("simulate", func(t *testing.T) { testSimulateLive(t, i) })
}

func testExplainLive(t *testing.T, i *installation) {
	out, _ := mustRun(t, "explain", "viewers", "u.1", "--nats", i.url)
	if !strings.Contains(out, "u.1 is not a member of viewers") || !strings.Contains(out, "[ ] event Product Viewed: 2, needs >= 3 (1 more") {
		t.Errorf("explain:\n%s", out)
	}
	now := time.Now().UTC().Format(time.RFC3339Nano)
	var past actors.Explanation
	out, _ = mustRun(t, "explain", "buyers", "u.1", "--at", now, "--json", "--nats", i.url)
	if err := json.Unmarshal([]byte(out), &past); err != nil || !past.Member || past.When.Observed != 1.0 {
		t.Errorf("explain --at now: %v\n%s", err, out)
	}
	out, _ = mustRun(t, "explain", "buyers", "u.1", "--at", "2026-01-01T00:00:00Z", "--json", "--nats", i.url)
	if err := json.Unmarshal([]byte(out), &past); err != nil || past.Member || past.When.Observed != 0.0 {
		t.Errorf("explain --at the beginning of the year: %v\n%s", err, out)
	}
	nc, err := nats.Connect(i.url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	for _, body := range []string{"nonsense", `{"key":"","audience":"buyers"}`, `{"key":"u.1","audience":"none"}`} {
		m, err := nc.Request("usher.explain", []byte(body), waitMax)
		if err != nil || m.Header.Get(micro.ErrorCodeHeader) != "400" {
			t.Errorf("usher.explain %s: %v, %v, want error 400", body, m, err)
		}
	}
}

func testSimulateLive(t *testing.T, i *installation) {
	// What the live audiences did is what they would have done.
	same := runWith(t, "", "simulate", "--from", "1h", "--diff", "--nats", i.url)
	if same.code != exitOK || same.out != "" || !strings.Contains(same.err, "1 transition on both sides, 0 only live, 0 only simulated") {
		t.Errorf("--diff of the same: code %d\n%s%s", same.code, same.out, same.err)
	}
	// With fewer views both would have entered.
	changed := write(t, "viewers.yaml", viewers(2))
	would := runWith(t, "", "simulate", "--audiences", changed, "--from", "1h", "--nats", i.url)
	if would.code != exitOK || strings.Count(would.out, "\n") != 2 || strings.Count(would.out, `"audience":"viewers","n":1,"type":"entered"`) != 2 {
		t.Errorf("--from: code %d\n%s%s", would.code, would.out, would.err)
	}
	differs := runWith(t, "", "simulate", "--audiences", changed, "--from", "1h", "--diff", "--nats", i.url)
	if differs.code != exitDifference || strings.Count(differs.out, `{"only":"simulated","key":"u`) != 2 || strings.Count(differs.out, "\n") != 2 {
		t.Errorf("--diff: code %d\n%s%s", differs.code, differs.out, differs.err)
	}
	// An audience that is not in force any more did what nobody does now.
	never := write(t, "buyers.yaml", strings.Replace(buyersText, "Order Completed", "Order Cancelled", 1))
	gone := runWith(t, "", "simulate", "--audiences", never, "--from", "1h", "--diff", "--nats", i.url)
	if gone.code != exitDifference || !strings.HasPrefix(gone.out, `{"only":"live","key":"u.1","audience":"buyers"`) || strings.Count(gone.out, "\n") != 1 {
		t.Errorf("--diff: code %d\n%s%s", gone.code, gone.out, gone.err)
	}
	for _, args := range [][]string{{"--from", "1h", "--log", "x"}, {"--diff", "--log", "x", "--audiences", "y"}, {"--from", "-1h"}} {
		if got := runWith(t, "", append([]string{"simulate"}, args...)...); got.code != exitUsage {
			t.Errorf("%q: got code %d, want %d", args, got.code, exitUsage)
		}
	}
}
