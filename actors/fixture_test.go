package actors

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

// fakeCluster is a cluster of one that listens nowhere.
type fakeCluster struct {
	system     *actor.ActorSystem
	partitions int
	door       string
	left       int
}

func newFakeCluster(partitions int) *fakeCluster {
	logger := slog.New(slog.DiscardHandler)
	return &fakeCluster{partitions: partitions, system: actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return logger }))}
}

func (c *fakeCluster) Join(_ context.Context, _ string, _ *actor.Props, door string) error {
	c.door = door
	return nil
}

func (c *fakeCluster) Leave()                     { c.left++; c.system.Shutdown() }
func (c *fakeCluster) System() *actor.ActorSystem { return c.system }
func (c *fakeCluster) Name() string               { return "me" }
func (c *fakeCluster) Owners() []string           { return slices.Repeat([]string{"me"}, c.partitions) }

func (c *fakeCluster) Locate(_, _ string) (*actor.PID, error) {
	return c.system.NewLocalPID(c.door), nil
}

// toggle is an audience that a user is a member of while a trait is on: every
// change of the trait is a transition, so that what is stored tells exactly
// which messages were applied, and in which order.
const toggle = `
audience: switched-on
when: {trait: lamp, eq: true}
`

// soon is an audience that a user leaves by time alone.
const soon = `
audience: seen-lately
when: {event: Seen, within: 25s}
`

func config(b Bus, partitions int) Config {
	return Config{
		Bus: b, Cluster: newFakeCluster(partitions), Partitions: partitions,
	}
}

// begin starts a node in a synctest bubble and waits until it has caught up.
func begin(t testing.TB, c Config) *Node {
	t.Helper()
	n, err := Start(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	if !n.Ready() {
		t.Fatalf("the node is not ready: %+v", n.Status())
	}
	return n
}

// deadLetterPause is how long the library keeps a goroutine after a message to
// an actor that has ended. A bubble ends only when all its goroutines have.
const deadLetterPause = 2 * time.Second

// drain drains a node; nothing must be left over.
func drain(t testing.TB, n *Node) {
	t.Helper()
	if err := n.Drain(context.Background()); err != nil {
		t.Errorf("drain: %v", err)
	}
	pass(deadLetterPause)
}

// crash stops a node as it is.
func crash(t testing.TB, n *Node) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := n.Drain(ctx); err == nil {
		t.Error("drain with no time: got no error")
	}
	pass(deadLetterPause)
}

// lamp switches a key's trait, by a message in its partition's log.
func (b *fakeBus) lamp(t testing.TB, key rules.UserKey, on bool) {
	t.Helper()
	b.append(b.partition(t, key), partition.TraitsMessage, fmt.Appendf(nil, `{"userId":%q,"traits":{"lamp":%t}}`, key, on))
}

// event publishes an event of a key.
func (b *fakeBus) event(t testing.TB, key rules.UserKey, name string) {
	t.Helper()
	b.append(b.partition(t, key), partition.EventMessage, fmt.Appendf(nil, `{"type":"track","event":%q,"userId":%q}`, name, key))
}

func (b *fakeBus) partition(t testing.TB, key rules.UserKey) int {
	t.Helper()
	token, err := subject.Encode(string(key))
	if err != nil {
		t.Fatal(err)
	}
	return subject.Partition(token, len(b.logs))
}

// checkToggled holds the stored transitions of each key against the messages
// in the log: one transition for each, in the log's order, n counting from 1.
func (b *fakeBus) checkToggled(t testing.TB, keys []rules.UserKey, each int) {
	t.Helper()
	got := b.byKey()
	if len(got) != len(keys) {
		t.Errorf("keys with transitions: got %d, want %d", len(got), len(keys))
	}
	for _, key := range keys {
		if len(got[key]) != each {
			t.Errorf("%s: got %d transitions, want %d", key, len(got[key]), each)
			continue
		}
		var last uint64
		for i, tr := range got[key] {
			want := rules.Entered
			if i%2 == 1 {
				want = rules.Exited
			}
			if tr.Kind != want || tr.N != uint64(i+1) || tr.Position.Seq <= last {
				t.Errorf("%s: transition %d is %v n %d at %v, want %v n %d after message %d",
					key, i, tr.Kind, tr.N, tr.Position, want, i+1, last)
			}
			last = tr.Position.Seq
		}
	}
}

func userKeys(n int) []rules.UserKey {
	keys := make([]rules.UserKey, n)
	for i := range keys {
		keys[i] = rules.UserKey(fmt.Sprintf("user %d", i))
	}
	return keys
}

// pass lets time of the bubble pass, and what it brings happen.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// wrapped is a machine that a test meddles with.
type wrapped struct {
	stepper
	step func(m stepper, in partition.Input) []partition.Effect
}

func (w *wrapped) Step(in partition.Input) []partition.Effect { return w.step(w.stepper, in) }

// startWrapped starts a node whose machines' steps go through step, which is
// told how many lives the partition has had.
func startWrapped(t testing.TB, c Config, step func(life int, m stepper, in partition.Input) []partition.Effect) *Node {
	t.Helper()
	c, err := c.validate()
	if err != nil {
		t.Fatal(err)
	}
	n := newNode(c)
	lives := make([]int, c.Partitions)
	n.newMachine = func(p int) stepper {
		lives[p]++
		life := lives[p]
		return &wrapped{n.partitionMachine(p), func(m stepper, in partition.Input) []partition.Effect { return step(life, m, in) }}
	}
	if err := n.start(context.Background()); err != nil {
		t.Fatal(err)
	}
	return n
}

func contextFor(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}
