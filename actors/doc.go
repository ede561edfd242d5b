// Package actors runs partitions and sessions as protoactor-go actors.
//
// A [Node] joins the cluster and owns the partitions that belong to it. Their
// common parent is the door, to which questions about a key come from
// anywhere and which restarts partitions that fail. A partition is an actor
// that drives a [partition.Machine]: it carries out the machine's effects
// through the ports, which the bus satisfies, and takes the answers as
// messages. A session is the virtual actor of kind [SessionKind]: a child of
// its partition's actor, activated when the machine asks for it and
// passivated when the machine says so; it owns one [session.Session].
//
//	Node.Inspect, Node.Forget -> Cluster.Locate -> door -> partition -> session
//	Bus                       <-  effects, answers  ->  partition -> session
//
// A virtual actor is addressed by its key and found by way of its partition;
// the address is the door's and not the session's own, because whether and
// when a session is activated is the machine's to decide, and because a
// session runs on its partition's goroutine.
//
// Nothing about sessions is decided here. The package promises:
//
//   - What the machine asks for is done in the order it asks, and a session
//     answers before the next effect is looked at.
//   - Nothing waits: neither a partition's actor nor a session does I/O. Only
//     the log's reader is made to wait, while its partition's mailbox is full.
//   - A name is used again only after the session before it has ended and its
//     parent has taken note.
//   - A panic in a session's step costs one message, which is rejected. Any
//     other panic costs its partition a restart from the checkpoint, under
//     another name, so that no late answer crosses over; several in a row
//     end the node ([Node.Failed]).
//
// protoactor's names appear here and in package cluster only.
package actors
