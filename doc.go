// Package usher is the Go client of an Usher installation: it publishes what
// people do, and tells which audiences they enter and leave while they are
// still there.
//
// # Publishing
//
// [Connect] to the NATS server of the installation and publish events by the
// Segment spec:
//
//	client, err := usher.Connect("nats://127.0.0.1:4222")
//	...
//	err = client.Publish(ctx, usher.Event{
//		Type:   usher.Track,
//		Event:  "Product Added",
//		UserID: "u_42",
//		Properties: map[string]any{"price": 120},
//	})
//
// Publish returns after the event is stored in the log that decides. Until
// then it retries: an event that is stored twice counts once, because its
// MessageID is the same. [Client.PublishAsync] does not wait, for throughput;
// [Client.Flush] waits for all of them.
//
// # Watching
//
// A [Transition] is one entry into, or exit from, an audience.
// [Client.Watch] delivers them as they happen, straight from the server that
// stored them, usually within a millisecond or two of the event. A watcher
// that must know who is in the audience already says [WithMembers]: it gets
// the current members first and then every change, with no gap between.
//
//	w, err := client.Watch(ctx, "high-intent", usher.WithMembers())
//	...
//	for t, err := range w.All() {
//		...
//	}
//
// [Client.Members] and [Client.Memberships] answer once: who is in an
// audience, and in which audiences one person is.
//
// # What is promised
//
// Every transition is decided and stored exactly once. Without WithMembers a
// watcher sits on core NATS: what it misses while it is disconnected, it
// misses. With WithMembers it reads the stored transitions and misses nothing
// that is still stored. In both forms the transitions of one audience and one
// person arrive in order: their N counts 1, 2, 3, odd for entered and even
// for exited, and N jumps where some were missed. Order between audiences is
// not promised.
//
// A consumer with its own durable position reads the stream TRANSITIONS with
// any NATS client; see the documentation of the installation.
//
// The package talks to NATS and to nothing else. It holds no state beyond its
// connection, and never decides a membership itself.
package usher
