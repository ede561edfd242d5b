package usher

import (
	"context"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/usher-audiences/usher/bus/subject"
)

// pendingMax bounds the messages that PublishAsync has sent and that the log
// has not acknowledged.
const pendingMax = 4096

// PublishAsync sends an event without waiting for the log. It waits only
// while 4,096 are under way. What the log does not acknowledge is retried as
// by [Client.Publish]; [Client.Flush] tells how it ended.
//
// Events of one person keep their order, except where one had to be retried.
func (c *Client) PublishAsync(ctx context.Context, e Event) error {
	key, data, err := e.encode()
	if err != nil {
		return err
	}
	return c.PublishRawAsync(ctx, key, data)
}

// PublishRawAsync is [Client.PublishAsync] for an event that is already
// encoded as JSON. The payload must not be changed before the next Flush.
func (c *Client) PublishRawAsync(ctx context.Context, key UserKey, payload []byte) error {
	token, err := check(key, payload)
	if err != nil {
		return err
	}
	return c.async.send(ctx, nats.Msg{Subject: subject.Events(token), Data: payload})
}

// Flush waits until every PublishAsync before it is stored or given up, and
// returns a [*FlushError] if any was given up since the Flush before.
func (c *Client) Flush(ctx context.Context) error {
	return c.async.flush(ctx)
}

// pending is one message under way. A nil future was not even sent.
type pending struct {
	msg    nats.Msg
	future jetstream.PubAckFuture
}

// errorsKeptMax bounds the errors that one Flush can return.
const errorsKeptMax = 10

// pipeline owns the messages under way and the one goroutine that waits for
// their acknowledgements, in the order they were sent.
type pipeline struct {
	client *Client
	queue  chan pending
	ctx    context.Context // ends at close
	cancel context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex
	underway int
	failed   FlushError
	idle     chan struct{} // closed when underway falls to 0; nil unless awaited
}

func newPipeline(c *Client) *pipeline {
	ctx, cancel := context.WithCancel(context.Background())
	p := &pipeline{client: c, queue: make(chan pending, pendingMax), ctx: ctx, cancel: cancel, done: make(chan struct{})}
	go p.collect()
	return p
}

func (p *pipeline) close() {
	p.cancel()
	<-p.done
}

func (p *pipeline) send(ctx context.Context, m nats.Msg) error {
	if p.ctx.Err() != nil {
		return ErrClosed
	}
	sent := m
	future, err := p.client.js.PublishMsgAsync(&sent, jetstream.WithRetryAttempts(0))
	if err != nil && isFinal(classify(err)) {
		return classify(err)
	}
	p.mu.Lock()
	p.underway++
	p.mu.Unlock()
	select {
	case p.queue <- pending{m, future}:
		return nil
	case <-ctx.Done():
		p.finish(nil)
		return ctx.Err()
	case <-p.ctx.Done():
		p.finish(nil)
		return ErrClosed
	}
}

func (p *pipeline) collect() {
	defer close(p.done)
	for {
		select {
		case <-p.ctx.Done():
			return
		case m := <-p.queue:
			p.finish(p.await(m))
		}
	}
}

// await returns once the message is stored or given up.
func (p *pipeline) await(m pending) error {
	if m.future != nil {
		select {
		case <-m.future.Ok():
			return nil
		case err := <-m.future.Err():
			if err = classify(err); isFinal(err) {
				return err
			}
		case <-p.ctx.Done():
			return ErrClosed
		}
	}
	ctx, cancel := context.WithTimeout(p.ctx, storeTimeout)
	defer cancel()
	return p.client.store(ctx, m.msg)
}

func (p *pipeline) finish(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.underway--
	if err != nil {
		p.failed.Failed++
	}
	if err != nil && len(p.failed.Errs) < errorsKeptMax {
		p.failed.Errs = append(p.failed.Errs, err)
	}
	if p.underway == 0 && p.idle != nil {
		close(p.idle)
		p.idle = nil
	}
}

func (p *pipeline) flush(ctx context.Context) error {
	for {
		idle, err := p.settled()
		if idle == nil {
			return err
		}
		select {
		case <-idle:
		case <-ctx.Done():
			return ctx.Err()
		case <-p.ctx.Done():
			return ErrClosed
		}
	}
}

// settled returns a channel to wait on, or, when nothing is under way, nil
// and what went wrong since the last time.
func (p *pipeline) settled() (<-chan struct{}, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.underway > 0 {
		if p.idle == nil {
			p.idle = make(chan struct{})
		}
		return p.idle, nil
	}
	if p.failed.Failed == 0 {
		return nil, nil
	}
	failed := p.failed
	p.failed = FlushError{}
	return nil, &failed
}

// Pending returns how many messages are under way.
func (c *Client) Pending() int {
	c.async.mu.Lock()
	defer c.async.mu.Unlock()
	return c.async.underway
}
