package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// run is the whole command, for main and for tests.
func run(ctx context.Context, args []string, con *console) int {
	root := newRoot(con)
	root.SetArgs(args)
	root.SetIn(con.in)
	root.SetOut(con.out)
	root.SetErr(con.err)
	called, err := root.ExecuteContextC(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = context.Cause(ctx)
	}
	report(con, called, err)
	return exitCode(err)
}

// report tells a person what went wrong. An interruption needs no words.
func report(con *console, called *cobra.Command, err error) {
	var stopped *interruption
	var usage *usageError
	switch {
	case err == nil, errors.As(err, &stopped):
		return
	case errors.As(err, &usage):
		con.say("usher: %v", err)
		con.say("  `%s --help` says how it is used", called.CommandPath())
	default:
		con.say("usher: %v", err)
	}
}

func newRoot(con *console) *cobra.Command {
	root := &cobra.Command{
		Use:   "usher",
		Short: "Real-time audiences over NATS",
		Long: `Usher decides, while a person is still on the site, which audiences that
person is in. Events come in on NATS subjects; every entry into and exit from
an audience goes out on one, exactly once.

  usher demo                       see it work, nothing to set up
  usher serve                      run a node, with its own NATS server inside
  usher apply audiences/           say which audiences there are
  usher watch                      see who enters and leaves

Every flag can also be given in the environment: --sessions-max is
USHER_SESSIONS_MAX.

Exit codes: 0 ok, 1 failed, 2 usage or invalid definition, 3 difference found,
130 interrupted.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return flagsFromEnvironment(cmd, con)
		},
		CompletionOptions:          cobra.CompletionOptions{HiddenDefaultCmd: true},
		SuggestionsMinimumDistance: 2,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err: err} })
	root.AddGroup(
		&cobra.Group{ID: groupRun, Title: "Run:"},
		&cobra.Group{ID: groupDefine, Title: "Define audiences:"},
		&cobra.Group{ID: groupData, Title: "Send and see:"},
	)
	root.AddCommand(commands(con)...)
	root.SetHelpCommandGroupID(groupRun)
	return root
}

// The groups of the help text.
const (
	groupRun    = "run"
	groupDefine = "define"
	groupData   = "data"
)

func commands(con *console) []*cobra.Command {
	grouped := map[string][]*cobra.Command{
		groupRun:    {newDemo(con), newServe(con), newStatus(con), newVersion(con)},
		groupDefine: {newApply(con), newGet(con), newDelete(con), newValidate(con), newTest(con), newSimulate(con), newSchema(con)},
		groupData:   {newWatch(con), newPublish(con), newReplay(con), newInspect(con), newExplain(con), newForget(con)},
	}
	var all []*cobra.Command
	for _, group := range []string{groupRun, groupDefine, groupData} {
		for _, cmd := range grouped[group] {
			cmd.GroupID = group
			cmd.Args = asUsage(cmd.Args)
			all = append(all, cmd)
		}
	}
	return all
}

// asUsage makes wrong arguments a usage error.
func asUsage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &usageError{err: err}
		}
		return nil
	}
}

// noCommand refuses a word that is no command, naming the nearest one.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("unknown command %q", args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		err = fmt.Errorf("%w; did you mean %s?", err, strings.Join(near, " or "))
	}
	return &usageError{err: err}
}

// flagsFromEnvironment gives every flag that was not set the value of
// USHER_<FLAG>, if there is one.
func flagsFromEnvironment(cmd *cobra.Command, con *console) error {
	var failed error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := environmentName(f.Name)
		value, ok := con.env(name)
		if f.Changed || !ok || failed != nil {
			return
		}
		if err := cmd.Flags().Set(f.Name, value); err != nil {
			failed = usagef("%s=%q in the environment: %w", name, value, err)
		}
	})
	return failed
}

func environmentName(flag string) string {
	return "USHER_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}
