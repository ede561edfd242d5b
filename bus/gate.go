package bus

import (
	"context"
	"sync"

	"github.com/nats-io/nats.go"
)

// The server drops requests when too many of one sort are waiting, and then
// all of them. These bounds keep well away from that.
const (
	apiMax         = 512  // of its 10,000 for all clients together
	directMax      = 1024 // answers to which may be large
	transitionsMax = 4096 // of 10,000 per stream
	snapshotsMax   = 1024
	appendsMax     = 1024
)

// compactMin is how many gone requests a queue keeps before it is moved up.
const compactMin = 1024

// gates is a connection's bounds, by sort of request.
type gates struct {
	api, direct, transitions, snapshots, appends gate
}

func newGates() gates {
	return gates{
		api: gate{free: apiMax}, direct: gate{free: directMax}, transitions: gate{free: transitionsMax},
		snapshots: gate{free: snapshotsMax}, appends: gate{free: appendsMax},
	}
}

// gate lets so many requests through at a time; the others wait in order. Who
// asks bounds how many those are.
type gate struct {
	mu      sync.Mutex
	free    int
	waiting []waiting // a queue; those before head are gone
	head    int
}

type waiting struct {
	m    *nats.Msg
	done func(*nats.Msg, error)
}

// enter reports whether the request may go now; otherwise it is queued.
func (g *gate) enter(m *nats.Msg, done func(*nats.Msg, error)) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.free > 0 {
		g.free--
		return true
	}
	g.waiting = append(g.waiting, waiting{m, done})
	return false
}

// leave frees a place and returns who takes it.
func (g *gate) leave() (waiting, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.head == len(g.waiting) {
		g.free++
		g.waiting, g.head = g.waiting[:0], 0
		return waiting{}, false
	}
	w := g.waiting[g.head]
	g.waiting[g.head] = waiting{}
	if g.head++; g.head > compactMin && g.head > len(g.waiting)/2 {
		n := copy(g.waiting, g.waiting[g.head:])
		clear(g.waiting[n:])
		g.waiting, g.head = g.waiting[:n], 0
	}
	return w, true
}

// ask sends m through the gate and calls done once with the answer.
func (c *Conn) ask(g *gate, m *nats.Msg, done func(*nats.Msg, error)) {
	if g.enter(m, done) {
		c.pass(g, m, done)
	}
}

// askWait is ask for those who may wait.
func (c *Conn) askWait(ctx context.Context, g *gate, m *nats.Msg) (*nats.Msg, error) {
	type answer struct {
		m   *nats.Msg
		err error
	}
	ch := make(chan answer, 1)
	c.ask(g, m, func(m *nats.Msg, err error) { ch <- answer{m, err} })
	select {
	case a := <-ch:
		return a.m, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (c *Conn) pass(g *gate, m *nats.Msg, done func(*nats.Msg, error)) {
	c.req.send(m, func(answer *nats.Msg, err error) {
		if next, ok := g.leave(); ok {
			c.pass(g, next.m, next.done)
		}
		done(answer, err)
	})
}
