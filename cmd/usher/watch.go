package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/usher-audiences/usher"
)

type watchFlags struct {
	access
	asJSON  bool
	members bool
}

func newWatch(con *console) *cobra.Command {
	var flags watchFlags
	cmd := &cobra.Command{
		Use:   "watch [AUDIENCE]",
		Short: "Print who enters and leaves",
		Long: `Print every transition of one audience, or of all, until interrupted: when,
which way, which audience, who, what caused it, and why.

With --members the current members come first and then every change, with no
gap between; without it, what happens from now on, with the lowest latency.`,
		Example: `  usher watch
  usher watch high-intent --members
  usher watch --json | jq -r 'select(.type == "entered") | .key'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			audience := usher.AllAudiences
			if len(args) == 1 {
				audience = usher.AudienceKey(args[0])
			}
			return flags.explain(watch(cmd.Context(), con, flags, audience))
		},
	}
	flags.addClientFlags(cmd)
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print one JSON object a line")
	cmd.Flags().BoolVar(&flags.members, "members", false, "print the current members first")
	return cmd
}

func watch(ctx context.Context, con *console, flags watchFlags, audience usher.AudienceKey) error {
	client, err := flags.client()
	if err != nil {
		return err
	}
	defer client.Close()
	var options []usher.WatchOption
	if flags.members {
		options = append(options, usher.WithMembers())
	}
	w, err := client.Watch(ctx, audience, options...)
	if err != nil {
		return err
	}
	defer w.Stop()
	con.say("watching %s; Ctrl-C ends", audienceWords(audience))
	for t, err := range w.All() {
		if err != nil {
			con.say("usher: %v", err)
			continue
		}
		if err := printTransition(con, flags, t); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("the connection to %s was closed", flags.url)
}

func printTransition(con *console, flags watchFlags, t usher.Transition) error {
	if !flags.asJSON {
		_, err := fmt.Fprintln(con.out, line(t))
		return err
	}
	data, err := t.MarshalJSON()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(con.out, "%s\n", data)
	return err
}

func audienceWords(a usher.AudienceKey) string {
	if a == usher.AllAudiences {
		return "all audiences"
	}
	return string(a)
}
