package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/usher-audiences/usher/rules"
)

// versionAnswer says which build this is.
type versionAnswer struct {
	Version    string `json:"version"`
	Commit     string `json:"commit,omitempty"`
	Go         string `json:"go"`
	Evaluation int    `json:"evaluation"` // two builds with the same one decide alike
}

func newVersion(con *console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Say which build this is",
		Long:    "Say which build this is.",
		Example: "  usher version --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := buildVersion()
			if asJSON {
				return con.object(v)
			}
			con.print("usher %s (%s, evaluation %d)", v.Version, v.Go, v.Evaluation)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

// buildVersion reads what the linker recorded: the module's version for
// `go install`, the commit for a build in a checkout.
func buildVersion() versionAnswer {
	v := versionAnswer{Version: "devel", Go: runtime.Version(), Evaluation: rules.EvaluationVersion}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if m := info.Main.Version; m != "" && m != "(devel)" {
		v.Version = m
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Commit = s.Value
		}
	}
	return v
}
