package main

import (
	"github.com/spf13/cobra"

	"github.com/usher-audiences/usher/rules"
)

func newSchema(con *console) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of a definition",
		Long: `Print the JSON Schema (draft 7) of an audience definition. An editor that has
it completes words, explains them and marks mistakes. With the YAML language
server, which most editors use, begin a file with

  # yaml-language-server: $schema=audience.schema.json

What takes more than one place to judge, such as a reference to another
audience, only validate finds.`,
		Example: "  usher schema > audience.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := con.out.Write(rules.Schema())
			return err
		},
	}
}
