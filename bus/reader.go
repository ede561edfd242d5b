package bus

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

const (
	headerContentType = "Content-Type"
	typeMessagePack   = "application/msgpack"
)

// reader reads one log through one unfiltered consumer after another. An
// ordered consumer of the client library would go on by itself after a reset;
// but a consumer that starts beyond the log's end says nothing until the
// sequence comes round, and one that starts below its first message silently
// jumps. So before each consumer the message at the cursor is compared.
type reader struct {
	bus     *Bus
	stream  string
	reading int
	deliver func(partition.Input)

	ctx    context.Context //nolint:containedctx // ends with the reading
	cancel context.CancelFunc
	paused atomic.Bool
	pull   atomic.Pointer[pull]
	end    atomic.Uint64

	// Only one goroutine at a time has these: the one that opens, or the
	// subscription's while a pull delivers.
	cursor partition.Cursor
	intact bool // messages come after cursor by sequence
}

// Read delivers the answers LogOpened and Message in order, until the reader
// is stopped. The function is called on the connection's own goroutine for
// this log; while it has not returned, no more messages of the log are read.
func (b *Bus) Read(p int, r partition.Read, deliver func(partition.Input)) Reader {
	rd := &reader{bus: b, stream: subject.LogStream(p), reading: r.Reading, deliver: deliver, cursor: r.After}
	rd.ctx, rd.cancel = context.WithCancel(b.ctx)
	b.start(rd.run)
	return rd
}

// Pause stops asking for messages. Those asked for still come.
func (r *reader) Pause() { r.paused.Store(true) }

// Resume ends a Pause.
func (r *reader) Resume() {
	r.paused.Store(false)
	if p := r.pull.Load(); p != nil {
		p.fill()
	}
}

// Stop ends the reading.
func (r *reader) Stop() { r.cancel() }

// End is the log's last sequence as the last message delivered told it. It
// counts what was erased behind that message as being before it.
func (r *reader) End() uint64 { return r.end.Load() }

func (r *reader) run() {
	defer r.cancel()
	told := false
	for attempts := 1; r.ctx.Err() == nil; attempts++ {
		p, opened, err := r.open()
		if err == nil {
			if !told || !opened.Intact {
				r.deliver(opened)
				told = true
			}
			before := r.cursor
			err = r.follow(p)
			p.stop()
			if r.cursor != before {
				attempts = 1
			}
		}
		if r.ctx.Err() != nil || !r.bus.again(attempts, err, "read a log", "stream", r.stream) {
			return
		}
	}
}

// follow delivers what the pull brings until it fails or the reading ends.
func (r *reader) follow(p *pull) error {
	r.pull.Store(p)
	defer r.pull.Store(nil)
	p.fill()
	return p.wait(r.ctx)
}

// open compares the message at the cursor and makes a consumer of those after
// it.
func (r *reader) open() (*pull, partition.LogOpened, error) {
	opened := partition.LogOpened{Reading: r.reading}
	state, err := r.bus.streamState(r.ctx, r.stream)
	if err != nil {
		return nil, opened, err
	}
	found, err := r.compare()
	if err != nil {
		return nil, opened, err
	}
	p, err := r.bus.newPull(r.ctx, r.stream, r.startAt(found), &r.paused, r.message)
	if err != nil {
		return nil, opened, err
	}
	// A message that was erased stands neither at the cursor nor is it lost,
	// if what was stored after its time also lies behind it.
	erased := found == missing && state.First <= r.cursor.Seq && r.cursor.Seq <= state.Last && p.start > r.cursor.Seq
	opened.Intact = found == same || erased
	r.intact = opened.Intact
	opened.First = state.First
	if opened.Last, err = r.lastStored(p, state); err != nil {
		p.stop()
		return nil, opened, err
	}
	return p, opened, nil
}

// lastStored is the sequence of the last message that is still there. Whoever
// waits for it would wait for ever for one that was erased.
func (r *reader) lastStored(p *pull, state streamState) (uint64, error) {
	if state.Messages == 0 {
		return 0, nil
	}
	last := state.Last
	if r.intact && p.pending == 0 {
		return min(last, r.cursor.Seq), nil
	}
	for ; state.Deleted > 0 && last > state.First; last-- {
		m, err := r.bus.getMessageWait(r.ctx, r.stream, getQuery{Seq: last})
		if err != nil {
			return 0, err
		}
		if m != nil {
			break
		}
	}
	return last, nil
}

// finding is what stands at a cursor.
type finding uint8

const (
	same finding = iota
	different
	missing
)

func (r *reader) compare() (finding, error) {
	if r.cursor.Seq == 0 {
		return same, nil
	}
	m, err := r.bus.getMessageWait(r.ctx, r.stream, getQuery{Seq: r.cursor.Seq})
	switch {
	case err != nil:
		return missing, err
	case m == nil:
		return missing, nil
	case m.Time.UnixNano() != r.cursor.Time:
		return different, nil
	default:
		return same, nil
	}
}

func (r *reader) startAt(found finding) consumerConfig {
	switch {
	case r.cursor.Seq == 0:
		return consumerConfig{Deliver: deliverAll}
	case found == same:
		return consumerConfig{Deliver: deliverFrom, StartSeq: r.cursor.Seq + 1}
	default:
		after := time.Unix(0, r.cursor.Time+1).UTC()
		return consumerConfig{Deliver: deliverAfter, Start: &after}
	}
}

func (r *reader) message(m *nats.Msg, meta metadata) {
	// A consumer on a replica that lags behind may start too early.
	if r.ctx.Err() != nil || r.intact && meta.seq <= r.cursor.Seq {
		return
	}
	r.cursor, r.intact = partition.Cursor{Seq: meta.seq, Time: meta.time}, true
	r.end.Store(meta.seq + meta.pending)
	msg := partition.Message{Reading: r.reading, Seq: meta.seq, Time: meta.time, Payload: m.Data}
	msg.Kind = partition.MessageKind(m.Subject[strings.LastIndexByte(m.Subject, '.')+1:])
	if len(m.Header) > 0 && strings.HasPrefix(m.Header.Get(headerContentType), typeMessagePack) {
		msg.Encoding = rules.MessagePack
	}
	r.deliver(msg)
}
