package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-audiences/usher"
)

// speedMax stands for --speed max: as fast as the log takes it.
const speedMax = 0

type replayFlags struct {
	access
	speedText  string
	speed      float64
	shiftToNow bool
	strict     bool
	asJSON     bool
}

func newReplay(con *console) *cobra.Command {
	var flags replayFlags
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Publish recorded events",
		Long: `Publish the events of FILE, one Segment-spec event a line (JSON lines, gzip
too; - is standard input), at the pace of their timestamps.

--speed 10 is ten times that pace, --speed max as fast as the log takes them.
With --shift-to-now each event's timestamp becomes the instant at which it is
published, as if it happened now; without it old events keep their old
timestamps and fall into windows that may long be over.

A line that is not a usable event is named and counted, and the rest goes on;
--strict stops at the first. An event without a messageId counts again when it
is replayed again, or sent twice because an acknowledgement was lost.`,
		Example: `  usher replay events.jsonl.gz --shift-to-now
  usher replay events.jsonl --speed 60
  zcat day.jsonl.gz | usher replay - --speed max --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if flags.speed, err = parseSpeed(flags.speedText); err != nil {
				return err
			}
			return flags.explain(replayFile(cmd.Context(), con, flags, args[0]))
		},
	}
	flags.addClientFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&flags.speedText, "speed", "1", "`FACTOR` of the recorded pace, or max")
	f.BoolVar(&flags.shiftToNow, "shift-to-now", false, "give each event the instant of its publishing as its timestamp")
	f.BoolVar(&flags.strict, "strict", false, "stop at the first line that is not a usable event")
	f.BoolVar(&flags.asJSON, "json", false, "print the result as a JSON object")
	return cmd
}

func parseSpeed(text string) (float64, error) {
	if text == "max" {
		return speedMax, nil
	}
	speed, err := strconv.ParseFloat(text, 64)
	if err != nil || !(speed > 0) || speed > 1e9 {
		return 0, usagef("--speed %q: want a factor above 0, such as 1 or 60, or max", text)
	}
	return speed, nil
}

// replayResult is what a replay reports at its end.
type replayResult struct {
	Published int     `json:"published"`
	Refused   int     `json:"refused"` // not stored by the log
	Bad       int     `json:"bad"`     // lines that are no usable event
	Seconds   float64 `json:"seconds"`
	Rate      float64 `json:"eventsPerSecond"`
}

func replayFile(ctx context.Context, con *console, flags replayFlags, file string) error {
	source, err := openSource(con, file)
	if err != nil {
		return err
	}
	defer source.close()
	client, err := flags.client()
	if err != nil {
		return err
	}
	defer client.Close()
	r := &replay{con: con, flags: flags, client: client, source: source, start: time.Now()}
	r.progress = newProgress(con, source, "replay")
	err = r.run(ctx)
	r.progress.done()
	r.report()
	switch {
	case err != nil:
		return err
	case r.result.Refused > 0:
		return fmt.Errorf("%s: %s not stored", file, count(r.result.Refused, "event"))
	default:
		return nil
	}
}

// replay publishes one source.
type replay struct {
	con      *console
	flags    replayFlags
	client   *usher.Client
	source   *source
	progress progress
	start    time.Time
	first    time.Time // timestamp of the first event that has one
	sent     int
	result   replayResult
}

// badLinesShown bounds the bad lines that are named one by one.
const badLinesShown = 20

func (r *replay) run(ctx context.Context) error {
	for {
		line, err := r.source.next()
		if errors.Is(err, io.EOF) {
			return r.settle(ctx)
		}
		var bad *badLine
		switch {
		case errors.As(err, &bad):
			if err := r.refuse(ctx, bad); err != nil {
				return err
			}
			continue
		case err != nil:
			return errors.Join(err, r.settle(ctx))
		}
		if err := r.send(ctx, line); err != nil {
			return errors.Join(err, r.settle(ctx))
		}
		r.progress.sent(r.sent)
	}
}

func (r *replay) refuse(ctx context.Context, bad *badLine) error {
	r.result.Bad++
	if r.flags.strict {
		return errors.Join(bad, r.settle(ctx))
	}
	if r.result.Bad <= badLinesShown {
		r.progress.say(bad.Error())
	}
	if r.result.Bad == badLinesShown {
		r.progress.say("further bad lines are only counted")
	}
	return nil
}

func (r *replay) send(ctx context.Context, e recorded) error {
	if err := r.wait(ctx, e.timestamp); err != nil {
		return err
	}
	payload := e.payload
	if r.flags.shiftToNow {
		var err error
		if payload, err = withTimestamp(payload, time.Now()); err != nil {
			return fmt.Errorf("%s: %w", r.source.place(), err)
		}
	}
	if err := r.client.PublishRawAsync(ctx, e.key, payload); err != nil {
		return err
	}
	r.sent++
	return nil
}

// wait returns when the event is due. One without a timestamp is due at once.
func (r *replay) wait(ctx context.Context, timestamp time.Time) error {
	if r.flags.speed == speedMax || timestamp.IsZero() {
		return ctx.Err()
	}
	if r.first.IsZero() {
		r.first = timestamp
	}
	due := r.start.Add(time.Duration(float64(timestamp.Sub(r.first)) / r.flags.speed))
	pause := time.Until(due)
	if pause <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settleTimeout bounds the wait for the last acknowledgements.
const settleTimeout = time.Minute

// settle waits for the log, also after an interruption, so that the numbers
// reported are true.
func (r *replay) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	err := r.client.Flush(ctx)
	var failed *usher.FlushError
	switch {
	case errors.As(err, &failed):
		r.result.Refused = failed.Failed
	case err != nil:
		r.result.Refused = r.client.Pending()
	}
	r.result.Published = r.sent - r.result.Refused
	r.result.Seconds = time.Since(r.start).Seconds()
	r.result.Rate = float64(r.result.Published) / r.result.Seconds
	return err
}

func (r *replay) report() {
	if r.flags.asJSON {
		_ = r.con.object(r.result) // nobody is left to tell
		return
	}
	r.con.print("published %d, refused %d, bad lines %d, in %.1f s (%.0f events/s)",
		r.result.Published, r.result.Refused, r.result.Bad, r.result.Seconds, r.result.Rate)
}
