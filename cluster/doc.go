// Package cluster makes this process a member of a protoactor-go cluster and
// finds virtual actors in it.
//
// A virtual actor is found by its identity: its partition is the one that its
// key's subject token hashes to, the partition's owner is what package
// placement assigns, and the address is that of the owner's door, an actor
// that passes on what arrives. Who the members are is told by a [Source].
//
// It is not what makes Usher correct: two members may for a while see
// different members, and both own a partition. It decides nothing about
// sessions and knows none of their messages. The library's own remote, a gRPC
// listener, is bound to a free port of the loopback interface.
package cluster
