// Package subject names everything Usher puts on NATS: subjects, streams,
// buckets and headers, and how a user's key becomes a part of such a name.
//
// A user's key may hold any character; a subject token may not. [Encode]
// turns the first into the second, a [Token], and [Decode] turns it back.
// A token's [Partition] is the one that the server's own mapping computes, so
// that a producer who publishes on events.<key> with any NATS client, the Go
// SDK and the HTTP gateway all put one user's messages into the same log.
//
// The package does not talk to a server and holds no state. Every name is
// fixed: the functions here are the only place where one is written down, and
// what they return today they return for ever, because the names are stored.
package subject
