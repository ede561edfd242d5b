package usher

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/usher-audiences/usher/bus/subject"
)

// lookupTimeout bounds a look-up whose context has no deadline.
const lookupTimeout = 30 * time.Second

// Members returns the current members of an audience, each as the transition
// by which it entered, in order of key.
func (c *Client) Members(ctx context.Context, audience AudienceKey) ([]Transition, error) {
	if !validAudience(audience) {
		return nil, fmt.Errorf("members of %q: %w", audience, ErrAudience)
	}
	members, err := c.current(ctx, subject.Transitions(string(audience)))
	if err != nil {
		return nil, fmt.Errorf("members of %s: %w", audience, err)
	}
	slices.SortFunc(members, func(a, b Transition) int { return cmp.Compare(a.Key, b.Key) })
	return members, nil
}

// Memberships returns the audiences that a person is in now, each as the
// transition of the entry, in order of audience.
func (c *Client) Memberships(ctx context.Context, key UserKey) ([]Transition, error) {
	token, err := subject.Encode(string(key))
	if err != nil {
		return nil, fmt.Errorf("memberships: %w: %w", ErrNoKey, err)
	}
	memberships, err := c.current(ctx, subject.UserTransitions(token))
	if err != nil {
		return nil, fmt.Errorf("memberships of %s: %w", key, err)
	}
	slices.SortFunc(memberships, func(a, b Transition) int { return cmp.Compare(a.Audience, b.Audience) })
	return memberships, nil
}

// register is what a transition's order is kept within.
type register struct {
	audience AudienceKey
	key      UserKey
}

// current reads the last transition of every register that the pattern
// matches and returns those that are open.
func (c *Client) current(ctx context.Context, pattern string) ([]Transition, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	r, err := c.openRegisters(ctx, pattern)
	if err != nil {
		return nil, err
	}
	defer r.messages.Stop()
	open := map[register]Transition{}
	for r.left > 0 {
		t, err := r.next(ctx)
		if err != nil {
			return nil, err
		}
		at := register{t.Audience, t.Key}
		if t.Type == Entered {
			open[at] = t
		} else {
			delete(open, at)
		}
	}
	members := make([]Transition, 0, len(open))
	for _, t := range open {
		members = append(members, t)
	}
	return members, nil
}

// registers reads the last transition of each register, and then whatever
// follows.
type registers struct {
	messages jetstream.MessagesContext
	// last is the stream's last sequence before reading began: up to it, a
	// message says how things stood then.
	last uint64
	// left is how many messages were still to come at the latest one; at 0
	// the reader has caught up.
	left uint64
}

func (c *Client) openRegisters(ctx context.Context, pattern string) (*registers, error) {
	stream, err := c.js.Stream(bounded(ctx), subject.StreamTransitions)
	if err != nil {
		return nil, classify(err)
	}
	consumer, err := stream.OrderedConsumer(bounded(ctx), jetstream.OrderedConsumerConfig{
		FilterSubjects:    []string{pattern},
		DeliverPolicy:     jetstream.DeliverLastPerSubjectPolicy,
		InactiveThreshold: time.Minute,
	})
	if err != nil {
		return nil, classify(err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		return nil, classify(err)
	}
	return &registers{
		messages: messages,
		last:     stream.CachedInfo().State.LastSeq,
		left:     consumer.CachedInfo().NumPending,
	}, nil
}

// next returns the next message, decoded.
func (r *registers) next(ctx context.Context) (Transition, error) {
	m, err := r.messages.Next(jetstream.NextContext(ctx))
	switch {
	case errors.Is(err, jetstream.ErrMsgIteratorClosed):
		return Transition{}, fmt.Errorf("%w: %w", ErrClosed, err)
	case err != nil:
		return Transition{}, classify(err)
	}
	meta, err := m.Metadata()
	if err != nil {
		return Transition{}, err
	}
	r.left = meta.NumPending
	t, err := decode(m.Subject(), m.Data())
	if err != nil {
		return Transition{}, err
	}
	t.Current = meta.Sequence.Stream <= r.last
	return t, nil
}

// watchStream delivers the open registers first, and then every transition.
func (c *Client) watchStream(ctx context.Context, audience AudienceKey) (*Watcher, error) {
	pattern := subject.TransitionsAll
	if audience != AllAudiences {
		pattern = subject.Transitions(string(audience))
	}
	r, err := c.openRegisters(ctx, pattern)
	if err != nil {
		return nil, err
	}
	// Told holds who was told to be a member, until the reader has caught up:
	// a consumer that had to start again delivers older messages too, and an
	// exit among them must not be passed over.
	told := map[register]struct{}{}
	next := func(ctx context.Context) (Transition, error) {
		for {
			t, err := r.next(ctx)
			if err != nil {
				return Transition{}, err
			}
			if !t.Current {
				told = nil // caught up; none is Current from here on
				return t, nil
			}
			at := register{t.Audience, t.Key}
			if _, known := told[at]; t.Type == Entered || known {
				told[at] = struct{}{}
				return t, nil
			}
		}
	}
	return &Watcher{next: next, stop: r.messages.Stop}, nil
}

// bounded gives a context without a deadline one, for what is over quickly.
// Nothing has to be cancelled: the timer ends by itself.
func bounded(ctx context.Context) context.Context {
	if _, ok := ctx.Deadline(); ok {
		return ctx
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	context.AfterFunc(ctx, cancel)
	return ctx
}
