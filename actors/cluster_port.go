package actors

import (
	"context"

	"github.com/asynkron/protoactor-go/actor"
)

// Cluster is this process's membership in the cluster, as package cluster
// provides it. It decides where partitions belong and finds virtual actors;
// it knows nothing of what they are.
type Cluster interface {
	// Join makes this process a member that offers virtual actors of a kind.
	// The address of any of them is the actor called door at the member that
	// owns the identity's partition. Join returns when this member is known
	// to the others.
	Join(ctx context.Context, kind string, props *actor.Props, door string) error
	// Leave ends the membership. Nothing of it runs any more when it returns.
	Leave()
	// System is the actor system. Its address is final once Join has
	// returned.
	System() *actor.ActorSystem
	// Name is this member's name among the Owners.
	Name() string
	// Owners tells each partition's owner: element p owns partition p.
	Owners() []string
	// Locate returns where to send what is meant for an identity's virtual
	// actor.
	Locate(kind, identity string) (*actor.PID, error)
}
