package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-audiences/usher/actors"
	"github.com/usher-audiences/usher/actors/dryrun"
	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

type explainFlags struct {
	access
	at        string
	audiences string
	log       string
	idle      time.Duration
	asJSON    bool

	instant int64 // --at; 0 is now
}

func newExplain(con *console) *cobra.Command {
	var flags explainFlags
	cmd := &cobra.Command{
		Use:   "explain AUDIENCE KEY",
		Short: "Say why a person is, or is not, in an audience",
		Long: `Go through the conditions of AUDIENCE for the person KEY (a user id or
anonymous id): what was observed, what is needed and missing, which events
count, and when time alone changes it.

Without --at it asks a running node. With --at TIME it replays the person's
messages from the recorded log, by the definitions now in force, up to then;
what was counted before the log begins is not known to it. With --audiences
and --log it does that offline, over a file as usher simulate reads it.`,
		Example: `  usher explain high-intent u_42
  usher explain high-intent u_42 --at 2026-11-23T10:00:00.000Z
  usher explain high-intent u_42 --audiences audiences/ --log events.jsonl.gz --json`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(args[1]); err != nil {
				return err
			}
			x, err := explain(cmd.Context(), con, &flags, rules.AudienceKey(args[0]), rules.UserKey(args[1]))
			if err != nil {
				return flags.explain(err)
			}
			if flags.asJSON {
				return con.object(x)
			}
			printExplanation(con, x)
			return nil
		},
	}
	flags.addClientFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&flags.at, "at", "", "explain the instant `TIME`, from the recorded log")
	f.StringVar(&flags.audiences, "audiences", "", "offline: definitions, `PATH` of a file or a directory")
	f.StringVar(&flags.log, "log", "", "offline: `FILE` of the recorded log")
	f.DurationVar(&flags.idle, "idle", 30*time.Minute, "offline: how long without activity ends a session")
	f.BoolVar(&flags.asJSON, "json", false, "print a JSON object")
	return cmd
}

func (f *explainFlags) check(key string) error {
	if _, err := subject.Encode(key); err != nil {
		return usagef("KEY: %w", err)
	}
	if (f.audiences == "") != (f.log == "") {
		return usagef("--audiences and --log go together: give both or neither")
	}
	if f.at == "" {
		return nil
	}
	var err error
	f.instant, err = parseTime("--at", f.at)
	return err
}

func explain(ctx context.Context, con *console, flags *explainFlags, audience rules.AudienceKey, key rules.UserKey) (*actors.Explanation, error) {
	switch {
	case flags.log != "":
		return explainFile(con, flags, audience, key)
	case flags.at != "":
		return explainRecorded(ctx, flags, audience, key)
	}
	nc, err := flags.conn()
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	var answer actors.Explanation
	err = ask(ctx, nc, subject.RequestExplain, explainRequest{Key: key, Audience: audience}, &answer)
	return &answer, err
}

// explainRecorded replays the key's messages from the live installation's
// log.
func explainRecorded(ctx context.Context, flags *explainFlags, audience rules.AudienceKey, key rules.UserKey) (*actors.Explanation, error) {
	r, err := openRecording(ctx, &flags.access)
	if err != nil {
		return nil, err
	}
	defer r.close()
	set, err := r.ruleSet(ctx, nil)
	if err != nil {
		return nil, err
	}
	token, err := subject.Encode(string(key))
	if err != nil {
		return nil, err
	}
	p := subject.Partition(token, r.installation.Partitions)
	past := newPast(set, session.Config{Idle: r.installation.Idle}, key, flags.instant)
	if err := r.log(ctx, p, past.take); err != nil && !errors.Is(err, errPast) {
		return nil, err
	}
	return past.explain(p, audience)
}

func explainFile(con *console, flags *explainFlags, audience rules.AudienceKey, key rules.UserKey) (*actors.Explanation, error) {
	set, err := loadRuleSet(con, flags.audiences)
	if err != nil {
		return nil, err
	}
	source, err := openSource(con, flags.log)
	if err != nil {
		return nil, &usageError{err: err}
	}
	defer source.close()
	past := newPast(set, session.Config{Idle: rules.Millis(flags.idle.Milliseconds())}, key, flags.instant)
	lines := dryrun.NewLines(source.lines)
	for {
		line, err := lines.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		var m dryrun.Message
		if err == nil {
			m, err = dryrun.ParseLine(line)
			m.Seq = uint64(lines.Number()) //nolint:gosec // counted from 1
		}
		if err == nil {
			err = past.take(m)
		}
		var unusable *rules.Rejection
		if errors.Is(err, errPast) {
			break
		}
		if err != nil && !errors.As(err, &unusable) {
			return nil, fmt.Errorf("%s: %w", source.name, err)
		}
	}
	return past.explain(0, audience)
}

// errPast ends the reading of a log at the instant that is to be explained.
var errPast = errors.New("the log is read far enough")

// past replays the messages of one key up to an instant.
type past struct {
	set   *rules.RuleSet
	run   *dryrun.Run
	key   rules.UserKey
	until int64 // 0 is the end of the log
	now   int64 // the greatest log time so far, of all keys
}

func newPast(set *rules.RuleSet, config session.Config, key rules.UserKey, until int64) *past {
	return &past{set: set, run: dryrun.New(set, config, func(*rules.Published) {}), key: key, until: until}
}

// take applies a message if it is the key's. The error is errPast for the
// first message after the instant, or a *rules.Rejection.
func (p *past) take(m dryrun.Message) error {
	key, at, err := p.head(&m)
	if err != nil {
		return err
	}
	if p.until > 0 && at > p.until {
		return errPast
	}
	p.now = at
	if key != p.key {
		return nil
	}
	m.At = at
	return p.run.Apply(m)
}

// head returns whose message it is, and its log time.
func (p *past) head(m *dryrun.Message) (key rules.UserKey, at int64, err error) {
	at = m.At
	switch m.Kind {
	case rules.EventInput:
		ev, err := p.set.DecodeEvent(m.Body, m.Encoding)
		if err != nil {
			return "", 0, err
		}
		if key = ev.Key; at == dryrun.FromTimestamp && ev.Timestamp != rules.Never {
			at = ev.Timestamp
		}
	case rules.TraitsInput:
		u, err := rules.DecodeTraits(m.Body, m.Encoding)
		if err != nil {
			return "", 0, err
		}
		key = u.Key
	}
	return key, max(at, p.now), nil
}

func (p *past) explain(partition int, audience rules.AudienceKey) (*actors.Explanation, error) {
	at := p.now
	if p.until > 0 {
		at = p.until
	}
	if err := p.run.Advance(at); err != nil {
		return nil, err
	}
	s := p.run.Session(p.key)
	if s == nil {
		s = session.New(p.key, p.set, session.Config{})
	}
	x, ok := s.Explain(at, audience)
	if !ok {
		return nil, usagef("AUDIENCE: %w: %q", actors.ErrAudience, audience)
	}
	return &actors.Explanation{Partition: partition, Key: p.key, Explanation: x}, nil
}
