package actors

import (
	"fmt"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus/subject"
)

// doorName is the id of the actor that stands for all partitions of a node.
const doorName = "partitions"

// restartAfter is how long a failed partition rests before its first restart.
// It doubles with each further one.
const restartAfter = 100 * time.Millisecond

// door is the parent of the node's partitions. Questions of keys come in
// through it, so that an address stays good while a partition's actor comes
// and goes; it restarts partitions that failed, and ends them all.
type door struct {
	node     *Node
	self     *actor.PID
	lives    map[int]*life
	byID     map[string]*life // by actor id, while it lives
	revision uint64           // newest revision told of
	draining bool
}

// life is what the door knows of one partition.
type life struct {
	number  int
	count   int         // lives had, to name them apart
	pid     *actor.PID  // nil while it has no actor
	failure string      // why the last one ended; empty if it did not fail
	fails   []time.Time // recent failures
	timer   *time.Timer // of the restart, if one is due
}

// What the door is told besides questions and revisions.
type (
	own             struct{ partitions []int }
	drainAll        struct{}
	stopAll         struct{}
	partitionFailed struct {
		number int
		reason string
	}
	restartDue struct{ number int }
)

func newDoor(n *Node) *door {
	return &door{node: n, lives: make(map[int]*life), byID: make(map[string]*life)}
}

// Receive takes one message. A panic here ends the node.
func (d *door) Receive(ctx actor.Context) {
	defer d.failed()
	switch m := ctx.Message().(type) {
	case *question:
		d.pass(ctx, m)
	case partition.RevisionAvailable:
		d.tellRevision(ctx, m)
	case own:
		d.own(ctx, m.partitions)
	case partitionFailed:
		d.end(ctx, d.lives[m.number], m.reason)
	case restartDue:
		d.restart(ctx, d.lives[m.number])
	case *actor.Terminated:
		d.terminated(m.Who.Id)
	case drainAll:
		d.drainAll(ctx)
	case stopAll:
		d.stopAll(ctx)
	}
}

func (d *door) failed() {
	if r := recover(); r != nil {
		d.node.fail(fmt.Errorf("the partitions' parent broke: %v\n%s", r, debug.Stack()))
	}
}

func (d *door) own(ctx actor.Context, partitions []int) {
	d.self = ctx.Self()
	for _, p := range partitions {
		l := &life{number: p}
		d.lives[p] = l
		d.begin(ctx, l)
	}
}

func (d *door) begin(ctx actor.Context, l *life) {
	l.count++
	l.failure = ""
	props := actor.PropsFromProducer(func() actor.Actor { return newPartitionActor(d.node, l.number) })
	pid, err := ctx.SpawnNamed(props, strconv.Itoa(l.number)+"-"+strconv.Itoa(l.count))
	if err != nil {
		panic(fmt.Sprintf("partition %d: %v", l.number, err))
	}
	l.pid = pid
	d.byID[pid.Id] = l
	if d.revision > 0 {
		ctx.Send(pid, partition.RevisionAvailable{Revision: d.revision})
	}
}

// end stops a partition that failed. It may have been stopped already: that
// it has terminated is told sooner than what it sent before.
func (d *door) end(ctx actor.Context, l *life, reason string) {
	l.failure = reason
	if l.pid != nil {
		ctx.Stop(l.pid)
	}
}

// pass hands a question to its key's partition.
func (d *door) pass(ctx actor.Context, q *question) {
	token, err := subject.Encode(string(q.key))
	if err != nil {
		ctx.Respond(unavailable{})
		return
	}
	l := d.lives[subject.Partition(token, d.node.config.Partitions)]
	if l == nil || l.pid == nil {
		ctx.Respond(unavailable{})
		return
	}
	ctx.Forward(l.pid)
}

func (d *door) tellRevision(ctx actor.Context, m partition.RevisionAvailable) {
	if m.Revision <= d.revision {
		return
	}
	d.revision = m.Revision
	for _, l := range d.lives {
		if l.pid != nil {
			ctx.Send(l.pid, m)
		}
	}
}

// terminated takes note that a partition's actor and all of its sessions have
// ended, drained or failed.
func (d *door) terminated(id string) {
	l := d.byID[id]
	delete(d.byID, id)
	l.pid = nil
	switch {
	case d.draining:
		d.ended()
	case l.failure == "":
		panic(fmt.Sprintf("partition %d ended by itself", l.number))
	default:
		d.restartLater(l)
	}
}

// restartLater has a failed partition restarted from its checkpoint, or fails
// the node if it fails too often: what failed is most likely in the log, and
// comes again.
func (d *door) restartLater(l *life) {
	cfg := d.node.config
	now := time.Now()
	l.fails = append(l.fails, now)
	for now.Sub(l.fails[0]) > cfg.RestartsPer {
		l.fails = l.fails[1:]
	}
	if n := len(l.fails); n > cfg.RestartsMax {
		d.node.gauges[l.number].set(failed)
		d.node.fail(fmt.Errorf("%w: partition %d, %d times in %v: %s",
			ErrPartitionFailed, l.number, n, cfg.RestartsPer, firstLine(l.failure)))
		return
	}
	root, self := d.node.config.Cluster.System().Root, d.self
	l.timer = time.AfterFunc(restartAfter<<(len(l.fails)-1), func() { root.Send(self, restartDue{l.number}) })
}

func (d *door) restart(ctx actor.Context, l *life) {
	l.timer = nil
	if d.draining || l.pid != nil {
		return
	}
	d.node.gauges[l.number].restarts.Add(1)
	d.node.log.Warn("partition restarts from its checkpoint", "partition", l.number, "life", l.count+1)
	d.begin(ctx, l)
}

func (d *door) drainAll(ctx actor.Context) {
	d.draining = true
	for _, l := range d.lives {
		if l.timer != nil {
			l.timer.Stop()
		}
		if l.pid != nil {
			ctx.Send(l.pid, drainDue{})
		}
	}
	d.ended()
}

// stopAll ends all partitions as they are. Stop reaches a partition before
// what waits in its mailbox; its sessions go with it.
func (d *door) stopAll(ctx actor.Context) {
	d.draining = true
	for _, l := range d.lives {
		if l.timer != nil {
			l.timer.Stop()
		}
		if l.pid != nil {
			ctx.Stop(l.pid)
		}
	}
	d.ended()
}

// ended tells the node when no partition is left.
func (d *door) ended() {
	if len(d.byID) == 0 {
		d.node.endedOnce.Do(func() { close(d.node.ended) })
	}
}
