package cluster

import (
	"context"
	"net"
	"strconv"

	"github.com/asynkron/protoactor-go/cluster"
)

// provider tells the library who the members are.
type provider struct {
	member *Member
	ctx    context.Context // of Join
	told   chan error      // buffers one: how joining ended
}

// StartMember announces this member and passes on who the others are.
func (p *provider) StartMember(c *cluster.Cluster) error {
	m := p.member
	self := Peer{Name: m.name, ID: m.system.ID, Address: m.system.Address()}
	err := m.config.Source.Join(p.ctx, self, func(peers []Peer) {
		m.see(peers)
		c.MemberList.UpdateClusterTopology(members(peers, c.GetClusterKinds()))
	})
	p.tell(err)
	return nil // the library panics on an error
}

// tell ends Join, if nothing has before.
func (p *provider) tell(err error) {
	select {
	case p.told <- err:
	default:
	}
}

// StartClient is not used: every process of a cluster is a member.
func (p *provider) StartClient(*cluster.Cluster) error { return nil }

// Shutdown has nothing to do: Leave withdraws the member.
func (p *provider) Shutdown(bool) error { return nil }

func members(peers []Peer, kinds []string) cluster.Members {
	ms := make(cluster.Members, 0, len(peers))
	for _, p := range peers {
		host, port, err := net.SplitHostPort(p.Address)
		if err != nil {
			continue // not reachable by the library's remote
		}
		n, _ := strconv.ParseInt(port, 10, 32) // 0 is not reachable either
		ms = append(ms, &cluster.Member{Id: p.ID, Host: host, Port: int32(n), Kinds: kinds})
	}
	return ms
}
