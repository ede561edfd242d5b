package bus

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

// checkpointFormat is in every record. A reader refuses formats it does not
// know.
const checkpointFormat = 1

// checkpointRecord is a checkpoint as stored.
type checkpointRecord struct {
	Format     int               `json:"format"`
	Seq        uint64            `json:"seq"`
	Time       int64             `json:"time"`
	LogTime    int64             `json:"logTime"`
	Revision   uint64            `json:"revision"`
	Transition *transitionRecord `json:"transition,omitempty"`
	Losses     uint64            `json:"losses,omitempty"`
}

type transitionRecord struct {
	Sequence uint64            `json:"seq"`
	Audience rules.AudienceKey `json:"audience"`
	Key      rules.UserKey     `json:"key"`
	Shadow   bool              `json:"shadow,omitempty"`
	Position string            `json:"position"`
}

func encodeCheckpoint(c *partition.Checkpoint) ([]byte, error) {
	r := checkpointRecord{Format: checkpointFormat, Seq: c.Seq, Time: c.Time, LogTime: c.LogTime, Revision: c.Revision, Losses: c.Losses}
	if t := c.Transition; t.Sequence != 0 {
		r.Transition = &transitionRecord{
			Sequence: t.Sequence, Audience: t.Register.Audience, Key: t.Register.Key, Shadow: t.Register.Shadow,
			Position: t.Position.String(),
		}
	}
	return json.Marshal(r)
}

func decodeCheckpoint(data []byte) (*partition.Checkpoint, error) {
	var r checkpointRecord
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	if r.Format != checkpointFormat {
		return nil, fmt.Errorf("checkpoint of format %d, want %d: it was written by another version of usher", r.Format, checkpointFormat)
	}
	c := &partition.Checkpoint{Seq: r.Seq, Time: r.Time, LogTime: r.LogTime, Revision: r.Revision, Losses: r.Losses}
	if t := r.Transition; t != nil {
		pos, err := rules.ParsePosition(t.Position)
		if err != nil {
			return nil, fmt.Errorf("checkpoint: %w", err)
		}
		c.Transition = partition.StoredTransition{
			Sequence: t.Sequence, Position: pos,
			Register: partition.RegisterKey{Audience: t.Audience, Key: t.Key, Shadow: t.Shadow},
		}
	}
	return c, nil
}

// ReadCheckpoint reads p's checkpoint from the stream's leader.
func (b *Bus) ReadCheckpoint(p int, done func(partition.CheckpointRead)) {
	b.persist("read a checkpoint", func(end func(error)) {
		b.loadCheckpoint(p, func(c *partition.Checkpoint, _ uint64, err error) {
			if end(err); err != nil || b.ctx.Err() != nil {
				return
			}
			done(partition.CheckpointRead{Checkpoint: c})
		})
	})
}

func checkpointSubject(p int) string {
	return bucketSubject(subject.BucketCheckpoints, strconv.Itoa(p))
}

func (b *Bus) loadCheckpoint(p int, done func(c *partition.Checkpoint, revision uint64, err error)) {
	b.readLeader(bucketStream(subject.BucketCheckpoints), checkpointSubject(p), func(data []byte, seq uint64, err error) {
		if err != nil || data == nil {
			done(nil, seq, err)
			return
		}
		c, err := decodeCheckpoint(data)
		done(c, seq, err)
	})
}

// SaveCheckpoint replaces p's checkpoint unless the stored one is later.
func (b *Bus) SaveCheckpoint(p int, s partition.SaveCheckpoint, done func(partition.CheckpointSaved)) {
	data, err := encodeCheckpoint(&s.Checkpoint)
	if err != nil {
		b.log.Error("a checkpoint cannot be encoded", "partition", p, "err", err)
		done(partition.CheckpointSaved{Outcome: partition.Doubt})
		return
	}
	b.loadCheckpoint(p, func(stored *partition.Checkpoint, revision uint64, err error) {
		switch {
		case b.ctx.Err() != nil:
		case err != nil:
			b.log.Warn("a checkpoint is in doubt", "partition", p, "err", err)
			done(partition.CheckpointSaved{Outcome: partition.Doubt})
		case stored != nil && stored.Later(s.Checkpoint):
			done(partition.CheckpointSaved{Outcome: partition.Refused})
		default:
			b.store(&b.gates.appends, expecting(checkpointSubject(p), data, revision), func(outcome partition.Outcome, _ uint64) {
				if outcome == partition.Refused { // another owner's came first: compare again
					b.SaveCheckpoint(p, s, done)
					return
				}
				done(partition.CheckpointSaved{Outcome: outcome})
			})
		}
	})
}

var errEmptyReply = errors.New("empty acknowledgement")

func readPubReply(data []byte) (pubReply, error) {
	var r pubReply
	if len(data) == 0 {
		return r, errEmptyReply
	}
	err := json.Unmarshal(data, &r)
	return r, err
}
