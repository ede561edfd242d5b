package subject

import "strconv"

// Streams. Each partition's log is one more: see LogStream.
const (
	StreamTransitions = "TRANSITIONS"
	StreamRejected    = "REJECTED"
)

// Key-value buckets.
const (
	BucketInstallation = "usher_installation" // what was fixed when it was set up
	BucketDefinitions  = "usher_definitions"  // audience definitions and their manifest
	BucketSnapshots    = "usher_snapshots"    // sessions
	BucketCheckpoints  = "usher_checkpoints"  // how far each partition has come
	BucketMembers      = "usher_members"      // the nodes of the cluster
	BucketPartitions   = "usher_partitions"   // who owns which partition
)

const logStreamPrefix = "LOG_"

// LogStream is the name of the stream that holds a partition's log.
func LogStream(partition int) string { return logStreamPrefix + strconv.Itoa(partition) }
