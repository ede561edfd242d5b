package bus

import (
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

// headerOperation marks what other clients of a bucket store when they delete.
const headerOperation = "KV-Operation"

func snapshotKey(p int, name string) string { return strconv.Itoa(p) + "." + name }

// snapshotSubject is where a key's snapshot is stored: <p>.<base64url key>.
func snapshotSubject(p int, key rules.UserKey) string {
	name, err := subject.BucketKey(string(key))
	if err != nil {
		panic(fmt.Sprintf("bus: key %q has no partition: %v", key, err))
	}
	return bucketSubject(subject.BucketSnapshots, snapshotKey(p, name))
}

// ReadSnapshot reads a key's stored snapshot. With one replica it is read
// directly, at a fraction of the cost; with more, only the leader is sure to
// have what an owner before this one saved last.
func (b *Bus) ReadSnapshot(p int, r partition.ReadSnapshot, done func(partition.SnapshotRead)) {
	read := b.readDirect
	if b.inst.Replicas > 1 {
		read = b.readLeader
	}
	subj := snapshotSubject(p, r.Key)
	b.persist("read a snapshot", func(end func(error)) {
		read(bucketStream(subject.BucketSnapshots), subj, func(data []byte, seq uint64, err error) {
			if end(err); err != nil || b.ctx.Err() != nil {
				return
			}
			done(partition.SnapshotRead{Key: r.Key, Data: data, Revision: seq})
		})
	})
}

// readDirect reads the last record of subj from any replica.
func (b *Bus) readDirect(stream, subj string, done func(data []byte, seq uint64, err error)) {
	b.ask(&b.gates.direct, &nats.Msg{Subject: apiDirectGet + stream + "." + subj}, func(m *nats.Msg, err error) {
		if err != nil {
			done(nil, 0, err)
			return
		}
		if status := m.Header.Get("Status"); status != "" {
			if status == "404" {
				done(nil, 0, nil)
				return
			}
			done(nil, 0, fmt.Errorf("%s: %s %s", subj, status, m.Header.Get("Description")))
			return
		}
		seq, err := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
		if err != nil {
			done(nil, 0, fmt.Errorf("%s: answer without a sequence: %w", subj, err))
			return
		}
		done(record(m.Data, m.Header), seq, nil)
	})
}

// readLeader reads the last record of subj from the stream's leader.
func (b *Bus) readLeader(stream, subj string, done func(data []byte, seq uint64, err error)) {
	b.getMessage(stream, getQuery{Last: subj}, func(m *storedMessage, err error) {
		if err != nil || m == nil {
			done(nil, 0, err)
			return
		}
		h, err := m.header()
		done(record(m.Data, h), m.Seq, err)
	})
}

// record is a bucket's record, nil if it only says that there is none.
func record(data []byte, h nats.Header) []byte {
	if h.Get(headerOperation) != "" {
		return nil
	}
	if data == nil {
		return []byte{}
	}
	return data
}

// SaveSnapshot replaces a stored snapshot if its revision is still the
// expected one.
func (b *Bus) SaveSnapshot(p int, s partition.SaveSnapshot, done func(partition.SnapshotSaved)) {
	m := expecting(snapshotSubject(p, s.Key), s.Data, s.Revision)
	b.store(&b.gates.snapshots, m, func(outcome partition.Outcome, seq uint64) {
		done(partition.SnapshotSaved{Key: s.Key, Outcome: outcome, Revision: seq})
	})
}

// expecting is a message that is stored only if the last one on its subject
// has that sequence; 0 means that there is none.
func expecting(subj string, data []byte, last uint64) *nats.Msg {
	return &nats.Msg{Subject: subj, Data: data, Header: nats.Header{
		nats.ExpectedLastSubjSeqHdr: {strconv.FormatUint(last, 10)},
	}}
}
