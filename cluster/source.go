package cluster

import "context"

// Peer is one member as the others know it.
type Peer struct {
	Name    string // what placement goes by
	ID      string // of its actor system; a process that comes back has another
	Address string // of its actor system, host:port
}

// Source tells who the members are.
type Source interface {
	// Join announces this member, and gives all members to each: once before
	// it returns, and then at every change, one call at a time.
	Join(ctx context.Context, self Peer, each func([]Peer)) error
	// Leave withdraws this member. each is not called after it.
	Leave() error
}

// Alone is the source of a cluster of one.
type Alone struct{}

// Join tells that this member is the only one.
func (Alone) Join(_ context.Context, self Peer, each func([]Peer)) error {
	each([]Peer{self})
	return nil
}

// Leave has nobody to tell.
func (Alone) Leave() error { return nil }
