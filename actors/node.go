package actors

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/actors/session"
)

// stopMax bounds how long stopping waits for a partition in the middle of a
// step.
const stopMax = 10 * time.Second

// Node runs the partitions that this process owns.
type Node struct {
	config     Config
	log        *slog.Logger
	props      *actor.Props
	door       *actor.PID
	newMachine func(number int) stepper
	unwatch    func()

	mine   []int   // the partitions that belong to this member
	gauges []gauge // by partition
	alarms alarmCounts

	failure   chan error // buffers one
	failOnce  sync.Once
	ended     chan struct{} // closed when no partition runs any more
	endedOnce sync.Once
	leaveOnce sync.Once
}

// Start joins the cluster and begins to take over the partitions that belong
// to this member. It does not wait until they are caught up: see
// [Node.Ready]. The node runs until [Node.Drain] has returned.
func Start(ctx context.Context, c Config) (*Node, error) {
	c, err := c.validate()
	if err != nil {
		return nil, err
	}
	n := newNode(c)
	n.newMachine = n.partitionMachine
	if err := n.start(ctx); err != nil {
		return nil, err
	}
	return n, nil
}

func newNode(c Config) *Node {
	n := &Node{
		config: c, log: c.Logger, props: sessionProps(),
		gauges:  make([]gauge, c.Partitions),
		failure: make(chan error, 1), ended: make(chan struct{}),
	}
	n.alarms.counts = make(map[partition.AlarmKind]uint64)
	return n
}

func (n *Node) start(ctx context.Context) error {
	c := n.config.Cluster
	if err := c.Join(ctx, SessionKind, n.props, doorName); err != nil {
		return fmt.Errorf("join the cluster: %w", err)
	}
	root := c.System().Root
	door, err := root.SpawnNamed(actor.PropsFromProducer(func() actor.Actor { return newDoor(n) }), doorName)
	if err != nil {
		c.Leave()
		return fmt.Errorf("start the partitions: %w", err)
	}
	n.door = door
	n.mine = n.owned()
	root.Send(door, own{partitions: n.mine})
	n.unwatch = sync.OnceFunc(n.config.Bus.Watch(func(r partition.RevisionAvailable) { root.Send(door, r) }))
	return nil
}

// owned returns the partitions that belong to this member.
func (n *Node) owned() []int {
	var mine []int
	for p, owner := range n.config.Cluster.Owners() {
		if owner == n.config.Cluster.Name() {
			mine = append(mine, p)
			n.gauges[p].set(starting)
		}
	}
	return mine
}

func (n *Node) partitionMachine(number int) stepper {
	c := n.config
	return partition.New(partition.Config{
		Partition: number, Partitions: c.Partitions,
		SessionsMax: max(1, c.SessionsMax/len(n.mine)),
	})
}

// decode makes the session that an Activate asks for. With an error it
// returns an empty one.
func (n *Node) decode(e partition.Activate) (*session.Session, error) {
	if e.State != nil {
		s, err := session.Decode(e.Key, e.State, e.Rules, n.config.Session)
		if err == nil {
			return s, nil
		}
		return session.New(e.Key, e.Rules, n.config.Session), err
	}
	return session.New(e.Key, e.Rules, n.config.Session), nil
}

// Failed tells why the node cannot go on, once, if it ever cannot. The
// process is then to end: another start replays from the checkpoints.
func (n *Node) Failed() <-chan error { return n.failure }

func (n *Node) fail(err error) {
	n.failOnce.Do(func() {
		n.log.Error("node failed", "error", err)
		n.failure <- err
	})
}

// Drain finishes what has been read, saves every session and the
// checkpoints, and leaves the cluster. If ctx ends first the partitions are
// stopped as they are, and the error is [ErrNotDrained]: nothing is lost, the
// next owner replays more. It may be called again, and after a failure.
func (n *Node) Drain(ctx context.Context) error {
	n.unwatch()
	root := n.config.Cluster.System().Root
	var err error
	root.Send(n.door, drainAll{})
	select {
	case <-n.ended:
		if left := n.undrained(); left != nil {
			err = fmt.Errorf("%w: partitions %v failed", ErrNotDrained, left)
		}
	case <-ctx.Done():
		err = n.stop(context.Cause(ctx))
	}
	n.leaveOnce.Do(func() {
		root.Stop(n.door)
		n.config.Cluster.Leave()
	})
	return err
}

// stop ends all partitions as they are.
func (n *Node) stop(cause error) error {
	left := n.undrained()
	n.config.Cluster.System().Root.Send(n.door, stopAll{})
	select {
	case <-n.ended:
		return fmt.Errorf("%w: %w; stopped partitions %v", ErrNotDrained, cause, left)
	case <-time.After(stopMax):
		return fmt.Errorf("%w: %w; partitions %v did not stop", ErrNotDrained, cause, left)
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
