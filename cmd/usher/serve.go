package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-audiences/usher/actors"
	"github.com/usher-audiences/usher/bus"
)

func newServe(con *console) *cobra.Command {
	var flags serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a node",
		Long: `Run a node: an embedded NATS server with JetStream, unless --nats names an
external one, and all partitions on it. It recovers at start, from whatever
end it came to, and runs until interrupted; then it finishes what it has read,
saves, and stops. A second interruption stops at once; nothing is lost by it.

Producers publish on events.<key>, subscribers listen on audiences.>, with any
NATS client. --token, or --user and --password, and TLS protect the embedded
server; without both it listens on this machine only.`,
		Example: `  usher serve
  usher serve --audiences ./audiences --data /var/lib/usher
  usher serve --listen 0.0.0.0:4222 --token "$TOKEN" --tls-cert cert.pem --tls-key key.pem
  usher serve --nats nats://nats.example.com:4222`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.check(cmd); err != nil {
				return err
			}
			return serve(cmd.Context(), con, flags)
		},
	}
	flags.add(cmd)
	return cmd
}

func newLogger(con *console, format string) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(con.err, nil))
	}
	return slog.New(slog.NewTextHandler(con.err, nil))
}

// serveGCPercent lets the heap grow to three times what is live before it is
// collected: sessions live long, messages do not, and at the runtime's 100 a
// node that is busy spends a tenth of its time collecting. GOGC overrides it.
const serveGCPercent = 200

func serve(ctx context.Context, con *console, flags serveFlags) error {
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(serveGCPercent))
	}
	s := &server{con: con, flags: flags, log: newLogger(con, flags.logFormat)}
	// Before anything is started, so that a mistake in a file costs nothing.
	if flags.audiences != "" {
		var err error
		if s.documents, err = loadDocuments(con, []string{flags.audiences}); err != nil {
			return err
		}
	}
	err := s.run(ctx)
	if stopErr := s.stop(); stopErr != nil {
		return errors.Join(stopErr, err)
	}
	return err
}

// server is one run of serve.
type server struct {
	con       *console
	flags     serveFlags
	log       *slog.Logger
	documents *documents // nil without --audiences
	node      *node
	operators *operators
}

// run returns when it is time to stop: nil if by SIGTERM, the ordinary way.
func (s *server) run(ctx context.Context) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	if err := s.node.awaitReady(ctx, s.recovering); err != nil {
		return s.ending(ctx, err)
	}
	s.banner(ctx)
	housekeeping := s.node.housekeeping()
	defer housekeeping()
	select {
	case <-ctx.Done():
		return s.ending(ctx, ctx.Err())
	case err := <-s.node.actors.Failed():
		return fmt.Errorf("the node cannot go on: %w", err)
	}
}

// ending makes a signal the end that it means: SIGTERM asks for an orderly
// stop and is no failure.
func (s *server) ending(ctx context.Context, err error) error {
	var stopped *interruption
	switch {
	case ctx.Err() == nil:
		return err
	case errors.As(context.Cause(ctx), &stopped) && stopped.signal == syscall.SIGTERM:
		return nil
	default:
		return context.Cause(ctx)
	}
}

func (s *server) start(ctx context.Context) error {
	cfg, err := s.flags.nodeConfig(s.log)
	if err != nil {
		return err
	}
	if s.flags.http != "" {
		if s.operators, err = listenForOperators(s.flags.http); err != nil {
			return err
		}
	}
	if s.node, err = startNode(ctx, cfg); err != nil {
		return s.flags.explain(err)
	}
	if s.documents != nil {
		if err := s.apply(ctx); err != nil {
			return err
		}
	}
	if err := s.node.own(cfg); err != nil {
		return err
	}
	if s.operators != nil {
		s.operators.serve(s.node, newMetrics(s.node.actors.Status))
	}
	return nil
}

func (s *server) apply(ctx context.Context) error {
	change, err := s.node.conn.Definitions().Apply(ctx, s.documents.definitions, bus.ApplyOptions{PruneMissing: s.flags.prune})
	if err != nil {
		return s.documents.pointed(err)
	}
	s.log.Info("audiences applied", "revision", change.Revision, "added", len(change.Added),
		"changed", len(change.Changed), "removed", len(change.Removed), "unchanged", len(change.Unchanged))
	return nil
}

// recovering says how far a start is.
func (s *server) recovering() {
	t := s.node.actors.Status()
	s.log.Info("recovering", "serving", serving(t), "partitions", len(t.Partitions), "lag", t.Total.Lag)
}

func serving(s actors.Status) int {
	n := 0
	for _, p := range s.Partitions {
		if p.State == "serving" {
			n++
		}
	}
	return n
}

// banner says where everything is.
func (s *server) banner(ctx context.Context) {
	var audiences int
	var revision uint64
	if manifest, _, err := s.node.conn.Definitions().Current(ctx); err == nil {
		audiences, revision = len(manifest.Audiences), manifest.Revision
	}
	address := "none"
	if s.operators != nil {
		address = s.operators.url()
	}
	in := s.node.installation
	if s.flags.logFormat == "json" {
		s.log.Info("ready", "nats", s.node.url(), "http", address, "partitions", in.Partitions, "audiences", audiences, "revision", revision)
		return
	}
	s.con.say("usher is ready")
	s.con.say("  NATS       %s", s.node.url())
	s.con.say("  operators  %s  (/healthz /readyz /metrics)", address)
	if s.node.server != nil {
		s.con.say("  data       %s, %d partitions", s.flags.data, in.Partitions)
	}
	s.con.say("  sessions   end after %v without activity", time.Duration(in.Idle)*time.Millisecond)
	if audiences == 0 {
		s.con.say("  audiences  none yet: `usher apply FILE` adds some")
	} else {
		s.con.say("  audiences  %d, revision %d", audiences, revision)
	}
	s.con.say("  Ctrl-C finishes what was read, saves and stops")
}

// drainMax bounds an orderly stop. What is not done by then is done by the
// next start.
const drainMax = 30 * time.Second

// stop ends everything that was started, in order.
func (s *server) stop() error {
	if s.node == nil {
		return s.stopOperators()
	}
	start := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), drainMax)
	defer cancel()
	quiet := s.sayDraining()
	err := s.node.drain(ctx)
	quiet()
	err = errors.Join(err, s.stopOperators(), s.node.close())
	if err == nil {
		s.log.Info("stopped", "took", time.Since(start).Round(time.Millisecond).String())
	}
	return err
}

func (s *server) stopOperators() error {
	if s.operators == nil {
		return nil
	}
	return s.operators.stop()
}

// sayDraining reports each second how much is left, until the function it
// returns is called.
func (s *server) sayDraining() (stop func()) {
	node := s.node.actors
	if node == nil {
		return func() {}
	}
	s.log.Info("draining", "partitions", len(node.Status().Partitions), "bound", drainMax.String())
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				t := node.Status()
				s.log.Info("still draining", "sessions", t.Total.Sessions, "held", t.Total.Held, "unacknowledged", t.Total.Unacknowledged)
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

// bus connects for commands that read or write definitions.
func (a *access) bus(ctx context.Context) (*bus.Conn, error) {
	cfg, err := a.busConfig()
	if err != nil {
		return nil, err
	}
	return bus.Connect(ctx, cfg)
}
