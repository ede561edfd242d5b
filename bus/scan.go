package bus

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/nats-io/nats.go"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

const (
	// scanBatchMax is how many heads are told at a time.
	scanBatchMax = 1000
	// scanMarker is a record that a scan writes before it reads: base64url
	// has no '=', so no key has this name.
	scanMarker = "=scan"
)

// errEnough ends a sweep that has seen what it wants.
var errEnough = errors.New("enough")

// ScanSnapshots tells the head of every stored snapshot of p.
//
// The scan first stores a marker among the records and reads until it comes
// to it. So it has seen whatever an owner before this one saved, even if the
// replica it reads from lags behind.
func (b *Bus) ScanSnapshots(p int, s partition.ScanSnapshots, each func(partition.SnapshotsScanned)) {
	b.start(func() {
		sc := &snapshotScan{bus: b, scan: s.Scan, each: each}
		for attempts := 1; ; attempts++ {
			err := sc.run(p)
			if err == nil || !b.again(attempts, err, "scan the snapshots", "partition", p) {
				return
			}
		}
	})
}

type snapshotScan struct {
	bus    *Bus
	scan   int
	each   func(partition.SnapshotsScanned)
	heads  []partition.SnapshotHead
	marker uint64 // its sequence; 0 until it is stored
	last   uint64 // sequence of the last record seen
}

func (s *snapshotScan) run(p int) error {
	if s.marker == 0 {
		subj := bucketSubject(subject.BucketSnapshots, snapshotKey(p, scanMarker))
		r, err := s.bus.storeWait(s.bus.ctx, &nats.Msg{Subject: subj})
		if err == nil && r.Error != nil {
			err = r.Error
		}
		if err != nil {
			return err
		}
		s.marker = r.Seq
	}
	cfg := consumerConfig{
		Deliver: deliverFrom, StartSeq: s.last + 1,
		Filters: []string{bucketSubject(subject.BucketSnapshots, snapshotKey(p, "*"))},
	}
	if err := s.bus.sweep(s.bus.ctx, bucketStream(subject.BucketSnapshots), cfg, s.record); err != nil {
		return err
	}
	s.each(partition.SnapshotsScanned{Scan: s.scan, Heads: s.heads, Done: true})
	return nil
}

// record takes one record, and ends the sweep at the marker or beyond it.
func (s *snapshotScan) record(m *nats.Msg, meta metadata) error {
	s.last = meta.seq
	if head, ok := s.head(m); ok {
		s.heads = append(s.heads, head)
	}
	if meta.seq >= s.marker {
		return errEnough
	}
	if len(s.heads) == scanBatchMax {
		s.each(partition.SnapshotsScanned{Scan: s.scan, Heads: s.heads})
		s.heads = make([]partition.SnapshotHead, 0, scanBatchMax)
	}
	return nil
}

func (s *snapshotScan) head(m *nats.Msg) (partition.SnapshotHead, bool) {
	name := m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]
	if name == scanMarker || m.Header.Get(headerOperation) != "" {
		return partition.SnapshotHead{}, false
	}
	key, err := subject.FromBucketKey(name)
	if err != nil {
		s.bus.log.Error("a snapshot's name is no key's; left out", "subject", m.Subject, "err", err)
		return partition.SnapshotHead{}, false
	}
	next, revision, err := partition.DecodeSnapshotHead(m.Data)
	if err != nil {
		s.bus.log.Error("a snapshot cannot be read; left out", "key", key, "err", err)
		return partition.SnapshotHead{}, false
	}
	return partition.SnapshotHead{Key: rules.UserKey(key), Next: next, Revision: revision}, true
}

// sweep gives each the messages that cfg selects, until it returns an error
// ([errEnough] ends the sweep well) or the consumer has no more.
func (c *Conn) sweep(ctx context.Context, stream string, cfg consumerConfig, each func(*nats.Msg, metadata) error) error {
	reading, end := context.WithCancelCause(ctx)
	defer end(nil)
	var paused atomic.Bool
	p, err := c.newPull(ctx, stream, cfg, &paused, func(m *nats.Msg, meta metadata) {
		if paused.Load() {
			return
		}
		err := each(m, meta)
		if err == nil && meta.pending == 0 {
			err = errEnough
		}
		if err != nil {
			paused.Store(true)
			end(err)
		}
	})
	if err != nil {
		return err
	}
	defer p.stop()
	if p.pending == 0 {
		return nil
	}
	p.fill()
	if err := p.wait(reading); err != nil {
		return err
	}
	if err := context.Cause(reading); !errors.Is(err, errEnough) {
		return err
	}
	return nil
}
