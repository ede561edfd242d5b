package e2e_test

import (
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/usher-audiences/usher"
)

var (
	killEvents = flag.Int("kill.events", 20_000, "events of the kill test; from 1,000,000 on it demands 20 kills and 10,000 transitions")
	killShop   = flag.String("kill.shop", "", "recorded events to clone for the kill test; empty is a log made up from the seed")
	killSeed   = flag.Uint64("kill.seed", 0, "seed of the kill test; 0 is another one each time")
)

// killPatience bounds every wait of the kill test: a recovery with many
// thousand events to catch up with takes its time.
const killPatience = 20 * time.Minute

// killIdle ends sessions soon enough for the test to wait for them.
const killIdle = 6 * time.Second

// killPlan says what a run of a size has to contain.
type killPlan struct {
	seed                uint64
	events              int
	kills, inRecovery   int
	transitions, byTime int
	partitions          int
}

func newKillPlan(events int, seed uint64) killPlan {
	p := killPlan{seed: seed, events: events, kills: 4, inRecovery: 1, transitions: events / 100, byTime: events / 1000, partitions: 4}
	if events >= 1_000_000 {
		p.kills, p.inRecovery, p.transitions, p.byTime, p.partitions = 20, 5, 10_000, 1_000, 16
	}
	if p.seed == 0 {
		p.seed = uint64(time.Now().UnixNano())
	}
	return p
}

// TestKill kills a node at random moments while events are published at full
// speed, also while it recovers, and then wants every transition that is
// stored to be what the auditor says of the stored logs: none lost, none
// doubled, none wrong.
func TestKill(t *testing.T) {
	plan := newKillPlan(*killEvents, *killSeed)
	t.Logf("seed %d, %d events, at least %d kills", plan.seed, plan.events, plan.kills+plan.inRecovery)
	load := newKillLoad(t, plan, *killShop)
	k := &killing{
		t: t, plan: plan, load: load, random: rand.New(rand.NewPCG(plan.seed, 1)),
		address: freeAddress(t), data: t.TempDir(), recovery: time.Second,
	}
	k.start()
	k.awaitReady()
	began := time.Now()
	publishing := make(chan error, 1)
	go func() { publishing <- load.publish(t.Context(), k.url()) }()
	k.killAlong(publishing)
	if err := <-publishing; err != nil {
		t.Fatalf("publish: %v", err)
	}
	t.Logf("published after %v", time.Since(began).Round(time.Second))
	k.awaitQuiet()
	k.node.signal(t, syscall.SIGTERM)
	if code := k.node.end(t); code != 0 {
		t.Fatalf("the last stop: exit code %d\n%s", code, k.node.err)
	}
	t.Logf("%d kills, %d of them during recovery; %d keys, %d sessions at most, %d passivations seen",
		k.kills, k.inRecovery, load.keys, k.sessionsMax(), k.passivations+k.passivated)
	if k.kills < plan.kills || k.inRecovery < plan.inRecovery || k.passivations == 0 || k.passivated == 0 {
		t.Errorf("too tame: want %d kills, %d during recovery, and passivations", plan.kills, plan.inRecovery)
	}
	auditKill(t, plan, k.data)
	t.Logf("%v in all", time.Since(began).Round(time.Second))
}

// killing is one run of the kill test.
type killing struct {
	t            *testing.T
	plan         killPlan
	load         *killLoad
	random       *rand.Rand
	address      string
	data         string
	node         *program
	recovery     time.Duration // how long the last one took
	kills        int
	inRecovery   int
	passivations uint64 // of the nodes before this one, as last seen
	passivated   uint64 // of this one
}

func (k *killing) url() string { return "nats://" + k.address }

func (k *killing) sessionsMax() int { return max(1, k.load.keys/10) }

func (k *killing) start() {
	k.node = start(k.t, "serve", "--listen", k.address, "--http", "", "--data", k.data,
		"--partitions", strconv.Itoa(k.plan.partitions), "--idle", killIdle.String(),
		"--sessions-max", strconv.Itoa(k.sessionsMax()), "--audiences", killAudiences(k.t))
	k.node.patience = killPatience
}

// killAudiences returns a directory with the definitions.
func killAudiences(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "kill.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(write(t, "kill.yaml", string(text)))
}

