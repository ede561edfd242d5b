package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/usher-audiences/usher/actors"
	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/bus"
	"github.com/usher-audiences/usher/bus/embedded"
	"github.com/usher-audiences/usher/cluster"
)

// nodeConfig says what a node runs on. Zero fields mean the defaults of the
// packages that they go to.
type nodeConfig struct {
	server       embedded.Config // used unless external is set
	external     *bus.Config     // an external server
	installation bus.Installation
	sessionsMax  int
	retention    bus.Retention
	log          *slog.Logger
}

// node is everything that runs in one process, in the order it is started.
type node struct {
	log          *slog.Logger
	server       *embedded.Server // nil with an external server
	conn         *bus.Conn
	installation bus.Installation
	bus          *bus.Bus
	cancel       context.CancelFunc // ends bus and services
	actors       *actors.Node
	services     *services
	retention    bus.Retention
}

// startNode starts the server, if it is embedded, sets up the installation
// and connects to it. The partitions do not run yet: see [node.own].
func startNode(ctx context.Context, cfg nodeConfig) (*node, error) {
	n := &node{log: cfg.log, retention: cfg.retention}
	err := n.connect(ctx, cfg)
	if err == nil {
		n.installation, err = n.conn.Install(ctx, cfg.installation)
	}
	if err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

// own starts the partitions and the services. It does not wait until the
// partitions are caught up.
func (n *node) own(cfg nodeConfig) error {
	// Not the command's context: that ends at the first signal, and draining
	// needs the bus.
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	var err error
	if n.bus, err = n.conn.Open(ctx); err != nil {
		return err
	}
	membership, err := cluster.New(cluster.Config{Partitions: n.installation.Partitions, Logger: n.log})
	if err != nil {
		return err
	}
	n.actors, err = actors.Start(ctx, actors.Config{
		Bus: n.bus, Cluster: membership, Partitions: n.installation.Partitions,
		SessionsMax: cfg.sessionsMax, Session: session.Config{Idle: n.installation.Idle},
		Logger: n.log,
	})
	if err != nil {
		n.actors = nil // there is nothing to drain
		return err
	}
	n.services, err = startServices(ctx, n.conn.NATS(), n.actors, n.log)
	return err
}

// connect connects, to an embedded server if none is named.
func (n *node) connect(ctx context.Context, cfg nodeConfig) error {
	if cfg.external != nil {
		var err error
		n.conn, err = bus.Connect(ctx, *cfg.external)
		return err
	}
	if err := n.embed(ctx, cfg.server); err != nil {
		return err
	}
	existing, err := n.conn.Installation(ctx)
	if errors.Is(err, bus.ErrNotInstalled) || err == nil && existing.Partitions == orSixteen(cfg.server.Partitions) {
		return nil
	}
	if err != nil || cfg.installation.Partitions != 0 {
		return err // Install says what is wrong with another number of partitions
	}
	// The data directory was made with another number of partitions, and
	// nobody asked for this one: begin again with the right one.
	if err := n.close(); err != nil {
		return err
	}
	cfg.server.Partitions = existing.Partitions
	return n.embed(ctx, cfg.server)
}

func orSixteen(partitions int) int {
	if partitions == 0 {
		return 16
	}
	return partitions
}

func (n *node) embed(ctx context.Context, cfg embedded.Config) error {
	if err := checkPort(cfg.Listen); err != nil {
		return err
	}
	var err error
	if n.server, err = embedded.Start(cfg); err != nil {
		return explainServer(err, cfg)
	}
	// No URL: with TLS its scheme would have this connection, which leaves no
	// process, verify a certificate that may be meant for other names.
	n.conn, err = bus.Connect(ctx, bus.Config{
		InProcess: n.server.InProcess(), Name: "usher node",
		User: cfg.User, Password: cfg.Password, Token: cfg.Token, Logger: cfg.Logger,
	})
	return err
}

// checkPort finds a used port before the server waits for it in vain.
func checkPort(address string) error {
	if address == "" {
		return nil
	}
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return &problem{fmt.Errorf("--listen: %w", err), "another program, perhaps another usher or nats-server, uses the port; stop it, choose another port with --listen, or use it with --nats"}
	}
	if err != nil {
		return &problem{fmt.Errorf("--listen: %w", err), "want an address of this machine and a port, such as 127.0.0.1:4222"}
	}
	return listener.Close()
}

func explainServer(err error, cfg embedded.Config) error {
	if errors.Is(err, embedded.ErrInUse) {
		return &problem{err, "another usher runs on " + cfg.Data + "; stop it, or choose another directory with --data"}
	}
	return err
}

// housekeeping forgets what is old, now and then, until the function it
// returns is called.
func (n *node) housekeeping() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := n.bus.Retain(ctx, n.retention); err != nil {
			n.log.Error("nothing old is removed", "error", err)
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// drain ends the partitions in order, within ctx.
func (n *node) drain(ctx context.Context) error {
	var err error
	if n.services != nil {
		err = n.services.stop()
		n.services = nil
	}
	if n.actors != nil {
		// The field stays: health checks read it until the very end.
		err = errors.Join(err, n.actors.Drain(ctx))
	}
	return err
}

// close ends what drain has not: bus, connection and server.
func (n *node) close() error {
	if n.bus != nil {
		n.cancel()
		n.bus.Close()
		n.bus = nil
	}
	if n.conn != nil {
		n.conn.Close()
		n.conn = nil
	}
	if n.server == nil {
		return nil
	}
	server := n.server
	n.server = nil
	return server.Shutdown()
}

// url is where clients connect.
func (n *node) url() string {
	if n.server != nil {
		return n.server.ClientURL()
	}
	return n.conn.NATS().ConnectedUrlRedacted()
}

// readyPause is how often readiness is looked at, and recoveringPause how
// often it is said that there is none yet.
const (
	readyPause      = 10 * time.Millisecond
	recoveringPause = 2 * time.Second
)

// awaitReady waits until every partition has caught up with its log. Saying
// is called now and then meanwhile.
func (n *node) awaitReady(ctx context.Context, saying func()) error {
	said := time.Now()
	for n.ready() != nil {
		if time.Since(said) > recoveringPause {
			said = time.Now()
			saying()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-n.actors.Failed():
			return fmt.Errorf("the node cannot start: %w", err)
		case <-time.After(readyPause):
		}
	}
	return nil
}

// ready says why not every partition is served now, or nil.
func (n *node) ready() error {
	if !n.conn.NATS().IsConnected() {
		return errors.New("no connection to NATS")
	}
	if !n.actors.Ready() {
		return errors.New("partitions are catching up with their logs, or draining")
	}
	return nil
}

// alive says why the process can no longer do its work, or nil.
func (n *node) alive() error {
	for _, p := range n.actors.Status().Partitions {
		if p.State == "failed" {
			return fmt.Errorf("partition %d failed too often", p.Partition)
		}
	}
	return nil
}

func partitionLabel(p int) string { return strconv.Itoa(p) }
