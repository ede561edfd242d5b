// Package partition is one partition's state machine: what its owner does
// with the partition's log, as inputs and effects.
//
// A [Machine] takes over a partition from its checkpoint, reads its log,
// loads and passivates the keys' sessions, holds a key's messages while its
// session cannot take them, publishes transitions to their registers by
// compare-and-set, fires deadlines, saves snapshots and advances the
// checkpoint. It decides; the adapter that drives it carries out each
// [Effect] and answers with the [Input] that the effect names. Answers may
// come in any order and late; an answer that belongs to something given up
// is ignored.
//
// The package is pure: one Machine is driven by one caller at a time, reads
// no clock (the caller tells it, [Clock]) and starts nothing. The same inputs
// give the same effects, so a seed gives the same trace.
//
// What it promises, and why, is section 8 of docs/architecture.md. The rules
// are named there by number and in this package as [Rule] values, so that the
// simulation can take one out and see seeds break.
package partition
