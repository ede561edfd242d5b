// Package bustest is the conformance suite of the ports that package actors
// declares: what every bus must do, whether it is NATS or memory.
//
// A bus that answers inline, in the caller's goroutine, conforms. One that
// only moves when it is told to gives a Pump.
package bustest
