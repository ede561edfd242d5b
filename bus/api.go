package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The parts of JetStream's wire interface that the client library offers only
// as calls that wait.
const (
	apiMessageGet     = "$JS.API.STREAM.MSG.GET."
	apiMessageDelete  = "$JS.API.STREAM.MSG.DELETE."
	apiStreamInfo     = "$JS.API.STREAM.INFO."
	apiStreamPurge    = "$JS.API.STREAM.PURGE."
	apiConsumerCreate = "$JS.API.CONSUMER.CREATE."
	apiConsumerDelete = "$JS.API.CONSUMER.DELETE."
	apiConsumerNext   = "$JS.API.CONSUMER.MSG.NEXT."
	apiDirectGet      = "$JS.API.DIRECT.GET."
)

// Error codes of JetStream that mean something here.
const (
	codeNoMessage    = 10037
	codeNoSequence   = 10043
	codeDeleteFailed = 10057
	codeNoStream     = 10059
	codeWrongLast    = 10071
	codeConflict     = 10164 // a write of the same subject is under way
	codeNotMatching  = 10060 // the stream is not the expected one
)

// apiError is a refusal by JetStream.
type apiError struct {
	Code        int    `json:"code"`
	ErrCode     int    `json:"err_code"`
	Description string `json:"description"`
}

// Error returns the server's description with its codes.
func (e *apiError) Error() string {
	return fmt.Sprintf("%s (code %d, error %d)", e.Description, e.Code, e.ErrCode)
}

func isCode(err error, code int) bool {
	var e *apiError
	return errors.As(err, &e) && e.ErrCode == code
}

// isRefusal reports whether it was the server that said so.
func isRefusal(err error) bool {
	var e *apiError
	return errors.As(err, &e)
}

// storedMessage is a message as the stream's leader tells it.
type storedMessage struct {
	Subject string    `json:"subject"`
	Seq     uint64    `json:"seq"`
	Headers []byte    `json:"hdrs"`
	Data    []byte    `json:"data"`
	Time    time.Time `json:"time"`
}

func (m *storedMessage) header() (nats.Header, error) {
	if len(m.Headers) == 0 {
		return nats.Header{}, nil
	}
	return nats.DecodeHeadersMsg(m.Headers)
}

type getReply struct {
	Error   *apiError      `json:"error"`
	Message *storedMessage `json:"message"`
}

// getQuery selects one message. Exactly one field is set.
type getQuery struct {
	Seq  uint64 `json:"seq,omitempty"`
	Last string `json:"last_by_subj,omitempty"`
}

// getMessage reads one message from the stream's leader. There is none: done
// is given nil.
func (c *Conn) getMessage(stream string, q getQuery, done func(*storedMessage, error)) {
	body, err := json.Marshal(q)
	if err != nil {
		done(nil, err)
		return
	}
	c.ask(&c.gates.api, &nats.Msg{Subject: apiMessageGet + stream, Data: body}, func(m *nats.Msg, err error) {
		if err != nil {
			done(nil, err)
			return
		}
		var r getReply
		if err := json.Unmarshal(m.Data, &r); err != nil {
			done(nil, fmt.Errorf("message of %s: %w", stream, err))
			return
		}
		switch {
		case r.Error != nil && r.Error.ErrCode == codeNoMessage:
			done(nil, nil)
		case r.Error != nil:
			done(nil, r.Error)
		default:
			done(r.Message, nil)
		}
	})
}

// getMessageWait is getMessage for those who may wait.
func (c *Conn) getMessageWait(ctx context.Context, stream string, q getQuery) (*storedMessage, error) {
	type answer struct {
		m   *storedMessage
		err error
	}
	ch := make(chan answer, 1)
	c.getMessage(stream, q, func(m *storedMessage, err error) { ch <- answer{m, err} })
	select {
	case a := <-ch:
		return a.m, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// call sends a request to the API and reads its answer into reply, which has
// a field for the error.
func (c *Conn) call(ctx context.Context, subj string, body, reply any) error {
	data := []byte(nil)
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return fmt.Errorf("%s: %w", subj, err)
		}
	}
	m, err := c.askWait(ctx, &c.gates.api, &nats.Msg{Subject: subj, Data: data})
	if err != nil {
		return fmt.Errorf("%s: %w", subj, err)
	}
	var head struct {
		Error *apiError `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &head); err != nil {
		return fmt.Errorf("%s: %w", subj, err)
	}
	if head.Error != nil {
		return fmt.Errorf("%s: %w", subj, head.Error)
	}
	if reply == nil {
		return nil
	}
	if err := json.Unmarshal(m.Data, reply); err != nil {
		return fmt.Errorf("%s: %w", subj, err)
	}
	return nil
}

// streamState is the bounds of a stream, as its leader tells them.
type streamState struct {
	Messages uint64 `json:"messages"`
	First    uint64 `json:"first_seq"`
	Last     uint64 `json:"last_seq"`
	Deleted  uint64 `json:"num_deleted"` // between first and last
}

func (c *Conn) streamState(ctx context.Context, stream string) (streamState, error) {
	var r struct {
		State streamState `json:"state"`
	}
	err := c.call(ctx, apiStreamInfo+stream, nil, &r)
	return r.State, err
}

// purge removes the messages below seq (all if it is 0) on the subject (all
// if it is empty) and returns how many.
func (c *Conn) purge(ctx context.Context, stream, subj string, seq uint64) (uint64, error) {
	body := struct {
		Seq    uint64 `json:"seq,omitempty"`
		Filter string `json:"filter,omitempty"`
	}{seq, subj}
	var r struct {
		Purged uint64 `json:"purged"`
	}
	err := c.call(ctx, apiStreamPurge+stream, body, &r)
	return r.Purged, err
}

// eraseMessage removes one message and overwrites it on disk. It is fine if
// there is none.
func (c *Conn) eraseMessage(ctx context.Context, stream string, seq uint64) error {
	body := struct {
		Seq uint64 `json:"seq"`
	}{seq}
	err := c.call(ctx, apiMessageDelete+stream, body, nil)
	if isCode(err, codeNoSequence) || isCode(err, codeDeleteFailed) && isGone(err) {
		return nil
	}
	return err
}

// isGone tells a message that is not there from a failure to delete it: the
// server gives both one code.
func isGone(err error) bool {
	return strings.Contains(err.Error(), "no message found") || strings.Contains(err.Error(), "deleted message")
}

// pubReply is the acknowledgement of a stored message.
type pubReply struct {
	Error  *apiError `json:"error"`
	Stream string    `json:"stream"`
	Seq    uint64    `json:"seq"`
}

// refused reports whether the compare-and-set was refused for good. A
// clustered server says "wrong last sequence" also with [codeConflict], while
// a write of the same subject is under way, and then nothing is known.
func (r *pubReply) refused() bool { return r.Error != nil && r.Error.ErrCode == codeWrongLast }

// isMissing reports whether a bucket or stream does not exist.
func isMissing(err error) bool {
	return errors.Is(err, jetstream.ErrBucketNotFound) || errors.Is(err, jetstream.ErrStreamNotFound)
}
