package actors

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-audiences/usher/actors/partition"
)

// State is how a node stands to a partition.
type State int32

// The states of a partition.
const (
	elsewhere State = iota // another member owns it
	starting               // being taken over, or catching up
	serving                // caught up with its log
	draining               // being drained
	drained                // everything is saved
	broken                 // failed, about to be restarted
	failed                 // failed too often
)

// String returns the word for the state.
func (s State) String() string {
	return [...]string{"elsewhere", "starting", "serving", "draining", "drained", "broken", "failed"}[s]
}

// Status is a node at one instant. The counters count since the node started.
type Status struct {
	Member     string                         `json:"member"`
	Ready      bool                           `json:"ready"`
	Partitions []PartitionStatus              `json:"partitions"` // those this node owns
	Total      PartitionCounts                `json:"total"`
	Alarms     map[partition.AlarmKind]uint64 `json:"alarms"`
}

// PartitionStatus is one partition that the node owns.
type PartitionStatus struct {
	Partition     int    `json:"partition"`
	Owner         string `json:"owner"`
	State         string `json:"state"`
	Seq           uint64 `json:"seq"`           // last message read
	End           uint64 `json:"end"`           // last message of the log, as far as known
	LogTime       int64  `json:"logTime"`       // Unix milliseconds
	Revision      uint64 `json:"revision"`      // of the rule set in force
	CheckpointSeq uint64 `json:"checkpoint"`    // everything up to here is done and saved
	CheckpointAge int64  `json:"checkpointAge"` // ms since this node saved it; -1 if it has not
	PartitionCounts
}

// PartitionCounts is what can be added up over partitions.
type PartitionCounts struct {
	Lag            uint64 `json:"lag"`            // messages of the log not read yet
	Sessions       int    `json:"sessions"`       // active
	Held           int    `json:"held"`           // inputs waiting for their session
	Unacknowledged int    `json:"unacknowledged"` // transitions on their way
	Messages       uint64 `json:"messages"`       // events and trait updates read
	Transitions    uint64 `json:"transitions"`    // stored
	Rejected       uint64 `json:"rejected"`       // messages stored as unusable
	Activations    uint64 `json:"activations"`
	Passivations   uint64 `json:"passivations"`
	Restarts       uint64 `json:"restarts"`
}

// gauge is what one partition's actor tells of itself: counters, and how its
// machine stood after its last step.
type gauge struct {
	state        atomic.Int32
	messages     atomic.Uint64
	transitions  atomic.Uint64
	rejected     atomic.Uint64
	activations  atomic.Uint64
	passivations atomic.Uint64
	restarts     atomic.Uint64

	mu       sync.Mutex
	machine  partition.Status
	sessions int
	saved    time.Time // when a checkpoint was last saved; zero if none was
	reader   Reader
}

func (g *gauge) is(s State) bool { return State(g.state.Load()) == s }

func (g *gauge) set(s State) { g.state.Store(int32(s)) }

// count counts what an input tells.
func (g *gauge) count(in partition.Input) {
	switch in := in.(type) {
	case partition.Message:
		if in.Kind == partition.EventMessage || in.Kind == partition.TraitsMessage {
			g.messages.Add(1)
		}
	case partition.Published:
		if in.Outcome == partition.Stored {
			g.transitions.Add(1)
		}
	case partition.RejectStored:
		g.rejected.Add(1)
	case partition.CheckpointSaved:
		if in.Outcome == partition.Stored {
			g.mu.Lock()
			g.saved = time.Now()
			g.mu.Unlock()
		}
	}
}

func (g *gauge) tell(s partition.Status, sessions int) {
	g.mu.Lock()
	g.machine, g.sessions = s, sessions
	g.mu.Unlock()
}

func (g *gauge) reads(r Reader) {
	g.mu.Lock()
	g.reader = r
	g.mu.Unlock()
}

func (g *gauge) status(number int, owner string) PartitionStatus {
	g.mu.Lock()
	m, sessions, saved, reader := g.machine, g.sessions, g.saved, g.reader
	g.mu.Unlock()
	s := PartitionStatus{
		Partition: number, Owner: owner, State: State(g.state.Load()).String(),
		Seq: m.Seq, End: max(m.Goal, m.Seq), LogTime: m.LogTime, Revision: m.Revision,
		CheckpointSeq: m.Checkpoint.Seq, CheckpointAge: -1,
		PartitionCounts: PartitionCounts{
			Sessions: sessions, Held: m.Held, Unacknowledged: m.Unacknowledged,
			Messages: g.messages.Load(), Transitions: g.transitions.Load(), Rejected: g.rejected.Load(),
			Activations: g.activations.Load(), Passivations: g.passivations.Load(), Restarts: g.restarts.Load(),
		},
	}
	if e, ok := reader.(Ender); ok {
		s.End = max(s.End, e.End())
	}
	s.Lag = s.End - s.Seq
	if !saved.IsZero() {
		s.CheckpointAge = time.Since(saved).Milliseconds()
	}
	return s
}

func (c *PartitionCounts) add(d PartitionCounts) {
	c.Lag += d.Lag
	c.Sessions += d.Sessions
	c.Held += d.Held
	c.Unacknowledged += d.Unacknowledged
	c.Messages += d.Messages
	c.Transitions += d.Transitions
	c.Rejected += d.Rejected
	c.Activations += d.Activations
	c.Passivations += d.Passivations
	c.Restarts += d.Restarts
}

// Ready reports whether every partition of the node is caught up with its
// log.
func (n *Node) Ready() bool {
	for _, p := range n.mine {
		if !n.gauges[p].is(serving) {
			return false
		}
	}
	return true
}

// Status tells how the node stands.
func (n *Node) Status() Status {
	s := Status{Member: n.config.Cluster.Name(), Ready: n.Ready(), Alarms: n.alarms.all()}
	for _, p := range n.mine {
		ps := n.gauges[p].status(p, s.Member)
		s.Total.add(ps.PartitionCounts)
		s.Partitions = append(s.Partitions, ps)
	}
	return s
}

// undrained lists the partitions that have not been drained.
func (n *Node) undrained() []int {
	var left []int
	for _, p := range n.mine {
		if !n.gauges[p].is(drained) {
			left = append(left, p)
		}
	}
	return left
}

// alarmCounts counts alarms by kind.
type alarmCounts struct {
	mu     sync.Mutex
	counts map[partition.AlarmKind]uint64
}

func (c *alarmCounts) add(k partition.AlarmKind) {
	c.mu.Lock()
	c.counts[k]++
	c.mu.Unlock()
}

func (c *alarmCounts) all() map[partition.AlarmKind]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.counts)
}
