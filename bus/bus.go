package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/usher-audiences/usher/actors/partition"
)

// Reader is one reading of a log. It is an alias of an unnamed interface so
// that package actors can declare the same type without being imported.
type Reader = interface {
	Pause()
	Resume()
	Stop()
}

// Bus is the ports on NATS. When the context it was opened with ends, nothing
// is answered any more.
//
// Messages of a log come on a goroutine of their own per reading, answers to
// everything else on few: a function that blocks holds up the others.
type Bus struct {
	*Conn
	inst Installation
	sets *ruleSets

	ctx   context.Context //nolint:containedctx // the ports have none: this is how long they answer
	stop  context.CancelFunc
	tasks sync.WaitGroup

	complaints complaints
}

// Open gives the ports of the installation, until ctx ends or Close is
// called. The error wraps [ErrNotInstalled] if there is none.
func (c *Conn) Open(ctx context.Context) (*Bus, error) {
	inst, err := c.Installation(ctx)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	b := &Bus{Conn: c, inst: inst, sets: newRuleSets(c.Definitions())}
	b.ctx, b.stop = context.WithCancel(ctx)
	return b, nil
}

// Close ends every reading and every request and waits for them. The
// connection stays.
func (b *Bus) Close() {
	b.stop()
	b.tasks.Wait()
}

// start runs f, which ends soon after the bus's context does.
func (b *Bus) start(f func()) {
	if b.ctx.Err() == nil {
		b.tasks.Go(f)
	}
}

// complainEvery is how often the same sort of failure is logged.
const complainEvery = 5 * time.Second

// complaints is when each sort of failure was last logged.
type complaints struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// due reports whether what may be logged again, and notes that it is.
func (c *complaints) due(what string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if last, ok := c.last[what]; ok && now.Sub(last) < complainEvery {
		return false
	}
	if c.last == nil {
		c.last = make(map[string]time.Time)
	}
	c.last[what] = now
	return true
}

const (
	backoffMin = 50 * time.Millisecond
	backoffMax = 2 * time.Second
)

// backoff is how long to wait before the attempt after so many.
func backoff(attempts int) time.Duration {
	return min(backoffMin<<min(attempts, 10), backoffMax)
}

// again reports whether to go on after a failure, and has waited if so.
func (b *Bus) again(attempts int, err error, what string, attrs ...any) bool {
	if b.ctx.Err() != nil {
		return false
	}
	b.complain(attempts, err, what, attrs...)
	t := time.NewTimer(backoff(attempts))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-b.ctx.Done():
		return false
	}
}

// complain logs the failures 1, 2, 4, 8 ... of a request that is repeated. Of
// many requests of one sort that fail at once, as when the server is slow, it
// logs one every complainEvery.
func (b *Bus) complain(attempts int, err error, what string, attrs ...any) {
	if bits.OnesCount(uint(attempts)) != 1 || !b.complaints.due(what, time.Now()) {
		return
	}
	b.log.Warn("trying again", append([]any{slog.String("what", what), slog.Int("attempts", attempts), slog.Any("err", err)}, attrs...)...)
}

// persist tries until try ends without an error. Try starts its work without
// waiting and tells its end once.
func (b *Bus) persist(what string, try func(end func(error))) { b.attempt(1, what, try) }

func (b *Bus) attempt(n int, what string, try func(end func(error))) {
	if b.ctx.Err() != nil {
		return
	}
	try(func(err error) {
		if err == nil || b.ctx.Err() != nil {
			return
		}
		b.complain(n, err, what)
		time.AfterFunc(backoff(n), func() { b.attempt(n+1, what, try) })
	})
}

// store publishes once and tells how it ended.
func (b *Bus) store(g *gate, m *nats.Msg, done func(outcome partition.Outcome, seq uint64)) {
	b.ask(g, m, func(answer *nats.Msg, err error) {
		if b.ctx.Err() != nil {
			return
		}
		var r pubReply
		if err == nil {
			r, err = readPubReply(answer.Data)
		}
		switch {
		case err != nil:
			b.doubt(m, err)
			done(partition.Doubt, 0)
		case r.refused():
			done(partition.Refused, 0)
		case r.Error != nil:
			b.doubt(m, r.Error)
			done(partition.Doubt, 0)
		default:
			done(partition.Stored, r.Seq)
		}
	})
}

// doubt logs why a write is in doubt: loudly, unless it passes by itself.
func (b *Bus) doubt(m *nats.Msg, err error) {
	switch {
	case errors.Is(err, nats.ErrMaxPayload):
		b.log.Error("a write is too large for the server: raise max_payload in its configuration",
			"subject", m.Subject, "bytes", len(m.Data), "max_payload", b.nc.MaxPayload())
	case isRefusal(err) && !isCode(err, codeConflict):
		b.log.Warn("a write is in doubt", "subject", m.Subject, "err", err)
	default:
		b.log.Debug("a write is in doubt", "subject", m.Subject, "err", err)
	}
}
