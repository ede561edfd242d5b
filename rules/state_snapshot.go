package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// ErrSnapshot is returned when bytes are no snapshot, or not one of the rule
// set at hand.
var ErrSnapshot = errors.New("rules: not a snapshot of this rule set")

// SnapshotWriter appends MessagePack values. Its bytes are a function of what
// is written: maps are sorted, and every integer has its shortest form.
type SnapshotWriter struct {
	enc *msgpack.Encoder
	out []byte
}

// NewSnapshotWriter returns a writer that appends to dst.
func NewSnapshotWriter(dst []byte) *SnapshotWriter {
	w := &SnapshotWriter{out: dst}
	w.enc = msgpack.NewEncoder(appender{w})
	return w
}

// appender is the end of the encoder; it cannot fail, so the encoder's errors
// mean nothing.
type appender struct{ w *SnapshotWriter }

func (a appender) Write(p []byte) (int, error) {
	a.w.out = append(a.w.out, p...)
	return len(p), nil
}

func (a appender) WriteByte(c byte) error {
	a.w.out = append(a.w.out, c)
	return nil
}

// Bytes returns dst with what was written.
func (w *SnapshotWriter) Bytes() []byte { return w.out }

// List begins a list of n values.
func (w *SnapshotWriter) List(n int) { _ = w.enc.EncodeArrayLen(n) }

// Int writes an integer.
func (w *SnapshotWriter) Int(n int64) { _ = w.enc.EncodeInt(n) }

// Uint writes an unsigned integer.
func (w *SnapshotWriter) Uint(n uint64) { _ = w.enc.EncodeUint(n) }

// Bool writes a truth.
func (w *SnapshotWriter) Bool(b bool) { _ = w.enc.EncodeBool(b) }

// Text writes a string.
func (w *SnapshotWriter) Text(s string) { _ = w.enc.EncodeString(s) }

// Plain writes a plain value.
func (w *SnapshotWriter) Plain(x any) {
	switch x := x.(type) {
	case bool:
		w.Bool(x)
	case float64:
		_ = w.enc.EncodeFloat64(x)
	case string:
		w.Text(x)
	case []any:
		w.List(len(x))
		for _, y := range x {
			w.Plain(y)
		}
	case map[string]any:
		_ = w.enc.EncodeMapLen(len(x))
		for _, k := range slices.Sorted(maps.Keys(x)) {
			w.Text(k)
			w.Plain(x[k])
		}
	default:
		_ = w.enc.EncodeNil()
	}
}

// SnapshotReader reads what a SnapshotWriter wrote. The first error sticks
// and every method returns zero from then on; lengths are held against what
// is left, so what it allocates is in proportion to its input.
type SnapshotReader struct {
	dec *msgpack.Decoder
	src *bytes.Reader
	err error
}

// NewSnapshotReader returns a reader of src.
func NewSnapshotReader(src []byte) *SnapshotReader {
	r := bytes.NewReader(src)
	return &SnapshotReader{dec: msgpack.NewDecoder(r), src: r}
}

// Err returns the first error, which wraps [ErrSnapshot].
func (r *SnapshotReader) Err() error { return r.err }

// Fail makes the reader fail, if it has not yet.
func (r *SnapshotReader) Fail(format string, args ...any) {
	if r.err == nil {
		at := r.src.Size() - int64(r.src.Len())
		r.err = fmt.Errorf("%w: %s at byte %d", ErrSnapshot, fmt.Sprintf(format, args...), at)
	}
}

// End fails unless everything was read, and returns Err.
func (r *SnapshotReader) End() error {
	if r.src.Len() > 0 {
		r.Fail("something follows")
	}
	return r.err
}

func read[T any](r *SnapshotReader, decode func() (T, error)) T {
	var zero T
	if r.err != nil {
		return zero
	}
	x, err := decode()
	if err != nil {
		r.Fail("%v", err)
		return zero
	}
	return x
}

// List reads the length of a list.
func (r *SnapshotReader) List() int {
	n := read(r, r.dec.DecodeArrayLen)
	if n < 0 || n > r.src.Len() {
		r.Fail("a list longer than what is left")
		return 0
	}
	return n
}

// Fields reads the length of a list that must be n.
func (r *SnapshotReader) Fields(n int) {
	if got := r.List(); got != n {
		r.Fail("a record of %d fields, not %d", got, n)
	}
}

// Int reads an integer.
func (r *SnapshotReader) Int() int64 { return read(r, r.dec.DecodeInt64) }

// Uint reads an unsigned integer.
func (r *SnapshotReader) Uint() uint64 { return read(r, r.dec.DecodeUint64) }

// Count reads an integer from 0 to max.
func (r *SnapshotReader) Count(limit int64) int64 {
	n := r.Int()
	if n < 0 || n > limit {
		r.Fail("%d is not between 0 and %d", n, limit)
		return 0
	}
	return n
}

// Bool reads a truth.
func (r *SnapshotReader) Bool() bool { return read(r, r.dec.DecodeBool) }

// Text reads a string.
func (r *SnapshotReader) Text() string {
	n := read(r, r.dec.DecodeBytesLen)
	if n < 0 || n > r.src.Len() {
		r.Fail("a string longer than what is left")
		return ""
	}
	if r.err != nil || n == 0 {
		return ""
	}
	buf := make([]byte, n)
	if _, err := io.ReadFull(r.src, buf); err != nil {
		r.Fail("%v", err)
	}
	return string(buf)
}

// Plain reads a plain value, nested at most depth deep.
func (r *SnapshotReader) Plain(depth int) any {
	c := read(r, r.dec.PeekCode)
	switch {
	case r.err != nil:
		return nil
	case depth == 0:
		r.Fail("nested too deep")
		return nil
	case c == msgpcode.Nil:
		read(r, func() (struct{}, error) { return struct{}{}, r.dec.DecodeNil() })
		return nil
	case c == msgpcode.True || c == msgpcode.False:
		return r.Bool()
	case c == msgpcode.Double:
		return read(r, r.dec.DecodeFloat64)
	case msgpcode.IsString(c):
		return r.Text()
	case msgpcode.IsFixedArray(c) || c == msgpcode.Array16 || c == msgpcode.Array32:
		return r.plainList(depth)
	case msgpcode.IsFixedMap(c) || c == msgpcode.Map16 || c == msgpcode.Map32:
		return r.plainObject(depth)
	default:
		r.Fail("not a plain value")
		return nil
	}
}

func (r *SnapshotReader) plainList(depth int) any {
	out := make([]any, r.List())
	for i := range out {
		out[i] = r.Plain(depth - 1)
	}
	return out
}

func (r *SnapshotReader) plainObject(depth int) any {
	n := read(r, r.dec.DecodeMapLen)
	if n < 0 || n > r.src.Len() {
		r.Fail("a map longer than what is left")
		return nil
	}
	out := make(map[string]any, n)
	for range n {
		k := r.Text()
		out[k] = r.Plain(depth - 1)
		if r.err != nil {
			return nil
		}
	}
	return out
}
