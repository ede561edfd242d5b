package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-audiences/usher/actors/dryrun"
	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/rules"
)

type testFlags struct {
	junit  string
	asJSON bool
	idle   time.Duration
}

func newTest(con *console) *cobra.Command {
	var flags testFlags
	cmd := &cobra.Command{
		Use:   "test FILE|DIR...",
		Short: "Run the tests in definitions",
		Long: `Run the tests: blocks of the definitions in files and directories, in virtual
time. A test expects exactly the transitions it lists, up to the last instant
it lists; one that lists none expects none up to its last input. Audiences that
a tested one refers to must be among the files.

Of each test that fails the timeline is printed up to the first difference, and
the exit code is 3.`,
		Example: `  usher test audiences/
  usher test audiences/ --junit report.xml
  usher test audience.yaml --json | jq 'select(.passed | not)'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runTests(cmd.Context(), con, flags, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.junit, "junit", "", "write a report in JUnit's XML to `FILE`")
	f.BoolVar(&flags.asJSON, "json", false, "print each result as one JSON object a line")
	f.DurationVar(&flags.idle, "idle", 30*time.Minute, "how long without activity ends a session")
	return cmd
}

// tested is one test with how it came out.
type tested struct {
	audience rules.AudienceKey
	test     *rules.Test
	outcome  *dryrun.Outcome // nil with err
	err      error
	took     time.Duration
}

func (t *tested) passed() bool { return t.err == nil && t.outcome.Passed() }

func (t *tested) name() string {
	if t.test.Name == "" {
		return fmt.Sprintf("line %d", t.test.Line)
	}
	return t.test.Name
}

func runTests(ctx context.Context, con *console, flags testFlags, paths []string) error {
	documents, err := loadDocuments(con, paths)
	if err != nil {
		return err
	}
	set, err := documents.compile()
	if err != nil {
		return err
	}
	var all []*tested
	for _, d := range documents.definitions {
		for i := range d.Tests {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			all = append(all, runTest(set, d, &d.Tests[i], flags.idle))
		}
	}
	if flags.junit != "" {
		if err := os.WriteFile(flags.junit, junit(all), 0o644); err != nil { //nolint:gosec // a report for others to read
			return err
		}
	}
	return reportTests(con, flags, documents, all)
}

func runTest(set *rules.RuleSet, d *rules.Definition, test *rules.Test, idle time.Duration) *tested {
	start := time.Now()
	t := &tested{audience: d.Audience, test: test}
	t.outcome, t.err = dryrun.Check(set, d.Audience, test, session.Config{Idle: rules.Millis(idle.Milliseconds())})
	t.took = time.Since(start)
	return t
}

func reportTests(con *console, flags testFlags, documents *documents, all []*tested) error {
	failed := 0
	for _, t := range all {
		if !t.passed() {
			failed++
		}
		switch {
		case flags.asJSON:
			if err := con.object(newTestResult(t)); err != nil {
				return err
			}
		case !t.passed():
			con.print("%s", t.timeline())
		}
	}
	if len(all) == 0 {
		con.say("no tests in %s", count(len(documents.definitions), "audience"))
	} else if !flags.asJSON {
		con.print("%s: %d passed, %d failed", count(len(all), "test"), len(all)-failed, failed)
	}
	if failed > 0 {
		return &difference{fmt.Sprintf("%s of %d failed", count(failed, "test"), len(all))}
	}
	return nil
}
