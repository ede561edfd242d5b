package cluster_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/cluster"
	"github.com/usher-audiences/usher/cluster/placement"
)

const partitions = 16

// echo answers with what it is asked.
type echo struct{}

func (echo) Receive(ctx actor.Context) {
	if s, ok := ctx.Message().(string); ok {
		ctx.Respond("echo " + s)
	}
}

func props() *actor.Props { return actor.PropsFromProducer(func() actor.Actor { return echo{} }) }

func join(t *testing.T, c cluster.Config) *cluster.Member {
	t.Helper()
	c.Partitions = partitions
	m, err := cluster.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Join(t.Context(), "session", props(), "door"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Leave)
	return m
}

func TestAloneOwnsAll(t *testing.T) {
	m := join(t, cluster.Config{Name: "one"})
	want := slices.Repeat([]string{"one"}, partitions)
	if got := m.Owners(); !slices.Equal(got, want) {
		t.Errorf("owners: got %v, want %v", got, want)
	}
	if _, err := m.System().Root.SpawnNamed(props(), "door"); err != nil {
		t.Fatal(err)
	}
	pid, err := m.Locate("session", "user 1")
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.System().Root.RequestFuture(pid, "hello", 10*time.Second).Result()
	if err != nil || got != "echo hello" {
		t.Errorf("ask the located actor: got %v, %v, want echo hello", got, err)
	}
	for _, q := range [][2]string{{"other", "user"}, {"session", ""}} {
		if pid, err := m.Locate(q[0], q[1]); !errors.Is(err, cluster.ErrNotLocated) {
			t.Errorf("locate %q %q: got %v, %v, want ErrNotLocated", q[0], q[1], pid, err)
		}
	}
}

func TestListensOnLoopbackUntilItLeaves(t *testing.T) {
	m := join(t, cluster.Config{})
	address := m.System().Address()
	host, _, err := net.SplitHostPort(address)
	if err != nil || host != "127.0.0.1" {
		t.Fatalf("address: got %q, %v, want one of 127.0.0.1", address, err)
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatalf("dial before leaving: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := m.Join(t.Context(), "session", props(), "door"); !errors.Is(err, cluster.ErrJoined) {
		t.Errorf("join again: got %v, want ErrJoined", err)
	}
	m.Leave()
	if c, err := net.Dial("tcp", address); err == nil {
		c.Close()
		t.Error("it still listens after it has left")
	}
	if pid, err := m.Locate("session", "user"); !errors.Is(err, cluster.ErrNotLocated) {
		t.Errorf("locate after leaving: got %v, %v, want ErrNotLocated", pid, err)
	}
	m.Leave()
}

// peers is a source of given members besides this one.
type peers struct {
	others []cluster.Peer
	each   func([]cluster.Peer)
	self   cluster.Peer
	err    error
}

func (s *peers) Join(_ context.Context, self cluster.Peer, each func([]cluster.Peer)) error {
	s.self, s.each = self, each
	each(append([]cluster.Peer{self}, s.others...))
	return s.err
}

func (s *peers) Leave() error { return nil }

func TestOwnersAreAsPlaced(t *testing.T) {
	source := &peers{others: []cluster.Peer{
		{Name: "b", ID: "id-b", Address: "127.0.0.1:2"},
		{Name: "c", ID: "id-c", Address: "127.0.0.1:3"},
	}}
	m := join(t, cluster.Config{Name: "a", Source: source})
	addresses := map[string]string{"a": m.System().Address(), "b": "127.0.0.1:2", "c": "127.0.0.1:3"}
	checkPlaced(t, m, addresses)
	source.each([]cluster.Peer{source.self, source.others[1]})
	delete(addresses, "b")
	checkPlaced(t, m, addresses)
}

// checkPlaced holds a member's owners and addresses against the placement of
// the members named.
func checkPlaced(t *testing.T, m *cluster.Member, addresses map[string]string) {
	t.Helper()
	names := []string{}
	for name := range addresses {
		names = append(names, name)
	}
	want := placement.Assign(partitions, names)
	if got := m.Owners(); !slices.Equal(got, want) {
		t.Errorf("owners: got %v, want %v", got, want)
	}
	seen := map[string]bool{}
	for _, key := range []string{"u1", "u 2", "ü3", "u.4", "u5", "u6", "u7", "u8", "u9", "u10"} {
		token, err := subject.Encode(key)
		if err != nil {
			t.Fatal(err)
		}
		owner := want[subject.Partition(token, partitions)]
		pid, err := m.Locate("session", key)
		if err != nil {
			t.Fatal(err)
		}
		if pid.Address != addresses[owner] || pid.Id != "door" {
			t.Errorf("locate %q: got %v, want the door of %s at %s", key, pid, owner, addresses[owner])
		}
		seen[owner] = true
	}
	if len(seen) != len(addresses) {
		t.Errorf("the keys lie with %d members, want %d: choose other keys", len(seen), len(addresses))
	}
}

func TestJoinFails(t *testing.T) {
	cause := errors.New("no bucket")
	m, err := cluster.New(cluster.Config{Partitions: partitions, Source: &peers{err: cause}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Leave()
	if err := m.Join(t.Context(), "session", props(), "door"); !errors.Is(err, cause) {
		t.Errorf("join: got %v, want %v", err, cause)
	}
}

func TestConfigRefused(t *testing.T) {
	for _, c := range []cluster.Config{{}, {Partitions: -1}, {Partitions: subject.PartitionsMax + 1}} {
		if m, err := cluster.New(c); err == nil {
			t.Errorf("new %+v: got %v, want an error", c, m)
		}
	}
}
