package cluster

import (
	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/cluster"

	"github.com/usher-audiences/usher/bus/subject"
)

// lookup finds virtual actors for the library: identity, partition, owner,
// the owner's door. It reads the member's own view: asking the library's
// member list from within a change of topology would deadlock.
type lookup struct {
	member     *Member
	kind, door string
}

// Get returns the address, nil if there is none.
func (l *lookup) Get(ci *cluster.ClusterIdentity) *actor.PID {
	token, err := subject.Encode(ci.Identity)
	if err != nil || ci.Kind != l.kind {
		return nil
	}
	v := l.member.view.Load()
	owner := v.owners[subject.Partition(token, len(v.owners))]
	address, ok := v.addresses[owner]
	if !ok {
		return nil
	}
	return actor.NewPID(address, l.door)
}

// RemovePid has nothing to forget: addresses are computed.
func (l *lookup) RemovePid(*cluster.ClusterIdentity, *actor.PID) {}

// Setup has nothing to set up.
func (l *lookup) Setup(*cluster.Cluster, []string, bool) {}

// Shutdown has nothing to shut down.
func (l *lookup) Shutdown() {}
