package usher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/nats-io/nats.go"

	"github.com/usher-audiences/usher/bus/subject"
)

// AllAudiences makes [Client.Watch] watch every audience.
const AllAudiences AudienceKey = ""

// watchPendingMax bounds the transitions that wait to be read from a watcher
// on core NATS. Beyond it they are dropped, and [ErrBehind] says so.
const (
	watchPendingMax      = 1 << 20
	watchPendingBytesMax = 512 << 20
)

// WatchOption changes what a watcher delivers.
type WatchOption func(*watchConfig)

type watchConfig struct{ members bool }

// WithMembers makes a watcher deliver the current members first, marked
// Current, and then every transition from there on, with no gap, also over
// lost connections. The transitions are read from the stream, a little later
// than without it.
func WithMembers() WatchOption {
	return func(c *watchConfig) { c.members = true }
}

// Watcher delivers transitions, one after another. It is for one goroutine.
type Watcher struct {
	next func(context.Context) (Transition, error)
	stop func()
	ctx  context.Context // the watch ends with it
}

// Watch watches one audience, or [AllAudiences]. Once it has returned, no
// transition is missed that is published from then on. The watch ends with
// ctx, or by [Watcher.Stop].
func (c *Client) Watch(ctx context.Context, audience AudienceKey, options ...WatchOption) (*Watcher, error) {
	var cfg watchConfig
	for _, o := range options {
		o(&cfg)
	}
	if audience != AllAudiences && !validAudience(audience) {
		return nil, fmt.Errorf("watch %q: %w", audience, ErrAudience)
	}
	var w *Watcher
	var err error
	if cfg.members {
		w, err = c.watchStream(ctx, audience)
	} else {
		w, err = c.watchCore(ctx, audience)
	}
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", audienceOrAll(audience), err)
	}
	w.ctx = ctx
	return w, nil
}

// Next waits for the next transition. It returns the error of ctx when that
// ends, [ErrBehind] once when transitions were dropped, and [ErrClosed] when
// there will be none.
func (w *Watcher) Next(ctx context.Context) (Transition, error) {
	return w.next(ctx)
}

// All returns the transitions until the watch ends. An error is delivered
// with a zero transition; only [ErrBehind], and a message that could not be
// read, are followed by anything.
func (w *Watcher) All() iter.Seq2[Transition, error] {
	return func(yield func(Transition, error) bool) {
		for {
			t, err := w.next(w.ctx)
			if w.ctx.Err() != nil {
				return
			}
			final := err != nil && !errors.Is(err, ErrBehind) && !errors.Is(err, ErrUnreadable)
			if !yield(t, err) || final {
				return
			}
		}
	}
}

// Stop ends the watch.
func (w *Watcher) Stop() { w.stop() }

// watchCore subscribes to what the server republishes after storing it.
func (c *Client) watchCore(ctx context.Context, audience AudienceKey) (*Watcher, error) {
	pattern := subject.AudiencesAll
	if audience != AllAudiences {
		pattern = subject.Audiences(string(audience))
	}
	sub, err := c.nc.SubscribeSync(pattern)
	if err != nil {
		return nil, classify(err)
	}
	if err := sub.SetPendingLimits(watchPendingMax, watchPendingBytesMax); err != nil {
		return nil, err
	}
	// Without the round trip the server may not know the subscription yet.
	if err := c.nc.FlushWithContext(bounded(ctx)); err != nil {
		return nil, errors.Join(classify(err), sub.Unsubscribe())
	}
	next := func(ctx context.Context) (Transition, error) {
		m, err := sub.NextMsgWithContext(ctx)
		switch {
		case errors.Is(err, nats.ErrSlowConsumer):
			return Transition{}, ErrBehind
		case errors.Is(err, nats.ErrBadSubscription), errors.Is(err, nats.ErrConnectionClosed):
			return Transition{}, fmt.Errorf("%w: %w", ErrClosed, err)
		case err != nil:
			return Transition{}, err
		}
		return decode(m.Subject, m.Data)
	}
	stop := func() { _ = sub.Unsubscribe() } // the only error is that it has ended already
	return &Watcher{next: next, stop: stop}, nil
}

// decode reads a transition as it stands on the wire.
func decode(subject string, data []byte) (Transition, error) {
	var t Transition
	if err := json.Unmarshal(data, &t); err != nil {
		return Transition{}, fmt.Errorf("%s: %w: %w", subject, ErrUnreadable, err)
	}
	return t, nil
}

// validAudience tells whether the key can be a subject token of an audience.
func validAudience(a AudienceKey) bool {
	for _, r := range a {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	return a != ""
}

func audienceOrAll(a AudienceKey) string {
	if a == AllAudiences {
		return "all audiences"
	}
	return string(a)
}
