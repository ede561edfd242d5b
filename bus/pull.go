package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
)

const (
	// pullMax is how many messages are asked for at a time. More are asked
	// for when half of them have come.
	pullMax = 1000
	// pullBytesMax is how much of them may be on its way, so that large
	// messages do not fill the memory of a paused reader.
	pullBytesMax = 16 << 20
	pullExpires  = 30 * time.Second
	heartbeat    = 5 * time.Second
	// silenceMax is how long a consumer with a request open may say nothing.
	silenceMax = 2*heartbeat + time.Second
	// abandonedAfter is when the server removes a consumer nobody asks.
	abandonedAfter = time.Minute
)

var (
	errConsumerGone = errors.New("the consumer is gone")
	errSilence      = errors.New("the consumer has fallen silent")
	errOutOfOrder   = errors.New("a message of the consumer is missing")
)

// consumerConfig is an ephemeral consumer without acknowledgements.
type consumerConfig struct {
	Deliver  string     `json:"deliver_policy"`
	StartSeq uint64     `json:"opt_start_seq,omitempty"`
	Start    *time.Time `json:"opt_start_time,omitempty"`
	Filters  []string   `json:"filter_subjects,omitempty"`
	Headers  bool       `json:"headers_only,omitempty"`
}

// The deliver policies used.
const (
	deliverAll   = "all"
	deliverFrom  = "by_start_sequence"
	deliverAfter = "by_start_time"
	deliverLast  = "last_per_subject"
)

// metadata is what a consumer says of a message it delivers.
type metadata struct {
	seq      uint64 // in the stream
	delivery uint64 // counted by the consumer, from 1 without a gap
	time     int64  // Unix nanoseconds
	pending  uint64 // how many more the consumer has
}

// pull is one ephemeral consumer and the requests for its messages. It ends
// by itself, once, when the consumer can no longer be relied on; who owns it
// then makes another.
type pull struct {
	conn    *Conn
	stream  string
	name    string
	start   uint64 // the sequence that the consumer starts at
	pending uint64 // how many messages it had when it was made
	inbox   string
	sub     *nats.Subscription
	// lost is closed when the pull has failed; reason is then set.
	lost   chan struct{}
	reason error
	once   sync.Once

	each     func(*nats.Msg, metadata)
	delivery sync.Mutex // held while a message is delivered
	dead     bool       // under delivery: nothing is delivered any more
	last     uint64     // under delivery: delivery number of the last message

	asking sync.Mutex
	open   int          // under asking: messages asked for that have not come
	paused *atomic.Bool // the owner's: while it is set no more is asked for
	heard  atomic.Int64 // Unix nanoseconds
}

// newPull makes the consumer. Its messages come after fill has been called,
// on the subscription's own goroutine.
func (c *Conn) newPull(ctx context.Context, stream string, cfg consumerConfig, paused *atomic.Bool, each func(*nats.Msg, metadata)) (*pull, error) {
	p := &pull{
		conn: c, stream: stream, name: "usher-" + nuid.Next(), inbox: c.nc.NewInbox(),
		lost: make(chan struct{}), paused: paused, each: each,
	}
	body := map[string]any{"stream_name": stream, "action": "create", "config": struct {
		consumerConfig
		Name     string        `json:"name"`
		Ack      string        `json:"ack_policy"`
		Replay   string        `json:"replay_policy"`
		Inactive time.Duration `json:"inactive_threshold"`
		Memory   bool          `json:"mem_storage"`
		Replicas int           `json:"num_replicas"`
	}{cfg, p.name, "none", "instant", abandonedAfter, true, 1}}
	var r struct {
		Delivered struct {
			Stream uint64 `json:"stream_seq"`
		} `json:"delivered"`
		Pending uint64 `json:"num_pending"`
	}
	var err error
	if p.sub, err = c.nc.Subscribe(p.inbox, p.received); err != nil {
		return nil, fmt.Errorf("consumer of %s: %w", stream, err)
	}
	err = p.sub.SetPendingLimits(-1, -1) // bounded by what is asked for
	if err == nil {
		err = c.call(ctx, apiConsumerCreate+stream+"."+p.name, body, &r)
	}
	if err != nil {
		_ = p.sub.Unsubscribe() // fails only when the connection is closed
		return nil, fmt.Errorf("consumer of %s: %w", stream, err)
	}
	p.start, p.pending = r.Delivered.Stream+1, r.Pending
	c.track(p)
	return p, nil
}

// stop ends the pull; no message is being delivered when it returns, and none
// will be.
func (p *pull) stop() {
	p.delivery.Lock()
	p.dead = true
	p.delivery.Unlock()
	p.conn.untrack(p)
	_ = p.sub.Unsubscribe() // fails only when the connection is closed
	// Not waited for: the server removes what is abandoned.
	_ = p.conn.nc.Publish(apiConsumerDelete+p.stream+"."+p.name, nil)
}

