package bus_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus"
	"github.com/usher-audiences/usher/bus/bustest"
	"github.com/usher-audiences/usher/bus/embedded"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

var _ bustest.Bus = (*bus.Bus)(nil)

// site is an embedded server with JetStream on disk that can be stopped and
// started, with an installation and a connection that outlives it.
type site struct {
	t      testing.TB
	data   string
	cfg    embedded.Config
	server atomic.Pointer[embedded.Server] // nil while none runs
	conn   *bus.Conn
	bus    *bus.Bus
	js     jetstream.JetStream
}

// InProcessConn connects to whichever server runs now.
func (s *site) InProcessConn() (net.Conn, error) {
	server := s.server.Load()
	if server == nil {
		return nil, errors.New("no server runs")
	}
	return server.InProcess().InProcessConn()
}

func newSite(t testing.TB, partitions int) *site {
	t.Helper()
	s := &site{t: t, data: filepath.Join(t.TempDir(), "data")}
	s.cfg = embedded.Config{Data: s.data, Partitions: partitions}
	s.start()
	t.Cleanup(s.stop)
	s.conn = s.connect()
	t.Cleanup(s.conn.Close)
	if _, err := s.conn.Install(t.Context(), bus.Installation{Partitions: partitions}); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.bus, err = s.conn.Open(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.bus.Close)
	if s.js, err = jetstream.New(s.conn.NATS()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) connect() *bus.Conn {
	s.t.Helper()
	conn, err := bus.Connect(s.t.Context(), bus.Config{InProcess: s})
	if err != nil {
		s.t.Fatal(err)
	}
	return conn
}

func (s *site) start() {
	s.t.Helper()
	server, err := embedded.Start(s.cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.server.Store(server)
}

func (s *site) stop() {
	if err := s.server.Swap(nil).Shutdown(); err != nil {
		s.t.Error(err)
	}
}

// restart stops the server, lets change alter its directory, and starts it
// again. It returns when the connection is back.
func (s *site) restart(change func() error) {
	s.t.Helper()
	back := make(chan struct{}, 1)
	s.conn.NATS().SetReconnectHandler(s.reconnect(s.conn.NATS().Opts.ReconnectedCB, back))
	s.stop()
	if err := change(); err != nil {
		s.t.Fatal(err)
	}
	s.start()
	<-back
}

func (s *site) reconnect(then nats.ConnHandler, back chan<- struct{}) nats.ConnHandler {
	return func(nc *nats.Conn) {
		nc.SetReconnectHandler(then)
		then(nc)
		back <- struct{}{}
	}
}

func (s *site) mark() (restore func()) {
	saved := filepath.Join(s.t.TempDir(), "saved")
	s.restart(func() error { return os.CopyFS(saved, os.DirFS(s.data)) })
	return func() {
		s.restart(func() error {
			if err := os.RemoveAll(s.data); err != nil {
				return err
			}
			return os.CopyFS(s.data, os.DirFS(saved))
		})
	}
}

func (s *site) publish(m *nats.Msg) uint64 {
	s.t.Helper()
	ack, err := s.js.PublishMsg(s.t.Context(), m)
	if err != nil {
		s.t.Fatal(err)
	}
	return ack.Sequence
}

func (s *site) produce(p int, kind partition.MessageKind, enc rules.Encoding, payload []byte) uint64 {
	m := nats.NewMsg(subject.Log(p, kind))
	m.Data = payload
	if enc == rules.MessagePack {
		m.Header.Set("Content-Type", "application/msgpack")
	}
	return s.publish(m)
}

func (s *site) purge(p int, below uint64) {
	stream, err := s.js.Stream(s.t.Context(), subject.LogStream(p))
	if err == nil {
		err = stream.Purge(s.t.Context(), jetstream.WithPurgeSequence(below))
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) rejected(p int) int {
	stream, err := s.js.Stream(s.t.Context(), subject.StreamRejected)
	if err != nil {
		s.t.Fatal(err)
	}
	info, err := stream.Info(s.t.Context(), jetstream.WithSubjectFilter(subject.Rejected(p)))
	if err != nil {
		s.t.Fatal(err)
	}
	return int(info.State.Subjects[subject.Rejected(p)])
}

func (s *site) damage(p int, key rules.UserKey) {
	name := strconv.Itoa(p) + "." + base64.RawURLEncoding.EncodeToString([]byte(key))
	s.publish(&nats.Msg{Subject: "$KV." + subject.BucketSnapshots + "." + name, Data: []byte("damaged")})
}

func (s *site) define(docs ...*rules.Definition) uint64 {
	change, err := s.conn.Definitions().Apply(s.t.Context(), docs, bus.ApplyOptions{PruneMissing: true})
	if err != nil {
		s.t.Fatal(err)
	}
	return change.Revision
}

func (s *site) fixture() *bustest.Fixture {
	return &bustest.Fixture{
		Bus: s.bus, Produce: s.produce, Purge: s.purge, Rejected: s.rejected, Damage: s.damage, Define: s.define, Mark: s.mark,
	}
}

func TestConformance(t *testing.T) {
	bustest.Run(t, func(t *testing.T) *bustest.Fixture { return newSite(t, bustest.Partitions).fixture() })
}

// definition is an audience of those who had the event in this session.
func definition(t testing.TB, key, event string) *rules.Definition {
	t.Helper()
	docs, err := rules.Parse(key+".yaml", fmt.Appendf(nil, "audience: %s\nwhen:\n  event: %s\n", key, event))
	if err != nil {
		t.Fatal(err)
	}
	return docs[0]
}
