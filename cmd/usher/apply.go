package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-audiences/usher/bus"
	"github.com/usher-audiences/usher/rules"
)

type applyFlags struct {
	access
	dryRun bool
	prune  bool
	asJSON bool
	wait   time.Duration
}

func newApply(con *console) *cobra.Command {
	var flags applyFlags
	cmd := &cobra.Command{
		Use:   "apply FILE|DIR...",
		Short: "Add and change audiences",
		Long: `Apply the definitions in files and directories as one revision. All of them
take effect or none: if one document is wrong, everything that is wrong is
named, with file, line, column and remedy, and nothing changes.

Audiences that are not mentioned stay, unless --prune deletes them. Users
whose membership a change affects get one transition, with cause rule_changed.
Apply returns when every partition has the revision in force.`,
		Example: `  usher apply audiences/
  usher apply high-intent.yaml --dry-run
  usher apply audiences/ --prune --json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.explain(apply(cmd.Context(), con, flags, args))
		},
	}
	flags.addClientFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&flags.dryRun, "dry-run", false, "only show what would change")
	f.BoolVar(&flags.prune, "prune", false, "delete the audiences that no document mentions")
	f.BoolVar(&flags.asJSON, "json", false, "print one JSON object per audience")
	f.DurationVar(&flags.wait, "wait", 10*time.Second, "how long to wait until the change is in force; 0 does not wait")
	return cmd
}

func apply(ctx context.Context, con *console, flags applyFlags, paths []string) error {
	documents, err := loadDocuments(con, paths)
	if err != nil {
		return err
	}
	sayWarnings(con, documents.warnings(rules.SessionIdle))
	conn, err := flags.bus(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	options := bus.ApplyOptions{PruneMissing: flags.prune, DryRun: flags.dryRun}
	change, err := conn.Definitions().Apply(ctx, documents.definitions, options)
	if err != nil {
		return documents.pointed(err)
	}
	if err := printChange(con, change, flags.asJSON); err != nil {
		return err
	}
	if flags.dryRun {
		con.say("dry run: nothing was changed")
		return nil
	}
	return awaitRevision(ctx, con, conn, change.Revision, flags.wait)
}

// changeLine is one audience of a change as a script reads it.
type changeLine struct {
	Audience rules.AudienceKey `json:"audience"`
	Change   string            `json:"change"` // added changed removed unchanged
	Version  uint64            `json:"version"`
	Revision uint64            `json:"revision"`
}

// printChange lists what changed, then what did not.
func printChange(con *console, change bus.Change, asJSON bool) error {
	groups := []struct {
		sign, word string
		entries    []bus.ManifestEntry
	}{
		{"+", "added", change.Added}, {"~", "changed", change.Changed},
		{"-", "removed", change.Removed}, {"=", "unchanged", change.Unchanged},
	}
	for _, g := range groups {
		for _, e := range g.entries {
			if !asJSON {
				con.print("%s %-*s %-9s version %d", g.sign, audienceWidth, e.Key, g.word, e.Version)
				continue
			}
			if err := con.object(changeLine{e.Key, g.word, e.Version, change.Revision}); err != nil {
				return err
			}
		}
	}
	return nil
}

// statusPause is how long to wait before asking again how far the nodes are.
const statusPause = 20 * time.Millisecond

// awaitRevision waits until every partition decides by the revision. Without
// a node to ask, the revision waits for one, and that is said.
func awaitRevision(ctx context.Context, con *console, conn *bus.Conn, revision uint64, limit time.Duration) error {
	if limit <= 0 {
		con.say("revision %d is stored", revision)
		return nil
	}
	start := time.Now()
	for {
		status, err := askStatus(ctx, conn.NATS())
		if isNobody(err) {
			con.say("revision %d is stored; no node is running, so it takes effect when one starts", revision)
			return nil
		}
		if err == nil && status.revisionEverywhere(revision) {
			con.say("revision %d in force on %s after %s", revision,
				count(len(status.Partitions), "partition"), shortDuration(time.Since(start)))
			return nil
		}
		if time.Since(start) > limit {
			return fmt.Errorf("revision %d is stored, but was not in force on every partition within %v; `usher status` shows which lack it", revision, limit)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(statusPause):
		}
	}
}
