// Package dryrun runs sessions over a recorded log, with nothing around them:
// the same state machine as a live node's, as fast as it can go.
//
// A [Run] takes messages in log order. Before each it lets every key's
// deadlines up to the message's log time pass, in the order of (deadline,
// key); then it applies the message. What is decided goes out as transitions
// with their n, in the order in which it happens: that is the order of their
// positions, in which a deadline comes before a message of the same instant,
// then of key, then of evaluation.
//
// [ParseLine] and [AppendTransition] are the text form of both: JSON lines.
//
// The package reads no clock and no file, and publishes nothing. It promises
// that one log and one rule set always give the same transitions, those that
// a live installation which had read that log would have stored.
package dryrun
