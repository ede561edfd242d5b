package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-audiences/usher/actors/dryrun"
	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/rules"
)

type simulateFlags struct {
	access
	audiences string
	log       string
	out       string
	end       string
	idle      time.Duration
	strict    bool
	from      time.Duration
	diff      bool

	until int64 // --end
}

func newSimulate(con *console) *cobra.Command {
	var flags simulateFlags
	cmd := &cobra.Command{
		Use:   "simulate --audiences PATH --log FILE | --from DURATION",
		Short: "Say what a recorded log would have led to",
		Long: `Run the audiences of PATH over the recorded log FILE, as fast as it goes and
without a server, and print every transition as one JSON object a line: what a
live installation that had read this log would have stored.

PATH is a file or a directory of definitions, YAML or JSON. FILE is JSON lines,
gzip too. A line is a Segment-spec event, whose time in the log is its
timestamp, or the greatest so far; or

  {"t": TIME, "kind": "event"|"traits"|"tick", "body": {...}}

with TIME in RFC 3339. Time in the log never goes back. Before each line every
deadline up to its time fires. After the last line time stands still, unless
--end says how far it runs on.

A line that cannot be used is named and counted, and the rest goes on; --strict
stops at the first. One of PATH and FILE may be -, standard input.

With --from 2h in place of --log it runs over what a live installation has
recorded, and prints who would have entered and left in the last two hours.
The whole log is run, so that what happened before is counted as far as the
log goes back. PATH may refer to audiences in force, and without it those are
run as they are. --diff prints only what is not the same as what the live
audiences did; the exit code is 3 if there is any.`,
		Example: `  usher simulate --audiences audiences/ --log events.jsonl.gz
  usher simulate --audiences a.yaml --log day.jsonl --out transitions.jsonl --end 2026-11-24T00:00:00.000Z
  usher simulate --audiences new.yaml --from 2h --diff`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.check(cmd); err != nil {
				return err
			}
			if flags.from > 0 {
				return simulateLive(cmd.Context(), con, &flags)
			}
			return simulate(cmd.Context(), con, flags)
		},
	}
	flags.addClientFlags(cmd)
	f := cmd.Flags()
	f.DurationVar(&flags.from, "from", 0, "over the live installation's recorded log: print the last `DURATION`")
	f.BoolVar(&flags.diff, "diff", false, "with --from: print what the live audiences did not do likewise")
	f.StringVar(&flags.audiences, "audiences", "", "definitions: `PATH` of a file or a directory")
	f.StringVar(&flags.log, "log", "", "`FILE` of the recorded log")
	f.StringVar(&flags.out, "out", "-", "`FILE` for the transitions; - is standard output")
	f.StringVar(&flags.end, "end", "", "let time run on to `TIME` after the last line")
	f.DurationVar(&flags.idle, "idle", 30*time.Minute, "how long without activity ends a session")
	f.BoolVar(&flags.strict, "strict", false, "stop at the first line that cannot be used")
	return cmd
}

// check refuses what cannot be meant, before anything is read.
func (s *simulateFlags) check(cmd *cobra.Command) error {
	changed := cmd.Flags().Changed
	switch {
	case s.from < 0:
		return usagef("--from %v: want how far back to look, such as 2h", s.from)
	case s.from > 0 && (changed("log") || changed("end") || changed("idle") || changed("strict")):
		return usagef("--log, --end, --idle and --strict are for a recorded file; --from runs over the live installation")
	case s.from > 0:
		return nil
	case s.diff:
		return usagef("--diff compares with the live audiences: give --from, too")
	case s.audiences == "":
		return usagef("--audiences PATH says which audiences to run: it is needed")
	case s.log == "":
		return usagef("--log FILE says which log to run them over: it is needed")
	case s.audiences == "-" && s.log == "-":
		return usagef("--audiences and --log cannot both be standard input")
	case s.idle < time.Millisecond:
		return usagef("--idle %v: want at least 1ms", s.idle)
	case s.end == "":
		return nil
	}
	var err error
	s.until, err = parseTime("--end", s.end)
	return err
}

// parseTime reads an instant in Unix milliseconds.
func parseTime(what, text string) (int64, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, usagef("%s %q: want an instant such as 2026-11-23T10:00:00.000Z", what, text)
	}
	return at.UnixMilli(), nil
}

