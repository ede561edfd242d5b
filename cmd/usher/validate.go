package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-audiences/usher/rules"
)

func newValidate(con *console) *cobra.Command {
	var flags validateFlags
	cmd := &cobra.Command{
		Use:   "validate FILE|DIR...",
		Short: "Check definitions without a server",
		Long: `Check the definitions in files and directories. Everything that is wrong is
named, with file, line, column and remedy, and the exit code is 2. What is
legal but probably not meant, or surely not, is a warning: conditions that are
never or always true, that contradict each other, spans that have no effect.

With --log FILE, a recorded log as usher simulate reads it, it also warns of
conditions that no recorded event could satisfy, and of audiences that would
have more transitions per event than --budget.`,
		Example: `  usher validate audiences/
  usher validate audiences/ --log events.jsonl.gz --budget 0.05
  usher validate audiences/ --json | jq .message`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return validate(con, &flags, args)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&flags.asJSON, "json", false, "print each finding as one JSON object a line")
	f.StringVar(&flags.log, "log", "", "try the definitions on the recorded log `FILE`")
	f.Float64Var(&flags.budget, "budget", 0.1, "with --log: transitions per event that one audience may have")
	f.DurationVar(&flags.idle, "idle", 30*time.Minute, "how long without activity ends a session")
	return cmd
}

type validateFlags struct {
	asJSON bool
	log    string
	budget float64
	idle   time.Duration
}

// finding is one error or warning as a script reads it.
type finding struct {
	Severity string `json:"severity"` // error or warning
	File     string `json:"file"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Message  string `json:"message"`
	Remedy   string `json:"remedy,omitempty"`
	Nearest  string `json:"nearest,omitempty"`
}

func validate(con *console, flags *validateFlags, paths []string) error {
	documents, err := loadDocuments(con, paths)
	if err == nil {
		_, err = documents.compile()
	}
	if err != nil {
		var wrong rules.Diagnostics
		if flags.asJSON && errors.As(err, &wrong) {
			if failed := printFindings(con, "error", wrong); failed != nil {
				return failed
			}
		}
		return err
	}
	warnings := documents.warnings(rules.Millis(flags.idle.Milliseconds()))
	if flags.log != "" {
		found, err := documents.tryOut(con, flags)
		if err != nil {
			return err
		}
		warnings = documents.sourced(append(warnings, found...))
	}
	if flags.asJSON {
		return printFindings(con, "warning", warnings)
	}
	sayWarnings(con, warnings)
	con.print("%s in %s: valid, %s", count(len(documents.definitions), "audience"),
		count(len(documents.sources), "file"), count(len(warnings), "warning"))
	return nil
}

func printFindings(con *console, severity string, found rules.Diagnostics) error {
	for _, d := range found {
		err := con.object(finding{severity, d.File, d.Line, d.Column, d.Message, d.Remedy, d.Nearest})
		if err != nil {
			return err
		}
	}
	return nil
}

func sayWarnings(con *console, warnings rules.Diagnostics) {
	for _, w := range warnings {
		con.say("warning: %s", w)
	}
}