const (
	startedPattern = `audiences applied` // said right before the partitions start
	readyPattern   = `usher is ready`
)

func (k *killing) awaitReady() {
	k.node.await(k.t, k.node.err, startedPattern)
	started := time.Now()
	k.node.await(k.t, k.node.err, readyPattern)
	k.recovery = max(time.Since(started), time.Millisecond)
}

func (k *killing) isReady() bool {
	found, _ := k.node.err.find(regexp.MustCompile(readyPattern))
	return found != nil
}

// killAlong kills once in each of as many stretches of the events as there
// are to be kills, at a random event of it. The publisher does not begin a
// stretch before the node has recovered from the kill in the one before, so
// at every kill it publishes at full speed, and events are unprocessed.
func (k *killing) killAlong(publishing chan error) {
	stretch := k.plan.events / k.plan.kills
	for i := range k.plan.kills {
		k.load.allow(int64(stretch * (i + 1)))
		mark := stretch*i + stretch/100 + k.random.IntN(stretch*9/10)
		select {
		case <-k.load.reached(int64(mark)):
		case err := <-publishing:
			k.t.Fatalf("publishing ended at %d of %d: %v", k.load.sent.Load(), k.plan.events, err)
		case <-k.node.ended:
			k.t.Fatalf("the node ended by itself (%v):\n%s", k.node.cmd.ProcessState, k.node.err)
		}
		k.look()
		k.kill()
		k.kills++
		k.passivations, k.passivated = k.passivations+k.passivated, 0
		k.start()
		k.killInRecovery()
		k.awaitReady()
	}
	k.load.allow(math.MaxInt64)
}

// killInRecovery kills the node that was just started, at a random moment of
// its recovery, until that has been done often enough; at most once or twice
// after each ordinary kill.
func (k *killing) killInRecovery() {
	for range 2 {
		due := (k.kills*k.plan.inRecovery + k.plan.kills - 1) / k.plan.kills
		if k.inRecovery >= due {
			return
		}
		k.node.await(k.t, k.node.err, startedPattern)
		select {
		case <-time.After(time.Duration(k.random.Int64N(int64(k.recovery)))):
		case <-k.node.ended:
			k.t.Fatalf("the node ended by itself (%v):\n%s", k.node.cmd.ProcessState, k.node.err)
		}
		k.kill()
		if k.isReady() {
			k.recovery = max(k.recovery/2, time.Millisecond) // too late
		} else {
			k.inRecovery++
		}
		k.start()
	}
}

func (k *killing) kill() {
	k.t.Helper()
	if !k.node.running() {
		k.t.Fatalf("the node ended by itself (%v):\n%s", k.node.cmd.ProcessState, k.node.err)
	}
	k.node.kill(k.t)
}

// look notes how many sessions were passivated before a kill.
func (k *killing) look() {
	if s, err := k.load.status(k.url()); err == nil {
		k.passivated = s.Total.Passivations
	}
}

// awaitQuiet waits until everything is read and no deadline is left: the logs
// have not grown for longer than any deadline can be away.
func (k *killing) awaitQuiet() {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(k.t.Context(), killPatience)
	defer cancel()
	var end uint64
	since := time.Now()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for time.Since(since) < killIdle+2*time.Second {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			k.t.Fatalf("not quiet in time\n%s", k.node.err)
		case <-k.node.ended:
			k.t.Fatalf("the node ended by itself (%v):\n%s", k.node.cmd.ProcessState, k.node.err)
		}
		s, err := k.load.status(k.url())
		if err != nil || !s.Ready || s.Total.Lag > 0 || s.Total.Unacknowledged > 0 || s.end() != end {
			since = time.Now()
		}
		if err == nil {
			end, k.passivated = s.end(), s.Total.Passivations
		}
	}
}

// publish publishes every event at full speed, each with the instant of its
// publishing as its timestamp.
func (l *killLoad) publish(ctx context.Context, url string) error {
	c, err := usher.Connect(url)
	if err != nil {
		return err
	}
	defer c.Close()
	for e := range l.events {
		if err := l.await(ctx); err != nil {
			return err
		}
		if err := c.PublishRawAsync(ctx, e.key, e.payload); err != nil {
			return fmt.Errorf("event %d: %w", l.sent.Load(), err)
		}
		l.sent.Add(1)
		l.progress()
	}
	return c.Flush(ctx)
}
