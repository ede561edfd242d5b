package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/help anew; read the diff")

// TestHelp holds every help text to the one in testdata/help.
func TestHelp(t *testing.T) {
	names := []string{""}
	for _, cmd := range newRoot(systemConsole()).Commands() {
		names = append(names, cmd.Name())
	}
	for _, name := range names {
		args, file := []string{name, "--help"}, name+".txt"
		if name == "" {
			args, file = args[1:], "usher.txt"
		}
		got, _ := mustRun(t, args...)
		path := filepath.Join("testdata", "help", file)
		if *rewrite {
			if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%v; go test ./cmd/usher -run TestHelp -rewrite writes it", err)
		}
		if got != string(want) {
			t.Errorf("usher %s\n got:\n%s\nwant:\n%s", strings.Join(args, " "), got, want)
		}
	}
}

// TestEveryCommandTeaches wants a long text and an example of each command,
// and of each flag a description.
func TestEveryCommandTeaches(t *testing.T) {
	for _, cmd := range newRoot(systemConsole()).Commands() {
		if cmd.Name() == "help" {
			continue
		}
		if cmd.Long == "" || cmd.Example == "" || cmd.Short == "" {
			t.Errorf("usher %s: no long text, no short one, or no example", cmd.Name())
		}
		if !strings.HasPrefix(cmd.Example, "  usher ") && !strings.Contains(cmd.Example, "usher "+cmd.Name()) {
			t.Errorf("usher %s: the example does not show it:\n%s", cmd.Name(), cmd.Example)
		}
		checkLines(t, cmd)
	}
}

func checkLines(t *testing.T, cmd *cobra.Command) {
	t.Helper()
	for line := range strings.Lines(cmd.Long) {
		if len(line) > 81 {
			t.Errorf("usher %s: a line of the long text is wider than a terminal: %s", cmd.Name(), line)
		}
	}
}
