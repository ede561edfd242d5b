// Package session is one key's state machine: Step(Input) Output.
//
// A [Session] holds what is known of one user: the open session, traits, the
// messageIds already counted, what the conditions have counted, and which
// audiences the user is a member of. Step first fires every deadline that
// lies at or before the input's log time, in order, each evaluation stamped
// with the exact deadline; then it applies the input; and it returns the
// transitions both decided and the next instant at which time alone could
// decide another.
//
// The package is pure: it does not publish, store, load or wait, and it does
// not know n, sequences or subjects. It promises that the same inputs from
// the same state give the same output and the same state, that an input at or
// before the applied position changes nothing, and that a step which panics
// leaves the state as it was.
package session
