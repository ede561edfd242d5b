package bus

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/usher-audiences/usher/bus/subject"
)

const (
	// registerMessagesMax is how many transitions of one register are kept.
	// A consumer further behind than that sees a gap in n.
	registerMessagesMax = 64
	// What is kept of rejected messages: they are there to be looked at.
	rejectedBytesMax = 1 << 30
	rejectedAgeMax   = 30 * 24 * time.Hour
)

func bucketStream(bucket string) string       { return "KV_" + bucket }
func bucketSubject(bucket, key string) string { return "$KV." + bucket + "." + key }

// streamConfigs is every stream of an installation.
func streamConfigs(i *Installation) []jetstream.StreamConfig {
	var out []jetstream.StreamConfig
	for p := range i.Partitions {
		out = append(out, logConfig(p, i))
	}
	out = append(out, transitionsConfig(i), rejectedConfig(i))
	for _, b := range []string{subject.BucketInstallation, subject.BucketDefinitions, subject.BucketSnapshots, subject.BucketCheckpoints} {
		out = append(out, bucketConfig(b, i.Replicas))
	}
	return out
}

// logConfig: when it is full a producer is refused and nothing is
// overwritten; only its owner purges it.
func logConfig(p int, i *Installation) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: subject.LogStream(p), Subjects: []string{subject.LogAll(p)},
		Discard: jetstream.DiscardNew, MaxBytes: or(i.LogBytesMax, -1), Replicas: i.Replicas,
		MaxMsgsPerSubject: -1, AllowDirect: true,
	}
}

// transitionsConfig has no age limit: when an exit expired, the entry before
// it would be the register's last message again.
func transitionsConfig(i *Installation) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: subject.StreamTransitions, Subjects: []string{subject.TransitionsAll, subject.ShadowAll},
		Discard: jetstream.DiscardOld, MaxBytes: -1, Replicas: i.Replicas,
		MaxMsgsPerSubject: registerMessagesMax, AllowDirect: true,
		RePublish: &jetstream.RePublish{Source: subject.TransitionsAll, Destination: subject.AudiencesAll},
	}
}

func rejectedConfig(i *Installation) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: subject.StreamRejected, Subjects: []string{subject.RejectedAll},
		Discard: jetstream.DiscardOld, MaxBytes: rejectedBytesMax, MaxAge: rejectedAgeMax, Replicas: i.Replicas,
		MaxMsgsPerSubject: -1, AllowDirect: true,
	}
}

// bucketConfig is what every NATS client makes of a bucket with a history of
// one, so that any can read it.
func bucketConfig(bucket string, replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: bucketStream(bucket), Subjects: []string{bucketSubject(bucket, ">")},
		Discard: jetstream.DiscardNew, MaxBytes: -1, Replicas: replicas,
		MaxMsgsPerSubject: 1, AllowDirect: true, AllowRollup: true, DenyDelete: true,
	}
}

// ensureStream creates the stream or brings it up to want. Settings that
// Usher has no opinion on are left as they are.
func (c *Conn) ensureStream(ctx context.Context, want jetstream.StreamConfig) error {
	s, err := c.js.Stream(ctx, want.Name)
	if isMissing(err) {
		_, err = c.js.CreateStream(ctx, want)
		if err == nil {
			return nil
		}
		if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return fmt.Errorf("create stream %s: %w", want.Name, err)
		}
		s, err = c.js.Stream(ctx, want.Name) // another member was faster
	}
	if err != nil {
		return fmt.Errorf("look up stream %s: %w", want.Name, err)
	}
	have := s.CachedInfo().Config
	if err := compatible(&have, &want); err != nil {
		return err
	}
	next := adjusted(have, &want)
	if reflect.DeepEqual(have, next) {
		return nil
	}
	if _, err := c.js.UpdateStream(ctx, next); err != nil {
		return fmt.Errorf("update stream %s: %w", want.Name, err)
	}
	c.log.Info("stream updated", "stream", want.Name)
	return nil
}

// compatible looks at what the server refuses to change.
func compatible(have, want *jetstream.StreamConfig) error {
	var what string
	switch {
	case have.Storage != jetstream.FileStorage:
		what = "keeps its messages in memory"
	case have.Retention != jetstream.LimitsPolicy:
		what = "removes messages when they are acknowledged"
	case have.DenyDelete && !want.DenyDelete:
		what = "forbids deleting messages, which `usher forget` needs"
	case have.DenyPurge:
		what = "forbids purging, which retention needs"
	case have.Sealed:
		what = "is sealed"
	case have.Mirror != nil || len(have.Sources) > 0:
		what = "is a copy of another stream"
	default:
		return nil
	}
	return fmt.Errorf("stream %s %s: %w; if it is not Usher's use another account, else back it up and remove it with `nats stream rm %[1]s`",
		have.Name, what, ErrIncompatible)
}

// adjusted is have with what Usher has an opinion on.
func adjusted(have jetstream.StreamConfig, want *jetstream.StreamConfig) jetstream.StreamConfig {
	have.Subjects = want.Subjects
	have.Discard, have.DiscardNewPerSubject = want.Discard, false
	have.MaxAge, have.MaxMsgsPerSubject, have.MaxMsgs = want.MaxAge, want.MaxMsgsPerSubject, -1
	have.Replicas, have.RePublish = want.Replicas, want.RePublish
	have.AllowDirect, have.AllowRollup = want.AllowDirect, want.AllowRollup
	have.NoAck = false
	if want.MaxBytes > 0 && want.Name != subject.StreamRejected {
		have.MaxBytes = want.MaxBytes
	}
	return have
}
