package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

func newForget(con *console) *cobra.Command {
	var flags access
	cmd := &cobra.Command{
		Use:   "forget KEY",
		Short: "Erase one person",
		Long: `Erase the person KEY at once and for good: events in the log, session, traits
and memberships. Nobody is told by a transition. What arrives later begins
anew.`,
		Example: "  usher forget u_42",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.explain(forget(cmd.Context(), con, flags, rules.UserKey(args[0])))
		},
	}
	flags.addClientFlags(cmd)
	return cmd
}

func forget(ctx context.Context, con *console, flags access, key rules.UserKey) error {
	if _, err := subject.Encode(string(key)); err != nil {
		return usagef("KEY: %w", err)
	}
	nc, err := flags.conn()
	if err != nil {
		return err
	}
	defer nc.Close()
	var answer struct{}
	if err := ask(ctx, nc, subject.RequestForget, keyRequest{key}, &answer); err != nil {
		return err
	}
	con.say("erased %s from log, session and memberships", key)
	return nil
}
