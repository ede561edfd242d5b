package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/remote"

	"github.com/usher-audiences/usher/cluster/placement"
)

// gossipInterval is how often the library gossips, which cannot be switched
// off and which nothing here depends on.
const gossipInterval = 2 * time.Second

// loopback is where the library listens. Its remote is unauthenticated and
// exits the process on a message that it does not know.
const loopback = "127.0.0.1"

// Member is this process as a member of the cluster. It joins once and leaves
// once: the library blocks for ever a member that has been away.
type Member struct {
	config Config
	name   string
	system *actor.ActorSystem

	mu      sync.Mutex
	cluster *cluster.Cluster // nil until Join
	running sync.WaitGroup   // the library's start, which goes on after Join
	started bool             // whether it did not fail; valid when running is done

	view atomic.Pointer[view]
}

// view is what a member knows of the cluster at one time.
type view struct {
	owners    []string          // by partition
	addresses map[string]string // by member's name
}

// New returns a member that has not joined.
func New(c Config) (*Member, error) {
	c, err := c.validate()
	if err != nil {
		return nil, err
	}
	logger := slog.New(warnings{c.Logger.Handler()})
	m := &Member{config: c, name: c.Name}
	m.system = actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return logger }),
		actor.WithDeadLetterRequestLogging(false),
	)
	if m.name == "" {
		m.name = m.system.ID
	}
	m.view.Store(&view{owners: make([]string, c.Partitions)})
	return m, nil
}

// System returns the actor system. Its address is final once Join has
// returned.
func (m *Member) System() *actor.ActorSystem { return m.system }

// Name returns the member's name.
func (m *Member) Name() string { return m.name }

// Owners tells each partition's owner by name: element p owns partition p.
// Before Join every owner is "".
func (m *Member) Owners() []string { return slices.Clone(m.view.Load().owners) }

// Join makes this process a member that offers virtual actors of a kind. The
// address of any of them is the actor called door at the member that owns the
// identity's partition. It returns when the source has told who the members
// are.
func (m *Member) Join(ctx context.Context, kind string, props *actor.Props, door string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cluster != nil {
		return ErrJoined
	}
	p := &provider{member: m, ctx: ctx, told: make(chan error, 1)}
	config := cluster.Configure(m.config.Cluster, p, &lookup{member: m, kind: kind, door: door},
		remote.Configure(loopback, 0))
	config.GossipInterval = gossipInterval
	// Not by cluster.NewKind: it would put a middleware around every message
	// of every session, which allocates, to note identities that are not used.
	config.Kinds[kind] = &cluster.Kind{Kind: kind, Props: props}
	m.cluster = cluster.New(m.system, config)
	m.running.Go(func() { p.start(m.cluster) })
	select {
	case err := <-p.told:
		return err
	case <-ctx.Done():
		return fmt.Errorf("join the cluster: %w", context.Cause(ctx))
	}
}

// Leave ends the membership and the actor system. Nothing of it runs any more
// when it returns.
func (m *Member) Leave() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cluster == nil || m.system.IsStopped() {
		return
	}
	m.running.Wait()
	if err := m.config.Source.Leave(); err != nil {
		m.config.Logger.Warn("leave the cluster", "error", err)
	}
	m.view.Store(&view{owners: make([]string, m.config.Partitions)})
	if !m.started {
		m.system.Shutdown()
		return
	}
	// Asked to be graceful the library would sleep for 2 s.
	m.cluster.Gossip.Shutdown()
	m.cluster.Shutdown(false)
}

// Locate returns where to send what is meant for an identity's virtual actor.
// The library's own requests are not used: their cache of addresses never
// forgets, and their retries do not wait.
func (m *Member) Locate(kind, identity string) (*actor.PID, error) {
	if m.view.Load().addresses == nil {
		return nil, fmt.Errorf("%w: %s %q: not a member of the cluster", ErrNotLocated, kind, identity)
	}
	if pid := m.cluster.Get(identity, kind); pid != nil {
		return pid, nil
	}
	return nil, fmt.Errorf("%w: %s %q", ErrNotLocated, kind, identity)
}

// see takes who the members are.
func (m *Member) see(peers []Peer) {
	names := make([]string, len(peers))
	v := &view{addresses: make(map[string]string, len(peers))}
	for i, p := range peers {
		names[i] = p.Name
		v.addresses[p.Name] = p.Address
	}
	v.owners = placement.Assign(m.config.Partitions, names)
	m.view.Store(v)
}

// start starts the library. It panics when it cannot listen, and it sleeps
// for a second when all is done, which nobody needs to wait for.
func (p *provider) start(c *cluster.Cluster) {
	defer func() {
		if r := recover(); r != nil {
			p.tell(fmt.Errorf("start the cluster member: %v\n%s", r, debug.Stack()))
		}
	}()
	c.StartMember()
	p.member.started = true
}
