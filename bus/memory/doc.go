// Package memory is a bus without a server: the ports that package actors
// declares, kept in memory, for the simulation and for tests.
//
// It is deterministic and driven by one goroutine. Every answer is given
// before the call returns, and an appended message is delivered to every
// reader before the append returns; a caller that wants answers late, lost or
// out of order wraps the functions it passes. Time is what the caller's clock
// says.
package memory
