package bus

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

// Retention says how long what is kept.
type Retention struct {
	// Keep is how long messages stay in the logs. Default 72 hours. What is
	// not yet below its partition's checkpoint stays in any case.
	Keep time.Duration
	// ForgetExits is how long after an exit its register is forgotten.
	// Default 90 days.
	ForgetExits time.Duration
	// Every is how often the logs are purged. Default one hour. Exits are
	// forgotten once a day.
	Every time.Duration
}

const (
	// ownerPauseMax is the longest pause that an owner of a partition
	// survives with its state.
	ownerPauseMax = 24 * time.Hour
	exitsEvery    = 24 * time.Hour
)

func (r *Retention) validate() error {
	r.Keep, r.ForgetExits = or(r.Keep, 72*time.Hour), or(r.ForgetExits, 90*24*time.Hour)
	r.Every = or(r.Every, time.Hour)
	if r.Keep < 0 || r.Every < 0 {
		return fmt.Errorf("keep messages for %v, purged every %v: must be positive", r.Keep, r.Every)
	}
	if r.ForgetExits <= r.Keep+ownerPauseMax {
		// A replay, or an owner that was paused, would publish the exit's
		// entry again into the empty register.
		return fmt.Errorf("forget exits after %v: must be longer than messages are kept (%v) and an owner may pause (%v) together",
			r.ForgetExits, r.Keep, ownerPauseMax)
	}
	return nil
}

// Retain purges and forgets until ctx or the bus ends. It is enough that one
// member does it; it does no harm if several do.
func (b *Bus) Retain(ctx context.Context, r Retention) error {
	if err := r.validate(); err != nil {
		return fmt.Errorf("retention: %w", err)
	}
	t := time.NewTicker(r.Every)
	defer t.Stop()
	var swept time.Time
	for {
		b.purgeLogs(ctx, r.Keep)
		if now := time.Now(); now.Sub(swept) >= exitsEvery {
			swept = now
			if n, err := b.ForgetExits(ctx, now.Add(-r.ForgetExits)); err != nil {
				b.log.Error("exits were not forgotten; again tomorrow", "forgotten", n, "err", err)
			}
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil
		case <-b.ctx.Done():
			return nil
		}
	}
}

func (b *Bus) purgeLogs(ctx context.Context, keep time.Duration) {
	for p := range b.inst.Partitions {
		if ctx.Err() != nil || b.ctx.Err() != nil {
			return
		}
		if _, err := b.PurgeLog(ctx, p, time.Now().Add(-keep)); err != nil {
			b.log.Error("a log was not purged; again later", "partition", p, "err", err)
		}
	}
}

// PurgeLog removes the messages of p's log that were stored before an instant
// and lie below the partition's stored checkpoint. The checkpoint's own
// message stays: a new owner compares it. It returns how many were removed.
func (b *Bus) PurgeLog(ctx context.Context, p int, before time.Time) (uint64, error) {
	type answer struct {
		c   *partition.Checkpoint
		err error
	}
	ch := make(chan answer, 1)
	b.loadCheckpoint(p, func(c *partition.Checkpoint, _ uint64, err error) { ch <- answer{c, err} })
	var a answer
	select {
	case a = <-ch:
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	if a.err != nil || a.c == nil || a.c.Seq == 0 {
		return 0, a.err
	}
	stream := subject.LogStream(p)
	first, err := b.firstSince(ctx, stream, before)
	if err != nil {
		return 0, err
	}
	below := min(first, a.c.Seq)
	state, err := b.streamState(ctx, stream)
	if err != nil || below <= state.First {
		return 0, err
	}
	return b.purge(ctx, stream, "", below)
}

// firstSince is the sequence of the first message stored at or after an
// instant. A consumer that starts there knows it.
func (c *Conn) firstSince(ctx context.Context, stream string, since time.Time) (uint64, error) {
	since = since.UTC()
	p, err := c.newPull(ctx, stream, consumerConfig{Deliver: deliverAfter, Start: &since}, new(atomic.Bool), nil)
	if err != nil {
		return 0, err
	}
	p.stop()
	return p.start, nil
}

// ForgetExits purges the registers whose last transition is an exit stored
// before an instant, up to and including that exit, and returns how many. A
// register found empty is continued with its n.
func (b *Bus) ForgetExits(ctx context.Context, before time.Time) (int, error) {
	type exit struct {
		subject string
		seq     uint64
	}
	var exits []exit
	cfg := consumerConfig{Deliver: deliverLast, Filters: []string{subject.TransitionsAll, subject.ShadowAll}}
	err := b.sweep(ctx, subject.StreamTransitions, cfg, func(m *nats.Msg, meta metadata) error {
		if meta.time < before.UnixNano() && isExit(m.Data) {
			exits = append(exits, exit{strings.Clone(m.Subject), meta.seq})
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("look for exits: %w", err)
	}
	for i, e := range exits {
		if _, err := b.purge(ctx, subject.StreamTransitions, e.subject, e.seq+1); err != nil {
			return i, fmt.Errorf("forget the exit %s at %s: %w", e.subject, strconv.FormatUint(e.seq, 10), err)
		}
	}
	return len(exits), nil
}

func isExit(data []byte) bool {
	var t rules.Published
	return json.Unmarshal(data, &t) == nil && t.Kind == rules.Exited
}
