package usher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/usher-audiences/usher/bus/subject"
)

const (
	// attemptTimeout is how long one attempt waits for its acknowledgement.
	attemptTimeout = 5 * time.Second
	// retryWaitMin and retryWaitMax bound the pause between two attempts; it
	// doubles each time.
	retryWaitMin = 20 * time.Millisecond
	retryWaitMax = time.Second
)

// Publish stores one event in the log and returns once that is done. It
// retries until then, or until ctx ends or, if ctx has no deadline, 30
// seconds have passed: then it returns [ErrNotStored]. An event that was sent
// more than once counts once.
func (c *Client) Publish(ctx context.Context, e Event) error {
	key, data, err := e.encode()
	if err != nil {
		return err
	}
	return c.PublishRaw(ctx, key, data)
}

// PublishRaw publishes an event that is already encoded as JSON. The payload
// must name the same key. It is retried as by [Client.Publish], so an event
// without a messageId may count twice.
func (c *Client) PublishRaw(ctx context.Context, key UserKey, payload []byte) error {
	token, err := check(key, payload)
	if err != nil {
		return err
	}
	return c.store(ctx, nats.Msg{Subject: subject.Events(token), Data: payload})
}

// UpdateTraits merges traits into those known of a user, as a warehouse or a
// service does; a nil value deletes one. It is no activity of the user: it
// neither begins nor prolongs a session. It returns once stored, as
// [Client.Publish] does.
func (c *Client) UpdateTraits(ctx context.Context, user UserKey, traits map[string]any) error {
	payload, err := json.Marshal(map[string]any{"userId": user, "traits": traits})
	if err != nil {
		return fmt.Errorf("traits of %s: %w", user, err)
	}
	token, err := check(user, payload)
	if err != nil {
		return err
	}
	return c.store(ctx, nats.Msg{Subject: subject.Traits(token), Data: payload})
}

// check returns the key's token, or what would make the log refuse the
// message.
func check(key UserKey, payload []byte) (subject.Token, error) {
	token, err := subject.Encode(string(key))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoKey, err)
	}
	if len(payload) > MessageMax {
		return "", fmt.Errorf("%w: %d bytes, of %s", ErrTooLarge, len(payload), key)
	}
	return token, nil
}

// store publishes until the log has stored the message.
func (c *Client) store(ctx context.Context, m nats.Msg) error {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, storeTimeout)
		defer cancel()
	}
	var last error
	for wait := retryWaitMin; ; wait = min(2*wait, retryWaitMax) {
		err := c.attempt(ctx, m)
		if err == nil || isFinal(err) {
			return err
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("publish on %s: %w: %w", m.Subject, ErrNotStored, last)
		case <-time.After(wait):
		}
	}
}

// attempt publishes once. The message is passed by value because the library
// writes into it.
//
// It is the library's asynchronous publish because that one is told at once
// when the connection breaks; a request would wait for its answer in vain.
func (c *Client) attempt(ctx context.Context, m nats.Msg) error {
	future, err := c.js.PublishMsgAsync(&m, jetstream.WithRetryAttempts(0))
	if err != nil {
		return classify(err)
	}
	select {
	case <-future.Ok():
		return nil
	case err := <-future.Err():
		return classify(err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// classify turns the library's errors into this package's where the caller
// can do something about them.
func classify(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jetstream.ErrNoStreamResponse), errors.Is(err, nats.ErrNoResponders),
		errors.Is(err, jetstream.ErrStreamNotFound), errors.Is(err, jetstream.ErrJetStreamNotEnabled),
		errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return fmt.Errorf("%w: %w", ErrNotInstalled, err)
	case errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, jetstream.ErrConnectionClosed):
		return fmt.Errorf("%w: %w", ErrClosed, err)
	case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, jetstream.ErrStreamMessageExceedsMaximum):
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	default:
		return err
	}
}

// isFinal tells errors that no retry can mend.
func isFinal(err error) bool {
	return errors.Is(err, ErrClosed) || errors.Is(err, ErrTooLarge) || errors.Is(err, nats.ErrBadSubject)
}
