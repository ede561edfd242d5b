package e2e_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/usher-audiences/usher"
	"github.com/usher-audiences/usher/actors"
	"github.com/usher-audiences/usher/rules"
)

// killEvent is one event as it is published.
type killEvent struct {
	key     usher.UserKey
	payload []byte
}

// killLoad is the events of a kill test: a base of a few thousand, cloned
// under fresh keys and ids. The clones are played in blocks, and within a
// block all clones of one event follow each other: the events of one user lie
// so far apart that most of them wake a session that was passivated.
type killLoad struct {
	events iter.Seq[killEvent]
	keys   int
	sent   atomic.Int64

	mu      sync.Mutex
	marks   []killMark
	allowed int64         // events that may be sent
	more    chan struct{} // closed when more are allowed
	nc      *nats.Conn
}

type killMark struct {
	at      int64
	reached chan struct{}
}

// reached returns a channel that is closed when that many events are sent.
func (l *killLoad) reached(count int64) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := killMark{count, make(chan struct{})}
	if l.sent.Load() >= count {
		close(m.reached)
	} else {
		l.marks = append(l.marks, m)
	}
	return m.reached
}

func (l *killLoad) progress() {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := l.marks[:0]
	for _, m := range l.marks {
		if l.sent.Load() >= m.at {
			close(m.reached)
		} else {
			left = append(left, m)
		}
	}
	l.marks = left
}

// killBlock is how many clones are played side by side.
const killBlock = 32

// allow lets the publisher send that many events in all.
func (l *killLoad) allow(count int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.allowed = count
	if l.more != nil {
		close(l.more)
		l.more = nil
	}
}

// await waits until the next event may be sent.
func (l *killLoad) await(ctx context.Context) error {
	for {
		l.mu.Lock()
		if l.sent.Load() < l.allowed {
			l.mu.Unlock()
			return nil
		}
		if l.more == nil {
			l.more = make(chan struct{})
		}
		more := l.more
		l.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// The places in a template where a clone differs.
const (
	cloneMark = "\x00clone\x00"
	timeMark  = "\x00time\x00"
)

// template is one event of the base, with marks where clones differ.
type template struct {
	key  string
	text string
}

func newKillLoad(t *testing.T, plan killPlan, shop string) *killLoad {
	t.Helper()
	base := madeUpShop(plan)
	if shop != "" {
		base = recordedShop(t, shop)
	}
	users := map[string]bool{}
	for _, b := range base {
		users[b.key] = true
	}
	clones := (plan.events + len(base) - 1) / len(base)
	l := &killLoad{keys: len(users) * clones}
	l.events = func(yield func(killEvent) bool) {
		for i := range plan.events {
			block, place := i/(killBlock*len(base)), i%(killBlock*len(base))
			width := min(killBlock, clones-block*killBlock)
			b, clone := base[place/width%len(base)], "-"+strconv.Itoa(block*killBlock+place%width)
			text := strings.ReplaceAll(b.text, cloneMark, clone)
			text = strings.Replace(text, timeMark, rules.FormatTime(time.Now().UnixMilli()), 1)
			if !yield(killEvent{usher.UserKey(b.key + clone), []byte(text)}) {
				return
			}
		}
	}
	return l
}

// mark makes a template of an event. A mark is a control character that no
// JSON text holds, so it is put in after the encoding.
func mark(event map[string]any) template {
	const clone, instant = "@@clone@@", "@@time@@"
	key, _ := event["userId"].(string)
	event["timestamp"] = instant
	for _, field := range []string{"userId", "anonymousId", "messageId"} {
		if text, ok := event[field].(string); ok {
			event[field] = text + clone
		}
	}
	if c, ok := event["context"].(map[string]any); ok {
		if id, ok := c["sessionId"].(string); ok {
			c["sessionId"] = id + clone
		}
	}
	data, err := json.Marshal(event)
	if err != nil {
		panic(fmt.Sprintf("%v: %v", event, err)) // it came from JSON
	}
	return template{key, strings.NewReplacer(clone, cloneMark, instant, timeMark).Replace(string(data))}
}

// recordedShop reads a recording, gzip or not.
func recordedShop(t *testing.T, name string) []template {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		lines = bufio.NewScanner(unzipped)
	}
	var base []template
	for lines.Scan() {
		var event map[string]any
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			t.Fatalf("%s:%d: %v", name, len(base)+1, err)
		}
		base = append(base, mark(event))
	}
	if err := lines.Err(); err != nil || len(base) == 0 {
		t.Fatalf("%s: %d events, %v", name, len(base), err)
	}
	return base
}

// madeUpShop makes up a base of events: visitors who look at products, and
// some who buy.
func madeUpShop(plan killPlan) []template {
	random := rand.New(rand.NewPCG(plan.seed, 2))
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	const users = 250
	base := make([]template, 0, 4*users)
	for i := range cap(base) {
		user := strconv.Itoa(random.IntN(users))
		event := map[string]any{
			"type": "track", "event": "Product Viewed", "userId": "u." + user, "anonymousId": "a" + user,
			"messageId": "m" + strconv.Itoa(i),
			"properties": map[string]any{
				"price": float64(random.IntN(100_000)) / 100, "brand": pick("apple", "samsung", "bosch", "lg"),
				"category": pick("electronics.phone", "electronics.tv", "kitchen.oven"),
			},
		}
		switch random.IntN(12) {
		case 0:
			event["event"] = "Product Added"
		case 1:
			event["event"] = "Order Completed"
		}
		if random.IntN(3) == 0 {
			event["context"] = map[string]any{"sessionId": "s" + user + pick("a", "b")}
		}
		base = append(base, mark(event))
	}
	return base
}

// killStatus is what the test reads of a node's status.
type killStatus struct {
	Ready      bool
	Partitions []struct{ End uint64 }
	Total      actors.PartitionCounts
}

func (s *killStatus) end() uint64 {
	var sum uint64
	for _, p := range s.Partitions {
		sum += p.End
	}
	return sum
}

// status asks the node. It is called by one goroutine.
func (l *killLoad) status(url string) (*killStatus, error) {
	if l.nc == nil {
		nc, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
		if err != nil {
			return nil, err
		}
		l.nc = nc
	}
	m, err := l.nc.Request("usher.status", nil, time.Second)
	if err != nil {
		return nil, err
	}
	var s killStatus
	return &s, json.Unmarshal(m.Data, &s)
}
