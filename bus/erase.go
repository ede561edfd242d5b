package bus

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

// Erase removes a key from p's log, from the rejected messages, from the
// registers and from the snapshots. It is idempotent.
//
// Messages of the log, rejected ones and registers are overwritten on disk.
// The snapshot's record is removed, and leaves the disk when the server
// compacts its file, as earlier ones of it already have or will.
func (b *Bus) Erase(p int, e partition.Erase, done func(partition.Erased)) {
	b.start(func() {
		for attempts := 1; ; attempts++ {
			err := b.erase(b.ctx, p, e.Key)
			if b.ctx.Err() != nil {
				return
			}
			if err == nil {
				done(partition.Erased(e))
				return
			}
			if !b.again(attempts, err, "erase a key", "partition", p) {
				return
			}
		}
	})
}

func (b *Bus) erase(ctx context.Context, p int, key rules.UserKey) error {
	isKeys := func(m *nats.Msg) bool { return belongs(m, key) }
	every := func(*nats.Msg) bool { return true }
	token := mustToken(key)
	for _, place := range []struct {
		stream  string
		filters []string
		matches func(*nats.Msg) bool
	}{
		{subject.LogStream(p), nil, isKeys}, // filters would cost more than they save
		{subject.StreamRejected, []string{subject.Rejected(p)}, isKeys},
		{subject.StreamTransitions, []string{subject.UserTransitions(token), subject.UserShadow(token)}, every},
	} {
		if err := b.eraseFrom(ctx, place.stream, place.filters, place.matches); err != nil {
			return fmt.Errorf("erase from %s: %w", place.stream, err)
		}
	}
	_, err := b.purge(ctx, bucketStream(subject.BucketSnapshots), snapshotSubject(p, key), 0)
	if err != nil {
		return fmt.Errorf("erase the snapshot: %w", err)
	}
	return nil
}

func (b *Bus) eraseFrom(ctx context.Context, stream string, filters []string, matches func(*nats.Msg) bool) error {
	var found []uint64
	err := b.sweep(ctx, stream, consumerConfig{Deliver: deliverAll, Filters: filters}, func(m *nats.Msg, meta metadata) error {
		if matches(m) {
			found = append(found, meta.seq)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, seq := range found {
		if err := b.eraseMessage(ctx, stream, seq); err != nil {
			return err
		}
	}
	return nil
}

// belongs reports whether the message's key, its user id or else its
// anonymous id, is key. What cannot be decoded is taken to belong to key if
// the bytes of key stand in it: it was set aside and counts for nobody.
func belongs(m *nats.Msg, key rules.UserKey) bool {
	there := bytes.Contains(m.Data, []byte(key))
	packed := strings.HasPrefix(m.Header.Get(headerContentType), typeMessagePack)
	if !there && (packed || bytes.IndexByte(m.Data, '\\') < 0) {
		return false // only an escape of JSON could hide it
	}
	var ids struct {
		UserID      any `json:"userId" msgpack:"userId"`
		AnonymousID any `json:"anonymousId" msgpack:"anonymousId"`
	}
	var err error
	if packed {
		err = msgpack.Unmarshal(m.Data, &ids)
	} else {
		err = json.Unmarshal(m.Data, &ids)
	}
	if err != nil {
		return there
	}
	if ids.UserID == nil || ids.UserID == "" {
		return isID(ids.AnonymousID, key)
	}
	return isID(ids.UserID, key)
}

func isID(id any, key rules.UserKey) bool {
	switch id := id.(type) {
	case string:
		return id == string(key)
	case float64: // an id sent as a number is set aside, but is somebody's
		return strconv.FormatFloat(id, 'f', -1, 64) == string(key)
	default:
		return id != nil && fmt.Sprint(id) == string(key)
	}
}
