package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/usher-audiences/usher/rules"
)

func newValidate(con *console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "validate FILE|DIR...",
		Short: "Check definitions without a server",
		Long: `Check the definitions in files and directories. Everything that is wrong is
named, with file, line, column and remedy, and the exit code is 2. What is
legal but probably not meant is a warning.`,
		Example: `  usher validate audiences/
  usher validate audiences/ --json | jq .message`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return validate(con, args, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print each finding as one JSON object a line")
	return cmd
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

func validate(con *console, paths []string, asJSON bool) error {
	documents, err := loadDocuments(con, paths)
	if err != nil {
		var wrong rules.Diagnostics
		if asJSON && errors.As(err, &wrong) {
			if failed := printFindings(con, "error", wrong); failed != nil {
				return failed
			}
		}
		return err
	}
	warnings := documents.warnings()
	if asJSON {
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
