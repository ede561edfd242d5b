// Package audit says what the stored transitions of a partition must be,
// given its stored log and the definitions, and compares.
//
// It is the second reading of SPEC.md: an evaluator that is simple and slow
// on purpose and shares nothing with the one it judges but the parsed
// documents, the time zone database, and CEL's library. It keeps the whole history of a key and computes every condition
// from that history, at every message of the key and at every instant at
// which time alone could change something. It keeps no counters, no queues
// and no index, so it cannot share their mistakes.
//
// A log is judged key by key, so memory is bounded by one partition's
// messages and the work by the square of one key's.
package audit
