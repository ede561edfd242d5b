package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/usher-audiences/usher"
)

const audiencesText = `audience: big-cart
name: Big cart
when: {event: Product Added, where: {price: {gte: 100}}, within: session, since: {event: Order Completed}}
---
audience: readers
when: {page: "*", count: {gte: 2}, within: lifetime}
`

// TestFirstLight is the README's story: a node, definitions, one hand-written
// event published by a plain NATS client, and a plain subscription.
func TestFirstLight(t *testing.T) {
	n := serve(t)
	mustRun(t, "apply", write(t, "audiences.yaml", audiencesText), "--nats", n.url)
	nc, err := nats.Connect(n.url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	sub, err := nc.SubscribeSync("audiences.>")
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	watching := start(t, "watch", "--nats", n.url)
	watching.await(t, watching.err, "watching all audiences")

	if err := nc.Publish("events.u_42", []byte(`{"type":"track","event":"Product Added","userId":"u_42","properties":{"price":120}}`)); err != nil {
		t.Fatal(err)
	}
	m, err := sub.NextMsg(waitMax)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Type, Audience, Key, Cause string }
	if err := json.Unmarshal(m.Data, &got); err != nil || m.Subject != "audiences.big-cart.u_42" {
		t.Fatalf("received on %s: %s (%v)", m.Subject, m.Data, err)
	}
	if got.Type != "entered" || got.Audience != "big-cart" || got.Key != "u_42" || got.Cause != "session_start" {
		t.Errorf("received %s", m.Data)
	}
	if position := m.Header.Get("Usher-Position"); position == "" || !strings.Contains(string(m.Data), position) {
		t.Errorf("header Usher-Position %q is not the body's: %s", position, m.Data)
	}
	watching.await(t, watching.out, `entered big-cart +u_42 +session_start event Product Added.*: 1, needs >= 1`)
	watching.signal(t, os.Interrupt)
	if code := watching.end(t); code != 130 {
		t.Errorf("watch, interrupted: exit code %d, want 130", code)
	}
	n.signal(t, syscall.SIGTERM)
	if code := n.end(t); code != 0 {
		t.Errorf("serve, terminated: exit code %d, want 0\n%s", code, n.err)
	}
}

// TestSDK goes through the whole SDK against a real node.
func TestSDK(t *testing.T) {
	n := serve(t)
	mustRun(t, "apply", write(t, "audiences.yaml", audiencesText), "--nats", n.url)
	ctx, c := limited(t), connect(t, n.url)
	live, err := c.Watch(ctx, usher.AllAudiences)
	if err != nil {
		t.Fatal(err)
	}
	defer live.Stop()
	added := usher.Event{Event: "Product Added", UserID: "ada lopez*", MessageID: "m1", Properties: map[string]any{"price": 120}}
	for range 2 { // the second one counts for nothing
		if err := c.Publish(ctx, added); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, live, usher.Entered, "big-cart", "ada lopez*")
	for _, id := range []string{"a", "b", "c"} {
		for range 2 {
			if err := c.PublishAsync(ctx, usher.Event{Type: usher.Page, Name: "Home", AnonymousID: id}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := c.Flush(ctx); err != nil || c.Pending() != 0 {
		t.Fatalf("flush: %v, %d pending", err, c.Pending())
	}
	seen := map[usher.UserKey]bool{}
	for range 3 {
		seen[expect(t, live, usher.Entered, "readers", "").Key] = true
	}
	if len(seen) != 3 {
		t.Errorf("readers entered: %v, want a, b and c", seen)
	}
	order := usher.Event{Event: "Order Completed", UserID: "ada lopez*"}
	if err := c.Publish(ctx, order); err != nil {
		t.Fatal(err)
	}
	left := expect(t, live, usher.Exited, "big-cart", "ada lopez*")
	if left.N != 2 || left.Event != "Order Completed" || len(left.Because) == 0 {
		t.Errorf("exit %+v", left)
	}
	lookUp(ctx, t, c)
	withMembers(ctx, t, c)
}

func lookUp(ctx context.Context, t *testing.T, c *usher.Client) {
	t.Helper()
	members, err := c.Members(ctx, "readers")
	if err != nil || len(members) != 3 || members[0].Key != "a" || members[2].Key != "c" {
		t.Errorf("members of readers: %v, %v", members, err)
	}
	if members, err := c.Members(ctx, "big-cart"); err != nil || len(members) != 0 {
		t.Errorf("members of big-cart after the only one left: %v, %v", members, err)
	}
	if members, err := c.Members(ctx, "nobody-knows"); err != nil || len(members) != 0 {
		t.Errorf("members of an audience that there is not: %v, %v", members, err)
	}
	memberships, err := c.Memberships(ctx, "a")
	if err != nil || len(memberships) != 1 || memberships[0].Audience != "readers" {
		t.Errorf("memberships of a: %v, %v", memberships, err)
	}
	if _, err := c.Members(ctx, "a.b"); !errors.Is(err, usher.ErrAudience) {
		t.Errorf("members of a.b: %v, want %v", err, usher.ErrAudience)
	}
}

// withMembers: those who are in it first, marked, then what happens.
func withMembers(ctx context.Context, t *testing.T, c *usher.Client) {
	t.Helper()
	w, err := c.Watch(ctx, usher.AllAudiences, usher.WithMembers())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	for range 3 {
		if got := expect(t, w, usher.Entered, "readers", ""); !got.Current {
			t.Errorf("member %s is not marked as current", got.Key)
		}
	}
	if err := c.Publish(ctx, usher.Event{Event: "Product Added", UserID: "late", Properties: map[string]any{"price": 100}}); err != nil {
		t.Fatal(err)
	}
	if got := expect(t, w, usher.Entered, "big-cart", "late"); got.Current {
		t.Errorf("what happened after the watch began is marked as current")
	}
}

// expect reads the next transition. An empty key stands for any.
func expect(t *testing.T, w *usher.Watcher, kind usher.TransitionType, audience usher.AudienceKey, key usher.UserKey) usher.Transition {
	t.Helper()
	got, err := w.Next(limited(t))
	if err != nil || got.Type != kind || got.Audience != audience || key != "" && got.Key != key {
		t.Fatalf("next transition %s %s %s, %v; want %s %s %s", got.Type, got.Audience, got.Key, err, kind, audience, key)
	}
	return got
}

// TestSDKWithoutUsher: a server without an installation, and then none at all.
func TestSDKWithoutUsher(t *testing.T) {
	url := plainServer(t)
	c := connect(t, url)
	ctx, cancel := context.WithTimeout(t.Context(), waitMax/100)
	defer cancel()
	err := c.Publish(ctx, usher.Event{Event: "E", UserID: "u"})
	if !errors.Is(err, usher.ErrNotStored) || !errors.Is(err, usher.ErrNotInstalled) {
		t.Errorf("publish without an installation: %v", err)
	}
	if _, err := c.Members(limited(t), "a"); !errors.Is(err, usher.ErrNotInstalled) {
		t.Errorf("members without an installation: %v", err)
	}
	c.Close()
	if err := c.Publish(limited(t), usher.Event{Event: "E", UserID: "u"}); !errors.Is(err, usher.ErrClosed) {
		t.Errorf("publish after Close: %v", err)
	}
	if err := c.PublishAsync(limited(t), usher.Event{Event: "E", UserID: "u"}); !errors.Is(err, usher.ErrClosed) {
		t.Errorf("publish async after Close: %v", err)
	}
}
