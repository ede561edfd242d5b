package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/usher-audiences/usher/actors/dryrun"
	"github.com/usher-audiences/usher/bus"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

// recording is what a live installation has recorded: its logs, its
// definitions and its transitions.
type recording struct {
	conn         *bus.Conn
	streams      jetstream.JetStream
	installation bus.Installation
}

func openRecording(ctx context.Context, flags *access) (*recording, error) {
	conn, err := flags.bus(ctx)
	if err != nil {
		return nil, err
	}
	r := &recording{conn: conn}
	if r.installation, err = conn.Installation(ctx); err == nil {
		r.streams, err = jetstream.New(conn.NATS())
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return r, nil
}

func (r *recording) close() { r.conn.Close() }

// ruleSet compiles the definitions in force, with those of the documents, if
// there are any, in their place.
func (r *recording) ruleSet(ctx context.Context, d *documents) (*rules.RuleSet, error) {
	manifest, installed, err := r.conn.Definitions().Current(ctx)
	if err != nil {
		return nil, err
	}
	changed := make(map[rules.AudienceKey]bool)
	var versioned []rules.Versioned
	if d != nil {
		for _, definition := range d.definitions {
			changed[definition.Audience] = true
			versioned = append(versioned, rules.Versioned{Definition: definition, Version: 1})
		}
	}
	versions := make(map[rules.AudienceKey]uint64)
	for _, e := range manifest.Audiences {
		versions[e.Key] = e.Version
	}
	for _, definition := range installed {
		if !changed[definition.Audience] {
			versioned = append(versioned, rules.Versioned{Definition: definition, Version: versions[definition.Audience]})
		}
	}
	set, err := rules.Compile(max(manifest.Revision, 1), versioned)
	if err != nil && d != nil {
		return nil, d.pointed(err)
	}
	return set, err
}

// log gives the messages that a partition's log has now, in order. Bodies are
// the message's own.
func (r *recording) log(ctx context.Context, partition int, each func(dryrun.Message) error) error {
	return r.read(ctx, subject.LogStream(partition), nil, func(m jetstream.Msg, meta *jetstream.MsgMetadata) error {
		_, kind, ok := subject.ParseLog(m.Subject())
		if !ok {
			return nil
		}
		in := dryrun.Message{At: meta.Timestamp.UnixMilli(), Seq: meta.Sequence.Stream, Body: m.Data()}
		switch kind {
		case subject.KindEvents:
			in.Kind = rules.EventInput
		case subject.KindTraits:
			in.Kind = rules.TraitsInput
		default:
			in.Kind = rules.TickInput // of a change of rules only the time counts
		}
		if strings.HasPrefix(m.Headers().Get("Content-Type"), "application/msgpack") {
			in.Encoding = rules.MessagePack
		}
		return each(in)
	})
}

// transitions gives the stored transitions of some audiences.
func (r *recording) transitions(ctx context.Context, audiences []rules.AudienceKey, each func(*rules.Published)) error {
	var filters []string
	for _, a := range audiences {
		filters = append(filters, subject.Transitions(string(a)), subject.ShadowTransitions(string(a)))
	}
	return r.read(ctx, subject.StreamTransitions, filters, func(m jetstream.Msg, _ *jetstream.MsgMetadata) error {
		var p rules.Published
		if err := p.UnmarshalJSON(m.Data()); err != nil {
			return fmt.Errorf("%s: %w", m.Subject(), err)
		}
		each(&p)
		return nil
	})
}

// read gives the messages that a stream has now, in order.
func (r *recording) read(ctx context.Context, stream string, filters []string, each func(jetstream.Msg, *jetstream.MsgMetadata) error) error {
	consumer, err := r.streams.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{FilterSubjects: filters})
	if err != nil {
		return fmt.Errorf("read %s: %w", stream, err)
	}
	info, err := consumer.Info(ctx)
	if err != nil {
		return fmt.Errorf("read %s: %w", stream, err)
	}
	if info.NumPending == 0 {
		return nil
	}
	messages, err := consumer.Messages()
	if err != nil {
		return fmt.Errorf("read %s: %w", stream, err)
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return errors.Join(context.Cause(ctx), fmt.Errorf("read %s: %w", stream, err))
		}
		meta, err := m.Metadata()
		if err == nil {
			err = each(m, meta)
		}
		if err != nil || meta.NumPending == 0 {
			return err
		}
	}
}
