// Package actors runs partitions and sessions as protoactor-go actors.
//
// A partition is an actor that drives a [partition.Machine]: it carries out
// the machine's effects through the ports below and turns the answers into
// messages to itself. A session is the virtual actor of kind "session", a
// child of its partition's actor, that owns one [session.Session]. Nothing is
// decided here; protoactor's names do not leave this package and cluster.
package actors
