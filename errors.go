package usher

import (
	"errors"
	"fmt"
)

var (
	// ErrConnect is returned when no server could be reached.
	ErrConnect = errors.New("cannot connect to NATS")
	// ErrClosed is returned by what is called, or still waits, after Close.
	ErrClosed = errors.New("the client is closed")
	// ErrNoKey is returned when an event or a trait update has neither a
	// UserID nor an AnonymousID, or one that is too long to be a key.
	ErrNoKey = errors.New("no usable user id or anonymous id")
	// ErrEvent is returned when an event cannot be encoded, or its type is
	// not one of the Segment spec's.
	ErrEvent = errors.New("not a valid event")
	// ErrTooLarge is returned when a message is larger than MessageMax bytes.
	ErrTooLarge = errors.New("the message is larger than 32 KB")
	// ErrNotStored is returned when the log did not acknowledge a message in
	// time. It may be stored nevertheless: publishing it again, with the same
	// MessageID, is safe.
	ErrNotStored = errors.New("the log did not acknowledge the message in time")
	// ErrNotInstalled is returned when the server that answered has no Usher
	// installation: no stream takes events, or none holds transitions.
	ErrNotInstalled = errors.New("this NATS server has no Usher installation (is `usher serve` running on it?)")
	// ErrAudience is returned when a string cannot be an audience's key.
	ErrAudience = errors.New("not an audience key: lower-case letters, digits and dashes")
	// ErrBehind is returned once by a watcher that read too slowly, so that
	// transitions were dropped. The watcher goes on.
	ErrBehind = errors.New("the watcher read too slowly; transitions were dropped")
	// ErrUnreadable is returned by a watcher for a message that is not a
	// transition of a form that this version knows.
	ErrUnreadable = errors.New("not a transition that this version can read")
)

// FlushError is returned by [Client.Flush] when messages were given up.
type FlushError struct {
	// Failed counts them.
	Failed int
	// Errs holds the errors of the first few.
	Errs []error
}

// Error returns the count and the first error.
func (e *FlushError) Error() string {
	return fmt.Sprintf("%d messages were not stored; the first: %v", e.Failed, e.Errs[0])
}

// Unwrap returns the errors of the first few messages.
func (e *FlushError) Unwrap() []error { return e.Errs }
