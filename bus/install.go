package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

// Installation is what is fixed when Usher is first set up on a server.
type Installation struct {
	// Partitions is the number of logs, and the unit of ownership. It can
	// never change. Default 16.
	Partitions int `json:"partitions"`
	// Idle is after how long without activity a session ends. It can never
	// change, because a replay would then decide differently. Default 30
	// minutes.
	Idle rules.Millis `json:"idle"`
	// Replicas of every stream and bucket: 1, 3 or 5. Default 1.
	Replicas int `json:"replicas"`
	// LogBytesMax bounds one partition's log; a producer is refused when it
	// is full. 0 leaves it to the server's own limit.
	LogBytesMax int64 `json:"logBytesMax,omitempty"`
}

const (
	partitionsDefault = 16
	idleDefault       = rules.Millis(30 * 60 * 1000)
	installationKey   = "installation"
)

func (i *Installation) validate() error {
	if i.Partitions < 1 || i.Partitions > subject.PartitionsMax {
		return fmt.Errorf("%d partitions: want 1 to %d", i.Partitions, subject.PartitionsMax)
	}
	if i.Idle < 1 {
		return fmt.Errorf("idle time of %d ms: must be positive", i.Idle)
	}
	if i.Replicas != 1 && i.Replicas != 3 && i.Replicas != 5 {
		return fmt.Errorf("%d replicas: want 1, 3 or 5", i.Replicas)
	}
	if i.LogBytesMax < 0 {
		return fmt.Errorf("log of %d bytes: must not be negative", i.LogBytesMax)
	}
	return nil
}

// Install creates what is missing, updates what differs and checks the
// server's subject mapping. It is idempotent. Zero fields mean: as it is, or
// the default in a new installation.
//
// The error wraps [ErrFixed], [ErrIncompatible] or [ErrMapping].
func (c *Conn) Install(ctx context.Context, want Installation) (Installation, error) {
	if _, err := c.Installation(ctx); errors.Is(err, ErrNotInstalled) {
		if err := c.ensureStream(ctx, bucketConfig(subject.BucketInstallation, max(want.Replicas, 1))); err != nil {
			return Installation{}, err
		}
	}
	inst, err := c.fix(ctx, want)
	if err != nil {
		return Installation{}, err
	}
	for _, cfg := range streamConfigs(&inst) {
		if err := c.ensureStream(ctx, cfg); err != nil {
			return Installation{}, err
		}
	}
	if err := c.CheckMapping(ctx, inst.Partitions); err != nil {
		return Installation{}, err
	}
	return inst, nil
}

// Installation returns what was fixed. The error wraps [ErrNotInstalled] if
// there is none.
func (c *Conn) Installation(ctx context.Context) (Installation, error) {
	inst, _, err := c.readInstallation(ctx)
	return inst, err
}

// fix stores what is asked for, as far as nothing is stored yet.
func (c *Conn) fix(ctx context.Context, want Installation) (Installation, error) {
	for {
		have, revision, err := c.readInstallation(ctx)
		if err != nil && !errors.Is(err, ErrNotInstalled) {
			return Installation{}, err
		}
		inst, err := merge(have, want)
		if err != nil || inst == have {
			return inst, err
		}
		kv, err := c.js.KeyValue(ctx, subject.BucketInstallation)
		if err != nil {
			return Installation{}, fmt.Errorf("bucket %s: %w", subject.BucketInstallation, err)
		}
		data, err := json.Marshal(inst)
		if err != nil {
			return Installation{}, fmt.Errorf("encode the installation: %w", err)
		}
		_, err = kv.Update(ctx, installationKey, data, revision)
		if err == nil {
			return inst, nil
		}
		if !errors.Is(err, jetstream.ErrKeyExists) {
			return Installation{}, fmt.Errorf("store the installation: %w", err)
		}
	}
}

// merge is what have becomes when want is asked for. A zero have is a new
// installation.
func merge(have, want Installation) (Installation, error) {
	if have.Partitions == 0 {
		have = Installation{Partitions: partitionsDefault, Idle: idleDefault, Replicas: 1}
		have.Partitions, have.Idle = or(want.Partitions, have.Partitions), or(want.Idle, have.Idle)
	}
	if want.Partitions != 0 && want.Partitions != have.Partitions {
		return Installation{}, fmt.Errorf("the number of partitions is %d and cannot become %d: it was %w; use %[1]d, or another server or data directory",
			have.Partitions, want.Partitions, ErrFixed)
	}
	if want.Idle != 0 && want.Idle != have.Idle {
		return Installation{}, fmt.Errorf("a session's idle time is %d ms and cannot become %d ms: it was %w; use %[1]d ms, or another server or data directory",
			have.Idle, want.Idle, ErrFixed)
	}
	have.Replicas = or(want.Replicas, have.Replicas)
	have.LogBytesMax = or(want.LogBytesMax, have.LogBytesMax)
	return have, have.validate()
}

// or is want unless that is zero.
func or[T comparable](want, have T) T {
	var zero T
	if want == zero {
		return have
	}
	return want
}

func (c *Conn) readInstallation(ctx context.Context) (Installation, uint64, error) {
	m, err := c.getMessageWait(ctx, bucketStream(subject.BucketInstallation), getQuery{Last: bucketSubject(subject.BucketInstallation, installationKey)})
	if isCode(err, codeNoStream) || err == nil && m == nil {
		return Installation{}, 0, fmt.Errorf("%w; `usher serve` makes one", ErrNotInstalled)
	}
	if err != nil {
		return Installation{}, 0, fmt.Errorf("read the installation: %w", err)
	}
	var inst Installation
	if err := json.Unmarshal(m.Data, &inst); err != nil {
		return Installation{}, 0, fmt.Errorf("read the installation: %w", err)
	}
	if err := inst.validate(); err != nil {
		return Installation{}, 0, fmt.Errorf("the stored installation: %w", err)
	}
	return inst, m.Seq, nil
}
