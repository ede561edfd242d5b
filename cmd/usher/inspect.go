package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-audiences/usher/actors"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

func newInspect(con *console) *cobra.Command {
	var flags access
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect KEY",
		Short: "Show what is known of one person",
		Long: `Show the session of the person KEY (a user id or anonymous id): traits,
memberships, and what each condition has counted so far.`,
		Example: `  usher inspect u_42
  usher inspect u_42 --json | jq .traits`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.explain(inspect(cmd.Context(), con, flags, rules.UserKey(args[0]), asJSON))
		},
	}
	flags.addClientFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

func inspect(ctx context.Context, con *console, flags access, key rules.UserKey, asJSON bool) error {
	if _, err := subject.Encode(string(key)); err != nil {
		return usagef("KEY: %w", err)
	}
	nc, err := flags.conn()
	if err != nil {
		return err
	}
	defer nc.Close()
	var answer actors.Inspection
	if err := ask(ctx, nc, subject.RequestSession, keyRequest{key}, &answer); err != nil {
		return err
	}
	if asJSON {
		return con.object(answer)
	}
	printInspection(con, &answer)
	return nil
}

func printInspection(con *console, a *actors.Inspection) {
	if a.Seq == 0 {
		con.print("%s: nothing is known (partition %d)", a.Key, a.Partition)
		return
	}
	con.print("%s: partition %d, last message %s", a.Key, a.Partition, instant(a.At))
	if s := a.Session; s != nil {
		con.print("session %s since %s: %s, %s; ends %s without activity", s.ID, instant(s.Start),
			count(s.Events, "event"), count(s.Pages, "page"), instant(s.Ends))
	} else {
		con.print("no open session; %s so far", count(a.Sessions, "session"))
	}
	if len(a.Traits) > 0 {
		con.print("traits %s", valueWords(a.Traits))
	}
	for _, m := range a.Memberships {
		con.print("member of %s since %s", m.Audience, instant(m.Since))
	}
	for _, c := range a.Conditions {
		text := reasonWords(rules.Reason{Condition: c.Condition, Observed: c.Observed, Needs: c.Needs, True: c.True, Inexact: c.Inexact})
		if c.Changes != nil {
			text += "; time alone changes it " + instant(*c.Changes)
		}
		con.print("  [%s] %s", mark(c.True), text)
	}
}

func mark(is bool) string {
	if is {
		return "x"
	}
	return " "
}

// instant writes Unix milliseconds as a person reads them.
func instant(ms int64) string {
	return time.UnixMilli(ms).Local().Format("2006-01-02 15:04:05.000")
}
