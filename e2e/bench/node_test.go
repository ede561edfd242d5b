package bench_test

import (
	"context"
	_ "embed"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/usher-audiences/usher/actors"
	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/bus"
	"github.com/usher-audiences/usher/bus/embedded"
	"github.com/usher-audiences/usher/cluster"
	"github.com/usher-audiences/usher/rules"
)

//go:embed audiences.yaml
var audiences []byte

const partitions = 16

// node is a whole Usher in this process: an embedded server on disk, all
// partitions owned, and a connection for publisher and subscriber over TCP.
type node struct {
	*actors.Node
	conn   *bus.Conn
	client *nats.Conn
}

// start runs a node with the given audiences in force, until the benchmark
// ends.
func start(b *testing.B, defs []*rules.Definition, idle rules.Millis, sessionsMax int) *node {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	n := &node{}
	server, err := embedded.Start(embedded.Config{Data: b.TempDir(), Listen: "127.0.0.1:0", Partitions: partitions})
	check(b, err)
	n.conn, err = bus.Connect(ctx, bus.Config{InProcess: server.InProcess()})
	check(b, err)
	fixed, err := n.conn.Install(ctx, bus.Installation{Partitions: partitions, Idle: idle})
	check(b, err)
	change, err := n.conn.Definitions().Apply(ctx, defs, bus.ApplyOptions{})
	check(b, err)
	ports, err := n.conn.Open(ctx)
	check(b, err)
	member, err := cluster.New(cluster.Config{Partitions: partitions})
	check(b, err)
	n.Node, err = actors.Start(ctx, actors.Config{
		Bus: ports, Cluster: member, Partitions: partitions, SessionsMax: sessionsMax,
		Session: session.Config{Idle: fixed.Idle},
	})
	check(b, err)
	n.client, err = nats.Connect(server.ClientURL())
	check(b, err)
	b.Cleanup(func() {
		n.client.Close()
		drain, done := context.WithTimeout(context.Background(), time.Minute)
		defer done()
		if err := n.Drain(drain); err != nil {
			b.Errorf("drain: %v", err)
		}
		cancel()
		ports.Close()
		n.conn.Close()
		check(b, server.Shutdown())
	})
	n.await(b, func() bool { return n.Ready() && n.inForce(change.Revision) })
	return n
}

// inForce reports whether every partition has the revision in force.
func (n *node) inForce(revision uint64) bool {
	for _, p := range n.Status().Partitions {
		if p.Revision < revision {
			return false
		}
	}
	return true
}

// await polls until something is so.
func (n *node) await(b *testing.B, so func() bool) {
	b.Helper()
	deadline := time.After(5 * time.Minute)
	poll := time.NewTicker(2 * time.Millisecond)
	defer poll.Stop()
	for !so() {
		select {
		case err := <-n.Failed():
			b.Fatalf("the node failed: %v", err)
		case <-deadline:
			b.Fatalf("not so after five minutes: %+v", n.Status().Total)
		case <-poll.C:
		}
	}
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func benchmarkSet(b *testing.B) []*rules.Definition {
	b.Helper()
	defs, err := rules.Parse("audiences.yaml", audiences)
	check(b, err)
	if len(defs) != 100 {
		b.Fatalf("%d audiences in the benchmark set, want 100", len(defs))
	}
	return defs
}
