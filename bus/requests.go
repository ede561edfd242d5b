package bus

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// errTimeout is the failure of a request that was not answered in time.
var errTimeout = errors.New("not answered in time")

// requests sends requests without waiting, over one subscription for all
// answers, on whose goroutine they are given. What is on its way fails at once
// when the connection breaks; the client library's futures would wait.
type requests struct {
	nc      *nats.Conn
	sub     *nats.Subscription
	prefix  string
	timeout time.Duration
	stopped chan struct{}
	swept   chan struct{}

	mu    sync.Mutex
	next  uint64
	calls map[uint64]*call
}

// call is one request on its way.
type call struct {
	deadline time.Time
	failure  error // told at the deadline
	done     func(*nats.Msg, error)
}

// sweepEvery is how exact the time-outs are.
const sweepEvery = 100 * time.Millisecond

func newRequests(nc *nats.Conn, timeout time.Duration) (*requests, error) {
	r := &requests{
		nc: nc, prefix: nc.NewInbox() + ".", timeout: timeout, calls: make(map[uint64]*call),
		stopped: make(chan struct{}), swept: make(chan struct{}),
	}
	sub, err := nc.Subscribe(r.prefix+"*", r.answered)
	if err != nil {
		return nil, err
	}
	// Answers are as many as requests, and those are bounded.
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return nil, err
	}
	r.sub = sub
	go r.sweep()
	return r, nil
}

func (r *requests) close() {
	close(r.stopped)
	<-r.swept
	r.failAll(nats.ErrConnectionClosed)
}

// send sends m and calls done once: with the answer, or with why there is
// none. It sets m.Reply.
func (r *requests) send(m *nats.Msg, done func(*nats.Msg, error)) {
	r.mu.Lock()
	r.next++
	id := r.next
	r.calls[id] = &call{deadline: time.Now().Add(r.timeout), failure: errTimeout, done: done}
	r.mu.Unlock()
	m.Reply = r.prefix + strconv.FormatUint(id, 36)
	if err := r.nc.PublishMsg(m); err != nil {
		// Told by the sweep and not here, so that who asks again at once
		// neither spins nor recurses.
		r.expire(id, err)
	}
}

func (r *requests) expire(id uint64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.calls[id]; c != nil {
		c.deadline, c.failure = time.Time{}, err
	}
}

// failAll ends every request that is on its way.
func (r *requests) failAll(err error) {
	r.mu.Lock()
	calls := r.calls
	r.calls = make(map[uint64]*call)
	r.mu.Unlock()
	for _, c := range calls {
		c.done(nil, err)
	}
}

func (r *requests) answered(m *nats.Msg) {
	id, err := strconv.ParseUint(strings.TrimPrefix(m.Subject, r.prefix), 36, 64)
	if err != nil {
		return
	}
	c := r.take(id)
	if c == nil {
		return // given up
	}
	if len(m.Data) == 0 && m.Header.Get("Status") == "503" {
		c.done(nil, nats.ErrNoResponders)
		return
	}
	c.done(m, nil)
}

func (r *requests) take(id uint64) *call {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.calls[id]
	delete(r.calls, id)
	return c
}

func (r *requests) sweep() {
	defer close(r.swept)
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		select {
		case <-r.stopped:
			return
		case now := <-t.C:
			for _, c := range r.expired(now) {
				c.done(nil, c.failure)
			}
		}
	}
}

func (r *requests) expired(now time.Time) []*call {
	r.mu.Lock()
	defer r.mu.Unlock()
	var late []*call
	for id, c := range r.calls {
		if now.After(c.deadline) {
			late = append(late, c)
			delete(r.calls, id)
		}
	}
	return late
}
