// Package embedded runs a nats-server with JetStream inside the process, with
// everything on disk under one directory and the mapping from producers'
// subjects to the partitions' logs in place.
package embedded
