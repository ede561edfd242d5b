package rules

import (
	"bytes"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// timestampExtension is MessagePack's predefined extension for instants.
const timestampExtension = -1

// transcoder turns one MessagePack value into JSON text, so that there is one
// decoder and both encodings mean the same. Binary counts as text, an instant
// as its RFC 3339 form; a map's names must be strings. It allocates in
// proportion to the input, whatever lengths the input claims.
type transcoder struct {
	d     *msgpack.Decoder
	r     *bytes.Reader
	out   []byte
	depth int
}

func transcode(payload []byte) (string, *Rejection) {
	r := bytes.NewReader(payload)
	d := msgpack.GetDecoder()
	defer msgpack.PutDecoder(d)
	d.Reset(r)
	t := transcoder{d: d, r: r, out: make([]byte, 0, len(payload)+len(payload)/4)}
	if rejection := t.value(); rejection != nil {
		return "", rejection
	}
	if r.Len() > 0 {
		return "", t.malformed("something follows the object")
	}
	return string(t.out), nil
}

func (t *transcoder) malformed(detail string) *Rejection {
	at := strconv.FormatInt(t.r.Size()-int64(t.r.Len()), 10)
	return &Rejection{Reason: ReasonNotJSON, Detail: "MessagePack: " + detail + " at byte " + at}
}

func (t *transcoder) value() *Rejection {
	c, err := t.d.PeekCode()
	switch {
	case err != nil:
		return t.malformed("ends early")
	case msgpcode.IsFixedMap(c) || c == msgpcode.Map16 || c == msgpcode.Map32:
		return t.object()
	case msgpcode.IsFixedArray(c) || c == msgpcode.Array16 || c == msgpcode.Array32:
		return t.list()
	case msgpcode.IsString(c) || msgpcode.IsBin(c):
		return t.text()
	case msgpcode.IsExt(c):
		return t.instant()
	default:
		return t.scalar(c)
	}
}

func (t *transcoder) scalar(c byte) *Rejection {
	switch c {
	case msgpcode.Nil:
		t.out = append(t.out, "null"...)
		return t.check(t.d.DecodeNil())
	case msgpcode.True, msgpcode.False:
		b, err := t.d.DecodeBool()
		t.out = strconv.AppendBool(t.out, b)
		return t.check(err)
	case msgpcode.Float, msgpcode.Double:
		f, err := t.d.DecodeFloat64()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return &Rejection{Reason: ReasonBadNumber, Detail: "NaN or Infinity"}
		}
		t.out = strconv.AppendFloat(t.out, f, 'g', -1, 64)
		return t.check(err)
	case msgpcode.Uint64:
		n, err := t.d.DecodeUint64()
		t.out = strconv.AppendUint(t.out, n, 10)
		return t.check(err)
	default:
		n, err := t.d.DecodeInt64()
		t.out = strconv.AppendInt(t.out, n, 10)
		return t.check(err)
	}
}

func (t *transcoder) check(err error) *Rejection {
	if err != nil {
		return t.malformed(err.Error())
	}
	return nil
}

// enter counts a level; leave it by t.depth--.
func (t *transcoder) enter() *Rejection {
	if t.depth++; t.depth > depthMax {
		return &Rejection{Reason: ReasonTooDeep, Detail: "nested deeper than " + strconv.Itoa(depthMax)}
	}
	return nil
}

func (t *transcoder) object() *Rejection {
	n, err := t.d.DecodeMapLen()
	if err != nil {
		return t.malformed(err.Error())
	}
	if rejection := t.enter(); rejection != nil {
		return rejection
	}
	t.out = append(t.out, '{')
	for i := range n {
		if i > 0 {
			t.out = append(t.out, ',')
		}
		c, err := t.d.PeekCode()
		if err != nil || !msgpcode.IsString(c) && !msgpcode.IsBin(c) {
			return t.malformed("want a name")
		}
		if rejection := t.text(); rejection != nil {
			return rejection
		}
		t.out = append(t.out, ':')
		if rejection := t.value(); rejection != nil {
			return rejection
		}
	}
	t.out = append(t.out, '}')
	t.depth--
	return nil
}

func (t *transcoder) list() *Rejection {
	n, err := t.d.DecodeArrayLen()
	if err != nil {
		return t.malformed(err.Error())
	}
	if rejection := t.enter(); rejection != nil {
		return rejection
	}
	t.out = append(t.out, '[')
	for i := range n {
		if i > 0 {
			t.out = append(t.out, ',')
		}
		if rejection := t.value(); rejection != nil {
			return rejection
		}
	}
	t.out = append(t.out, ']')
	t.depth--
	return nil
}

// text copies a string or binary, escaped; the length it claims is held
// against what is left.
func (t *transcoder) text() *Rejection {
	n, err := t.d.DecodeBytesLen()
	if err != nil || n < 0 || n > t.r.Len() {
		return t.malformed("string longer than what is left")
	}
	t.out = append(t.out, '"')
	for range n {
		c, _ := t.r.ReadByte()
		switch {
		case c == '"' || c == '\\':
			t.out = append(t.out, '\\', c)
		case c < ' ':
			t.out = append(t.out, `\u00`...)
			t.out = append(t.out, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			t.out = append(t.out, c)
		}
	}
	t.out = append(t.out, '"')
	return nil
}

// instant copies the timestamp extension as text; no other one is known.
func (t *transcoder) instant() *Rejection {
	id, n, err := t.d.DecodeExtHeader()
	if err != nil || n < 0 || n > t.r.Len() {
		return t.malformed("extension longer than what is left")
	}
	if id != timestampExtension || n != 4 && n != 8 && n != 12 {
		return t.malformed("unknown extension")
	}
	var raw [12]byte
	_, err = io.ReadFull(t.r, raw[12-n:])
	t.out = append(t.out, '"')
	t.out = instantOf(raw, n).UTC().AppendFormat(t.out, time.RFC3339Nano)
	t.out = append(t.out, '"')
	return t.check(err)
}

// instantOf reads the three forms of the extension, right-aligned in raw: 32
// bits of seconds; 30 of nanoseconds and 34 of seconds; 32 and 64.
func instantOf(raw [12]byte, n int) time.Time {
	var nanos, seconds uint64
	for _, b := range raw[:4] {
		nanos = nanos<<8 | uint64(b)
	}
	for _, b := range raw[4:] {
		seconds = seconds<<8 | uint64(b)
	}
	if n == 8 {
		nanos, seconds = seconds>>34, seconds&(1<<34-1)
	}
	return time.Unix(int64(seconds), int64(nanos%1e9))
}
