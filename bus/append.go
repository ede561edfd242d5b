package bus

import (
	"context"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus/subject"
)

const (
	// rejectedHeadersMax is kept free in a message for its headers; the
	// detail is cut to half of it.
	rejectedHeadersMax = 4096
	// headerTruncated is the original's length in bytes, if it was cut.
	headerTruncated = "Usher-Truncated"
)

// AppendTick appends a tick to p's log.
func (b *Bus) AppendTick(p int, t partition.AppendTick, done func(partition.TickAppended)) {
	m := &nats.Msg{Subject: subject.Log(p, subject.KindTick), Data: partition.EncodeTick(t)}
	b.store(&b.gates.appends, m, func(outcome partition.Outcome, _ uint64) {
		done(partition.TickAppended{Outcome: outcome})
	})
}

// AppendRules appends a revision, with the digest of its manifest, to p's
// log.
func (b *Bus) AppendRules(p int, r partition.AppendRules, done func(partition.RulesAppended)) {
	b.start(func() {
		manifest, err := b.sets.manifest(b.ctx, r.Revision)
		if err != nil {
			if b.ctx.Err() == nil {
				b.log.Warn("a revision cannot be appended", "partition", p, "revision", r.Revision, "err", err)
				done(partition.RulesAppended{Revision: r.Revision, Outcome: partition.Doubt})
			}
			return
		}
		m := &nats.Msg{Subject: subject.Log(p, subject.KindRules), Data: partition.EncodeRules(r.Revision, manifest.Digest)}
		b.store(&b.gates.appends, m, func(outcome partition.Outcome, _ uint64) {
			done(partition.RulesAppended{Revision: r.Revision, Outcome: outcome})
		})
	})
}

// Reject stores a message that cannot be used, as it was but for its length:
// what the server would not take is cut, and [headerTruncated] says so. The
// message id only saves space when one is rejected again soon.
func (b *Bus) Reject(p int, r partition.Reject, done func(partition.RejectStored)) {
	b.persist("store a rejected message", func(end func(error)) {
		m := rejected(p, &r, int(b.nc.MaxPayload()))
		b.store(&b.gates.appends, m, func(outcome partition.Outcome, _ uint64) {
			if outcome != partition.Stored {
				end(fmt.Errorf("%s: not acknowledged", m.Subject))
				return
			}
			end(nil)
			done(partition.RejectStored{Seq: r.Seq})
		})
	})
}

func rejected(p int, r *partition.Reject, payloadMax int) *nats.Msg {
	m := nats.NewMsg(subject.Rejected(p))
	m.Header.Set(subject.HeaderReason, r.Reason)
	m.Header.Set(subject.HeaderDetail, r.Detail[:min(len(r.Detail), rejectedHeadersMax/2)])
	m.Header.Set(nats.MsgIdHdr, strconv.Itoa(p)+"-"+strconv.FormatUint(r.Seq, 10))
	m.Data = r.Payload
	if limit := max(payloadMax-rejectedHeadersMax, 0); len(m.Data) > limit {
		m.Data = m.Data[:limit]
		m.Header.Set(headerTruncated, strconv.Itoa(len(r.Payload)))
	}
	return m
}

// storeWait publishes and waits for the acknowledgement, or the refusal.
func (c *Conn) storeWait(ctx context.Context, m *nats.Msg) (pubReply, error) {
	answer, err := c.askWait(ctx, &c.gates.appends, m)
	if err != nil {
		return pubReply{}, err
	}
	return readPubReply(answer.Data)
}
