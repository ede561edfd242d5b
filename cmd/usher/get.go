package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"

	"github.com/usher-audiences/usher/bus"
	"github.com/usher-audiences/usher/rules"
)

type getFlags struct {
	access
	output string
	asJSON bool
}

func newGet(con *console) *cobra.Command {
	var flags getFlags
	cmd := &cobra.Command{
		Use:   "get [AUDIENCE]",
		Short: "Show the audiences in force",
		Long: `List the audiences, or show one, as they are in force. -o yaml and -o json
print the definitions in a form that apply reads again: defaults are written
out, comments and layout are not kept.`,
		Example: `  usher get
  usher get high-intent -o yaml
  usher get -o yaml > backup.yaml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.asJSON {
				flags.output = "json"
			}
			var audience rules.AudienceKey
			if len(args) == 1 {
				audience = rules.AudienceKey(args[0])
			}
			return flags.explain(get(cmd.Context(), con, flags, audience))
		},
	}
	flags.addClientFlags(cmd)
	cmd.Flags().StringVarP(&flags.output, "output", "o", "", "yaml or json; default a table, or yaml for one audience")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "the same as -o json: one definition a line")
	return cmd
}

func get(ctx context.Context, con *console, flags getFlags, audience rules.AudienceKey) error {
	switch flags.output {
	case "", "yaml", "json":
	default:
		return usagef("--output %q: want yaml or json", flags.output)
	}
	conn, err := flags.bus(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	manifest, definitions, err := conn.Definitions().Current(ctx)
	if err != nil {
		return err
	}
	output := flags.output
	if audience != "" {
		if definitions = only(definitions, audience); definitions == nil {
			return &problem{fmt.Errorf("%s: %w", audience, bus.ErrUnknownAudience), "`usher get` lists the audiences there are"}
		}
		if output == "" {
			output = "yaml"
		}
	}
	switch output {
	case "json":
		return printJSON(con, definitions)
	case "yaml":
		return printYAML(con, definitions)
	default:
		printTable(con, manifest, definitions)
		return nil
	}
}

func only(definitions []*rules.Definition, audience rules.AudienceKey) []*rules.Definition {
	for _, d := range definitions {
		if d.Audience == audience {
			return []*rules.Definition{d}
		}
	}
	return nil
}

func printJSON(con *console, definitions []*rules.Definition) error {
	for _, d := range definitions {
		if _, err := fmt.Fprintf(con.out, "%s\n", d.Canonical()); err != nil {
			return err
		}
	}
	return nil
}

func printYAML(con *console, definitions []*rules.Definition) error {
	for i, d := range definitions {
		var plain any
		if err := json.Unmarshal(d.Canonical(), &plain); err != nil {
			return fmt.Errorf("%s: %w", d.Audience, err)
		}
		data, err := yaml.Marshal(plain)
		if err != nil {
			return fmt.Errorf("%s: %w", d.Audience, err)
		}
		if i > 0 {
			con.print("---")
		}
		if _, err := con.out.Write(data); err != nil {
			return err
		}
	}
	return nil
}

func printTable(con *console, manifest bus.Manifest, definitions []*rules.Definition) {
	versions := map[rules.AudienceKey]uint64{}
	for _, e := range manifest.Audiences {
		versions[e.Key] = e.Version
	}
	con.say("revision %d, %s", manifest.Revision, count(len(definitions), "audience"))
	if len(definitions) == 0 {
		return
	}
	con.print("%-*s %-8s %-8s %s", audienceWidth, "AUDIENCE", "VERSION", "STATUS", "NAME")
	for _, d := range definitions {
		con.print("%-*s %-8d %-8s %s", audienceWidth, d.Audience, versions[d.Audience], statusWord(d.Status), d.Name)
	}
}

func statusWord(s rules.Status) string {
	switch s {
	case rules.Paused:
		return "paused"
	case rules.Shadow:
		return "shadow"
	default:
		return "active"
	}
}
