package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-audiences/usher/bus"
	"github.com/usher-audiences/usher/rules"
)

func newDelete(con *console) *cobra.Command {
	var flags applyFlags
	cmd := &cobra.Command{
		Use:   "delete AUDIENCE...",
		Short: "Delete audiences",
		Long: `Delete audiences as one revision: all of them or, if one does not exist, none.
Their members leave, each with one transition, with cause rule_changed.`,
		Example: `  usher delete high-intent
  usher delete spring-sale summer-sale --json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.explain(deleteAudiences(cmd.Context(), con, flags, args))
		},
	}
	flags.addClientFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&flags.asJSON, "json", false, "print one JSON object per audience")
	f.DurationVar(&flags.wait, "wait", 10*time.Second, "how long to wait until the change is in force; 0 does not wait")
	return cmd
}

func deleteAudiences(ctx context.Context, con *console, flags applyFlags, names []string) error {
	conn, err := flags.bus(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	keys := make([]rules.AudienceKey, len(names))
	for i, name := range names {
		keys[i] = rules.AudienceKey(name)
	}
	change, err := conn.Definitions().Delete(ctx, keys...)
	if errors.Is(err, bus.ErrUnknownAudience) {
		return &problem{err, "nothing was deleted; `usher get` lists the audiences there are"}
	}
	if err != nil {
		return err
	}
	change.Unchanged = nil // what was not named is of no interest here
	if err := printChange(con, change, flags.asJSON); err != nil {
		return err
	}
	return awaitRevision(ctx, con, conn, change.Revision, flags.wait)
}