func simulate(ctx context.Context, con *console, flags simulateFlags) error {
	set, err := loadRuleSet(con, flags.audiences)
	if err != nil {
		return err
	}
	source, err := openSource(con, flags.log)
	if err != nil {
		return &usageError{err: err}
	}
	defer source.close()
	out, finish, err := openResult(con, flags.out)
	if err != nil {
		return err
	}
	// Almost all that a run allocates is either kept to its end or garbage at
	// once: collecting it seldom costs memory, and saves a quarter of the time.
	defer debug.SetGCPercent(debug.SetGCPercent(simulateGCPercent))
	s := &simulation{con: con, flags: flags, set: set, source: source, out: out, start: time.Now()}
	s.run = dryrun.New(set, session.Config{Idle: rules.Millis(flags.idle.Milliseconds())}, s.write)
	s.progress = newProgress(con, source, "simulate")
	err = s.lines(ctx)
	s.progress.done()
	if err := errors.Join(err, finish()); err != nil {
		return err
	}
	s.report()
	return nil
}

// loadRuleSet compiles the definitions of a file or directory.
func loadRuleSet(con *console, path string) (*rules.RuleSet, error) {
	documents, err := loadDocuments(con, []string{path})
	if err != nil {
		return nil, err
	}
	return documents.compile()
}

// compile makes the rule set that the definitions would be as the first
// revision of an installation.
func (d *documents) compile() (*rules.RuleSet, error) {
	versioned := make([]rules.Versioned, len(d.definitions))
	for i, definition := range d.definitions {
		versioned[i] = rules.Versioned{Definition: definition, Version: 1}
	}
	set, err := rules.Compile(1, versioned)
	if err != nil {
		return nil, d.pointed(err)
	}
	return set, nil
}

// openResult opens a file for a result; "-" is standard output. What finish
// returns tells whether all of it was written.
func openResult(con *console, name string) (out *bufio.Writer, finish func() error, err error) {
	if name == "-" {
		out = bufio.NewWriterSize(con.out, 1<<16)
		return out, out.Flush, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, nil, err
	}
	out = bufio.NewWriterSize(file, 1<<16)
	return out, func() error { return errors.Join(out.Flush(), file.Close()) }, nil
}

// simulateGCPercent is how much of what is alive may come on top as garbage
// before it is collected.
const simulateGCPercent = 400

// simulation is one run over a file.
type simulation struct {
	con         *console
	flags       simulateFlags
	set         *rules.RuleSet
	source      *source
	run         *dryrun.Run
	out         *bufio.Writer
	buffer      []byte
	progress    progress
	start       time.Time
	used, bad   int
	transitions int
}

func (s *simulation) lines(ctx context.Context) error {
	ahead := readAhead(dryrun.NewLines(s.source.lines), s.set)
	defer ahead.end()
	for b := ahead.next(nil); ; b = ahead.next(b.lines) {
		for i := range b.lines {
			if err := s.line(&b.lines[i]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(b.err, io.EOF):
			return s.end()
		case b.err != nil:
			return fmt.Errorf("%s: %w", s.source.name, b.err)
		case ctx.Err() != nil:
			return ctx.Err()
		}
		s.progress.sent(s.used + s.bad)
	}
}

func (s *simulation) line(l *dryrun.Line) error {
	err := s.run.ApplyLine(l)
	var unusable *dryrun.Unusable
	switch {
	case err == nil:
		s.used++
		return nil
	case errors.As(err, &unusable):
		return s.refuse(unusable)
	default:
		return fmt.Errorf("%s:%d: %w", s.source.name, l.Number(), err)
	}
}

func (s *simulation) refuse(u *dryrun.Unusable) error {
	s.bad++
	bad := &badLine{place: fmt.Sprintf("%s:%d", s.source.name, u.Line), why: u.Err.Error()}
	if s.flags.strict {
		return bad
	}
	if s.bad <= badLinesShown {
		s.progress.say(bad.Error())
	}
	if s.bad == badLinesShown {
		s.progress.say("further bad lines are only counted")
	}
	return nil
}

// end lets time run on.
func (s *simulation) end() error {
	if s.flags.end == "" {
		return nil
	}
	if s.flags.until < s.run.Now() {
		s.progress.say(fmt.Sprintf("--end %s lies before the log's last line, %s: it changes nothing", s.flags.end, rules.FormatTime(s.run.Now())))
	}
	return s.run.Advance(s.flags.until)
}

func (s *simulation) write(p *rules.Published) {
	s.transitions++
	s.buffer = append(dryrun.AppendTransition(s.buffer[:0], p), '\n')
	_, _ = s.out.Write(s.buffer) // the error stays with the writer until it is flushed
}

func (s *simulation) report() {
	took := time.Since(s.start).Seconds()
	s.con.say("%s of %s, %s that cannot be used; %s; %.1f s, %.0f lines/s", count(s.used, "line"),
		count(s.run.Keys(), "user"), count(s.bad, "line"), count(s.transitions, "transition"), took, float64(s.used+s.bad)/took)
}
