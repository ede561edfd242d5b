package partition

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/usher-audiences/usher/rules"
)

// ErrSnapshot is returned when a snapshot record cannot be decoded.
var ErrSnapshot = errors.New("snapshot record cannot be decoded")

// snapshotVersion is the first element of every record. A reader refuses
// versions it does not know.
const snapshotVersion = 1

// registersMax bounds what a record may say its registers count, so that a
// damaged one cannot make the reader allocate without limit.
const registersMax = 200_000

// The record is a MessagePack array: version, next deadline, revision, applied
// time, applied sequence, losses, life, registers, state. The head comes first
// so that [DecodeSnapshotHead] need not read the rest.
const (
	snapshotFields = 9
	registerFields = 9
)

// EncodeSnapshot writes a record.
func EncodeSnapshot(s *Snapshot) []byte {
	var b bytes.Buffer
	b.Grow(64 + 64*len(s.Registers) + len(s.State))
	e := msgpack.NewEncoder(&b)
	e.UseCompactInts(true)
	must(e.EncodeArrayLen(snapshotFields))
	must(e.EncodeInt(snapshotVersion))
	must(e.EncodeInt(s.Next))
	must(e.EncodeUint(s.Revision))
	must(e.EncodeInt(s.AppliedAt))
	must(e.EncodeUint(s.AppliedSeq))
	must(e.EncodeUint(s.Losses))
	must(e.EncodeInt(s.Life))
	must(e.EncodeArrayLen(len(s.Registers)))
	for i := range s.Registers {
		encodeRegister(e, &s.Registers[i])
	}
	must(e.EncodeBytes(s.State))
	return b.Bytes()
}

func encodeRegister(e *msgpack.Encoder, r *Register) {
	must(e.EncodeArrayLen(registerFields))
	must(e.EncodeString(string(r.Audience)))
	must(e.EncodeBool(r.Shadow))
	must(e.EncodeUint(r.Sequence))
	must(e.EncodeUint(r.N))
	must(e.EncodeUint(uint64(r.Kind)))
	must(e.EncodeInt(r.Position.At))
	must(e.EncodeUint(r.Position.Seq))
	must(e.EncodeInt(int64(r.Position.Order)))
	must(e.EncodeString(string(r.Cause)))
}

// must holds that writing to a bytes.Buffer does not fail.
func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("partition: encoding a snapshot to memory: %v", err))
	}
}

// DecodeSnapshot reads a record. The error wraps [ErrSnapshot].
func DecodeSnapshot(data []byte) (*Snapshot, error) {
	d := decoder{Decoder: msgpack.NewDecoder(bytes.NewReader(data))}
	s := d.head()
	s.AppliedAt, s.AppliedSeq, s.Losses, s.Life = d.int(), d.uint(), d.uint(), d.int()
	if n := d.arrayLen(); n > registersMax || n > len(data)/registerFields {
		d.fail(fmt.Errorf("%d registers", n))
	} else if n > 0 {
		s.Registers = make([]Register, 0, n)
		for range n {
			s.Registers = append(s.Registers, d.register())
		}
	}
	s.State = d.bytes(len(data))
	if d.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, d.err)
	}
	return s, nil
}

// DecodeSnapshotHead reads a record's next deadline and revision only. The
// error wraps [ErrSnapshot].
func DecodeSnapshotHead(data []byte) (next int64, revision uint64, err error) {
	d := decoder{Decoder: msgpack.NewDecoder(bytes.NewReader(data))}
	s := d.head()
	if d.err != nil {
		return 0, 0, fmt.Errorf("%w: %w", ErrSnapshot, d.err)
	}
	return s.Next, s.Revision, nil
}

// decoder keeps the first error, after which every read gives zero.
type decoder struct {
	*msgpack.Decoder
	err error
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *decoder) head() *Snapshot {
	if n := d.arrayLen(); n != snapshotFields && d.err == nil {
		d.fail(fmt.Errorf("%d fields, want %d", n, snapshotFields))
	}
	if v := d.int(); v != snapshotVersion && d.err == nil {
		d.fail(fmt.Errorf("version %d, want %d", v, snapshotVersion))
	}
	return &Snapshot{Next: d.int(), Revision: d.uint()}
}

func (d *decoder) register() Register {
	if n := d.arrayLen(); n != registerFields && d.err == nil {
		d.fail(fmt.Errorf("register of %d fields, want %d", n, registerFields))
	}
	r := Register{Audience: rules.AudienceKey(d.string()), Shadow: d.bool(), Sequence: d.uint(), N: d.uint()}
	kind := d.uint()
	if kind > uint64(rules.Exited) {
		d.fail(fmt.Errorf("transition kind %d", kind))
		kind = 0
	}
	r.Kind = rules.TransitionKind(kind)
	r.Position = rules.Position{At: d.int(), Seq: d.uint(), Order: int(d.int())}
	r.Cause = rules.Cause(d.string())
	return r
}

func (d *decoder) int() int64 {
	if d.err != nil {
		return 0
	}
	v, err := d.DecodeInt64()
	d.fail(err)
	return v
}

func (d *decoder) uint() uint64 {
	if d.err != nil {
		return 0
	}
	v, err := d.DecodeUint64()
	d.fail(err)
	return v
}

func (d *decoder) bool() bool {
	if d.err != nil {
		return false
	}
	v, err := d.DecodeBool()
	d.fail(err)
	return v
}

func (d *decoder) string() string {
	if d.err != nil {
		return ""
	}
	v, err := d.DecodeString()
	d.fail(err)
	return v
}

func (d *decoder) arrayLen() int {
	if d.err != nil {
		return 0
	}
	n, err := d.DecodeArrayLen()
	d.fail(err)
	return max(n, 0)
}

// bytes reads a byte string of at most limit bytes.
func (d *decoder) bytes(limit int) []byte {
	if d.err != nil {
		return nil
	}
	n, err := d.DecodeBytesLen()
	if err != nil || n < 0 || n > limit {
		d.fail(fmt.Errorf("%d bytes of state: %w", n, errors.Join(err, ErrSnapshot)))
		return nil
	}
	b := make([]byte, n)
	d.fail(d.ReadFull(b))
	return b
}
