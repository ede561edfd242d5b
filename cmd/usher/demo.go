package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-audiences/usher"
	"github.com/usher-audiences/usher/bus"
	"github.com/usher-audiences/usher/bus/embedded"
	"github.com/usher-audiences/usher/cmd/usher/demo"
	"github.com/usher-audiences/usher/rules"
)

type demoFlags struct {
	length time.Duration
	seed   uint64
	plain  bool
}

func newDemo(con *console) *cobra.Command {
	var flags demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work: a simulated shop, five audiences",
		Long: `Run a node with an embedded server in a temporary directory, five audiences,
and a shop full of simulated visitors; show who enters and leaves which
audience, and why. Everything is removed at the end.

Sessions end after 8 seconds without activity here, so that they end while
you watch. In a terminal q ends it; elsewhere it prints one line a transition.`,
		Example: `  usher demo
  usher demo --for 5m --seed 7
  usher demo --for 20s | grep exited`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if flags.length <= 0 {
				return usagef("--for %v: want a duration above 0", flags.length)
			}
			return runDemo(cmd.Context(), con, flags)
		},
	}
	f := cmd.Flags()
	f.DurationVar(&flags.length, "for", time.Minute, "how long it runs")
	f.Uint64Var(&flags.seed, "seed", 1, "another seed is another day in the shop")
	f.BoolVar(&flags.plain, "plain", false, "print lines, also in a terminal")
	return cmd
}

// demoPartitions is enough for what two cores do beside a terminal.
const demoPartitions = 4

func runDemo(ctx context.Context, con *console, flags demoFlags) (err error) {
	dir, err := os.MkdirTemp("", "usher-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d := &demonstration{con: con, flags: flags, tally: newTally()}
	if err := d.start(ctx, dir); err != nil {
		return errors.Join(err, d.stop())
	}
	err = d.show(ctx)
	stopErr := d.stop()
	d.tally.summary(con, flags.seed)
	return errors.Join(stopErr, err)
}

// demonstration is one run of the demo.
type demonstration struct {
	con    *console
	flags  demoFlags
	tally  *tally
	node   *node
	client *usher.Client
}

func (d *demonstration) start(ctx context.Context, dir string) error {
	log := slog.New(slog.NewTextHandler(d.con.err, &slog.HandlerOptions{Level: slog.LevelError}))
	cfg := nodeConfig{
		server: embedded.Config{Data: dir, Listen: "127.0.0.1:0", Partitions: demoPartitions, Logger: log},
		installation: bus.Installation{
			Partitions: demoPartitions, Idle: rules.Millis(demo.Idle.Milliseconds()),
		},
		log: log,
	}
	var err error
	if d.node, err = startNode(ctx, cfg); err != nil {
		return err
	}
	if err := d.apply(ctx); err != nil {
		return err
	}
	if err := d.node.own(cfg); err != nil {
		return err
	}
	if err := d.node.awaitReady(ctx, func() {}); err != nil {
		return err
	}
	d.client, err = usher.Connect(d.node.url())
	return err
}

func (d *demonstration) apply(ctx context.Context) error {
	files, err := demo.Audiences()
	if err != nil {
		return err
	}
	var definitions []*rules.Definition
	for name, text := range files {
		parsed, err := rules.Parse(name, text)
		if err != nil {
			return err
		}
		definitions = append(definitions, parsed...)
	}
	for _, definition := range definitions {
		d.tally.introduce(definition)
	}
	_, err = d.node.conn.Definitions().Apply(ctx, definitions, bus.ApplyOptions{})
	return err
}

// show plays the shop and shows what comes of it, until the time is over or
// somebody ends it.
func (d *demonstration) show(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watcher, err := d.client.Watch(ctx, usher.AllAudiences)
	if err != nil {
		return err
	}
	defer watcher.Stop()
	var view demoView = &plainView{con: d.con}
	if d.con.outTerminal && !d.flags.plain {
		view = newTerminalView(d.con, d.tally, d.flags.length, d.node.url(), cancel)
	} else {
		d.con.say("usher demo: 5 audiences, NATS at %s, seed %d, for %v", d.node.url(), d.flags.seed, d.flags.length)
	}
	end := time.AfterFunc(d.flags.length, func() { cancel(errDemoOver) })
	defer end.Stop()
	var running sync.WaitGroup
	running.Go(func() { d.play(ctx, cancel) })
	running.Go(func() { d.listen(watcher, view) })
	err = view.run(ctx)
	cancel(errDemoOver) // the view was closed
	running.Wait()
	if err != nil {
		return err
	}
	if cause := context.Cause(ctx); !errors.Is(cause, errDemoOver) {
		return cause
	}
	return nil
}

// errDemoOver is the cause of a demo's ordinary end.
var errDemoOver = errors.New("the demo is over")

// play publishes the shop's actions when they are due.
func (d *demonstration) play(ctx context.Context, cancel context.CancelCauseFunc) {
	shop := demo.NewShop(d.flags.seed)
	d.tally.begin()
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		action := shop.Next()
		timer.Reset(time.Until(start.Add(action.At)))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if err := d.publish(ctx, action); err != nil && ctx.Err() == nil {
			cancel(fmt.Errorf("publish for %s: %w", action.Key, err))
		}
	}
}

func (d *demonstration) publish(ctx context.Context, a demo.Action) error {
	d.tally.published(a.Event.MessageID, time.Now())
	if a.Traits != nil {
		return d.client.UpdateTraits(ctx, a.Key, a.Traits)
	}
	return d.client.PublishAsync(ctx, a.Event)
}

// listen counts each transition and shows it.
func (d *demonstration) listen(w *usher.Watcher, view demoView) {
	for t, err := range w.All() {
		if err != nil {
			continue // All goes on only where a transition was dropped
		}
		d.tally.transition(t, time.Now())
		view.transition(t)
	}
}

func (d *demonstration) stop() error {
	if d.client != nil {
		d.client.Close()
	}
	if d.node == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainMax)
	defer cancel()
	return errors.Join(d.node.drain(ctx), d.node.close())
}

// demoView shows transitions as they come.
type demoView interface {
	// transition is called from one goroutine.
	transition(usher.Transition)
	// run shows until ctx ends or somebody closes the view.
	run(ctx context.Context) error
}

// plainView prints one line a transition.
type plainView struct{ con *console }

func (p *plainView) transition(t usher.Transition) { p.con.print("%s", line(t)) }

func (p *plainView) run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
