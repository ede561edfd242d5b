// Package bus keeps everything Usher stores on NATS: the partitions' logs,
// the transition registers, snapshots, checkpoints and audience definitions,
// all in JetStream.
//
// [Connect] makes a connection, [Conn.Install] creates what an installation
// needs, [Conn.Open] gives the ports that package actors declares, and
// [Conn.Definitions] is where definitions are applied.
//
// The ports never wait. A request that has no outcome to tell is repeated
// until it is answered; one that has an outcome is tried once, and what is not
// known to be stored or refused is told as doubt. What decides anything (a
// register, a checkpoint, the message at a cursor) is read from the stream's
// leader, because another replica may be behind.
//
// It does not decide what a message means: that is package partition's.
package bus
