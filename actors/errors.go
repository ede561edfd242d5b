package actors

import "errors"

// ErrUnavailable is returned when a key's partition is not served at the
// moment: it is being taken over, restarted or drained. The question may be
// asked again.
var ErrUnavailable = errors.New("the key's partition is not being served at the moment")

// ErrNotDrained is returned when a node was stopped before everything it had
// read was done and saved. Nothing is lost by it: the next owner replays.
var ErrNotDrained = errors.New("not drained in time")

// ErrPartitionFailed is returned when a partition failed more often than it
// may be restarted.
var ErrPartitionFailed = errors.New("partition failed")

// ErrAudience is returned when an audience does not exist in the rule set in
// force.
var ErrAudience = errors.New("no such audience")
