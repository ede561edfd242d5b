package main

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"github.com/usher-audiences/usher/actors"
	"github.com/usher-audiences/usher/bus/subject"
)

// statusAnswer is what a node says of itself on usher.status.
type statusAnswer struct {
	versionAnswer
	Uptime int64 `json:"uptimeSeconds"`
	actors.Status
}

// revisionEverywhere tells whether every partition decides by the revision,
// or by a later one.
func (s *statusAnswer) revisionEverywhere(revision uint64) bool {
	for _, p := range s.Partitions {
		if p.Revision < revision {
			return false
		}
	}
	return len(s.Partitions) > 0
}

func newStatus(con *console) *cobra.Command {
	var flags access
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how the installation is doing",
		Long: `Show the node's partitions: whether each is caught up with its log, how many
messages it lags behind, its sessions, and the revision of the audiences in
force.`,
		Example: `  usher status
  usher status --json | jq .total.lag`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.explain(printStatus(cmd.Context(), con, flags, asJSON))
		},
	}
	flags.addClientFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

func printStatus(ctx context.Context, con *console, flags access, asJSON bool) error {
	nc, err := flags.conn()
	if err != nil {
		return err
	}
	defer nc.Close()
	s, err := askStatus(ctx, nc)
	if err != nil {
		return err
	}
	if asJSON {
		return con.object(s)
	}
	state := "ready"
	if !s.Ready {
		state = "not ready"
	}
	con.print("node %s: %s, usher %s, up %v", s.Member, state, s.Version, time.Duration(s.Uptime)*time.Second)
	t := s.Total
	con.print("%d messages read, %d transitions, %d rejected, %d sessions in memory, lag %d",
		t.Messages, t.Transitions, t.Rejected, t.Sessions, t.Lag)
	for kind, n := range s.Alarms {
		con.print("ALARM %s: %d (the node's log says more)", kind, n)
	}
	con.print("")
	con.print("%9s %-9s %9s %9s %9s %9s %12s", "PARTITION", "STATE", "REVISION", "READ", "LAG", "SESSIONS", "TRANSITIONS")
	for _, p := range s.Partitions {
		con.print("%9d %-9s %9d %9d %9d %9d %12d", p.Partition, p.State, p.Revision, p.Seq, p.Lag, p.Sessions, p.Transitions)
	}
	return nil
}

func askStatus(ctx context.Context, nc *nats.Conn) (*statusAnswer, error) {
	var s statusAnswer
	if err := ask(ctx, nc, subject.RequestStatus, struct{}{}, &s); err != nil {
		return nil, err
	}
	return &s, nil
}

func isNobody(err error) bool { return errors.Is(err, errNobody) }
