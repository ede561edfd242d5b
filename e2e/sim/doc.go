// Package sim drives partitions and sessions through faults on one thread,
// from a seed, and has the stored transitions judged by the auditor.
//
// A seed gives the audiences, the traffic, the faults and the order in which
// everything happens, and the same seed gives the same trace byte for byte.
//
//	go test ./e2e/sim -run TestSimulation -seeds 10000 -timeout 3h
//	go test ./e2e/sim -run TestSimulation -seed 307 -v     # one seed, traced
//	go test ./e2e/sim -run TestLosses -losses 1000         # lost tails
//	go test ./e2e/sim -run TestTwin -cases 100000 -whole   # sessions alone
//	go test ./e2e/sim -run TestTwin -case 533 -v           # one case, shown
//
// TestSimulation demands equality: each register's stored transitions, in the
// order in which they are stored, are the auditor's over the stored log, and
// each message that cannot be used is rejected. TestLosses takes the tail of
// a stream away and demands what is then left to demand. TestEachRuleMatters
// takes the rules of section 8 of docs/architecture.md out one at a time and
// demands that a seed turns red; rules 11 (forgetting) and 13 (bounds) are
// not among them: no run forgets a key or damages a snapshot.
package sim
