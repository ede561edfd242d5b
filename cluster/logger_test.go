package cluster

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestWarningsOnly(t *testing.T) {
	var b bytes.Buffer
	l := slog.New(warnings{slog.NewTextHandler(&b, nil)}).With("lib", "actors").WithGroup("g")
	l.Info("quiet")
	l.Warn("loud", "n", 1)
	if got := b.String(); strings.Contains(got, "quiet") || !strings.Contains(got, "loud lib=actors g.n=1") {
		t.Errorf("log: got %q, want the warning only", got)
	}
}