// fail ends the pull for a reason. It may be called at any time.
func (p *pull) fail(reason error) {
	p.once.Do(func() {
		p.reason = reason
		close(p.lost)
	})
}

// watch fails the pull if it should have heard of its consumer and has not.
// It is called now and then.
func (p *pull) watch(now time.Time) {
	p.asking.Lock()
	open := p.open
	p.asking.Unlock()
	if open > 0 && now.UnixNano()-p.heard.Load() > int64(silenceMax) {
		p.fail(errSilence)
	}
}

// wait returns why the pull failed, or nil when ctx ends.
func (p *pull) wait(ctx context.Context) error {
	t := time.NewTicker(heartbeat)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.lost:
			return p.reason
		case now := <-t.C:
			p.watch(now)
		}
	}
}

// fill asks for more messages when half of those asked for have come.
func (p *pull) fill() {
	p.asking.Lock()
	defer p.asking.Unlock()
	if p.paused.Load() || p.open > pullMax/2 {
		return
	}
	n := pullMax - p.open
	if p.open == 0 {
		p.heard.Store(time.Now().UnixNano()) // silence counts from here
	}
	body, err := json.Marshal(struct {
		Batch     int           `json:"batch"`
		MaxBytes  int64         `json:"max_bytes"`
		Expires   time.Duration `json:"expires"`
		Heartbeat time.Duration `json:"idle_heartbeat"`
	}{n, max(pullBytesMax, 2*p.conn.nc.MaxPayload()), pullExpires, heartbeat})
	if err == nil {
		err = p.conn.nc.PublishRequest(apiConsumerNext+p.stream+"."+p.name, p.inbox, body)
	}
	if err != nil {
		p.fail(err)
		return
	}
	p.open += n
}

func (p *pull) received(m *nats.Msg) {
	p.heard.Store(time.Now().UnixNano())
	if m.Subject == p.inbox {
		p.status(m)
		return
	}
	meta, ok := parseMetadata(m.Reply)
	if !ok {
		p.fail(fmt.Errorf("message of %s without metadata: reply %q", p.stream, m.Reply))
		return
	}
	p.delivery.Lock()
	switch {
	case p.dead:
	case meta.delivery != p.last+1:
		p.dead = true
		p.fail(errOutOfOrder)
	default:
		p.last = meta.delivery
		p.each(m, meta)
	}
	p.delivery.Unlock()
	p.arrived(1)
}

// arrived counts messages that have come, or will not, and asks for more.
func (p *pull) arrived(n int) {
	p.asking.Lock()
	p.open = max(p.open-n, 0)
	more := p.open <= pullMax/2
	p.asking.Unlock()
	if more {
		p.fill()
	}
}

// status reads a message of the server about the requests.
func (p *pull) status(m *nats.Msg) {
	code, what := m.Header.Get("Status"), m.Header.Get("Description")
	switch {
	case code == "100": // still there
	case code == "404", code == "408", code == "409" && endsRequest(what):
		n, err := strconv.Atoi(m.Header.Get("Nats-Pending-Messages"))
		if err != nil {
			n = pullMax // not told: nothing is open any more
		}
		p.arrived(n)
	default:
		p.fail(fmt.Errorf("%w: %s %s", errConsumerGone, code, what))
	}
}

// endsRequest tells the end of one request from the end of the consumer.
func endsRequest(what string) bool {
	return strings.EqualFold(what, "Batch Completed") || strings.EqualFold(what, "Message Size Exceeds MaxBytes")
}

// parseMetadata reads the reply subject of a delivered message, in either of
// its forms:
//
//	$JS.ACK.<stream>.<consumer>.<delivered>.<seq>.<delivery>.<time>.<pending>
//	$JS.ACK.<domain>.<account>.<stream>.<consumer>.<delivered>.<seq>.<delivery>.<time>.<pending>...
func parseMetadata(reply string) (metadata, bool) {
	const short, long = 9, 11
	var tokens [long + 1]string
	n := 0
	for rest, more := reply, true; more && n < len(tokens); n++ {
		tokens[n], rest, more = strings.Cut(rest, ".")
	}
	from := 5
	if n >= long {
		from = 7
	} else if n != short {
		return metadata{}, false
	}
	var m metadata
	var errs [4]error
	m.seq, errs[0] = strconv.ParseUint(tokens[from], 10, 64)
	m.delivery, errs[1] = strconv.ParseUint(tokens[from+1], 10, 64)
	m.time, errs[2] = strconv.ParseInt(tokens[from+2], 10, 64)
	m.pending, errs[3] = strconv.ParseUint(tokens[from+3], 10, 64)
	return m, tokens[0] == "$JS" && tokens[1] == "ACK" && errors.Join(errs[:]...) == nil
}
