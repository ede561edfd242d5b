package main

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/usher-audiences/usher/bus/subject"
)

// purgeEvery is how often old messages are looked for in the logs.
const purgeEvery = 10 * time.Minute

// housekeeping purges the logs now and then, until ctx ends or the function
// it returns is called.
func (n *node) housekeeping(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(purgeEvery)
		defer ticker.Stop()
		for {
			if err := n.purgeLogs(ctx, time.Now().Add(-n.keep)); err != nil && ctx.Err() == nil {
				n.log.Error("logs not purged", "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// purgeLogs removes what is older than before from every owned log.
func (n *node) purgeLogs(ctx context.Context, before time.Time) error {
	js, err := jetstream.New(n.conn.NATS())
	if err != nil {
		return err
	}
	for _, p := range n.actors.Status().Partitions {
		if err := n.purgeLog(ctx, js, p.Partition, p.CheckpointSeq, before); err != nil {
			return fmt.Errorf("partition %d: %w", p.Partition, err)
		}
	}
	return nil
}

// purgeLog keeps the message at the checkpoint, whatever its age: a start
// compares it with what the checkpoint recorded, and reads on after it.
func (n *node) purgeLog(ctx context.Context, js jetstream.JetStream, p int, checkpoint uint64, before time.Time) error {
	stream, err := js.Stream(ctx, subject.LogStream(p))
	if err != nil {
		return err
	}
	state := stream.CachedInfo().State
	if checkpoint <= state.FirstSeq || !state.FirstTime.Before(before) {
		return nil
	}
	first, err := firstNotBefore(ctx, stream, state.FirstSeq, checkpoint, before)
	if err != nil || first <= state.FirstSeq {
		return err
	}
	if err := stream.Purge(ctx, jetstream.WithPurgeSequence(first)); err != nil {
		return err
	}
	n.log.Info("log purged", "partition", p, "first", first, "purged", first-state.FirstSeq)
	return nil
}

// firstNotBefore returns the first sequence in [low, high] whose message is
// not older than before, or high. Sequences of erased messages count as their
// successor.
func firstNotBefore(ctx context.Context, stream jetstream.Stream, low, high uint64, before time.Time) (uint64, error) {
	for low < high {
		middle := low + (high-low)/2
		message, err := stream.GetMsg(ctx, middle, jetstream.WithGetMsgSubject(">"))
		if err != nil {
			return 0, err
		}
		if message.Time.Before(before) && message.Sequence < high {
			low = message.Sequence + 1
		} else {
			high = middle
		}
	}
	return high, nil
}
