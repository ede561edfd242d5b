package actors

import "sync"

// slots bounds how many log messages wait in a mailbox, which has no bound of
// its own.
type slots struct {
	free   chan struct{}
	closed chan struct{}
	once   *sync.Once
}

func newSlots(n int) slots {
	return slots{free: make(chan struct{}, n), closed: make(chan struct{}), once: new(sync.Once)}
}

// acquire takes a slot, waiting for one. It reports false once the slots are
// closed.
func (s slots) acquire() bool {
	select {
	case s.free <- struct{}{}:
		return true
	case <-s.closed:
		return false
	}
}

// release gives back a slot taken by acquire.
func (s slots) release() { <-s.free }

// close lets everyone who waits go. It may be called more than once.
func (s slots) close() { s.once.Do(func() { close(s.closed) }) }
