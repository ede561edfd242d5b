package bus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Config says how to reach NATS. The zero value is a server without
// authentication on this machine.
type Config struct {
	URL         string                     // default nats.DefaultURL; several are separated by commas
	InProcess   nats.InProcessConnProvider // takes the place of URL if not nil
	Name        string                     // shown by the server; default "usher"
	Credentials string                     // path of a credentials file
	User        string
	Password    string
	Token       string
	TLS         *tls.Config // nil: as the URL's scheme says
	Logger      *slog.Logger
	// RequestTimeout is after how long an unanswered request is given up,
	// and a write is in doubt. Default 5 s.
	RequestTimeout time.Duration
}

func (c *Config) validate() error {
	if c.URL == "" {
		c.URL = nats.DefaultURL
	}
	if c.Name == "" {
		c.Name = "usher"
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = 5 * time.Second
	}
	if c.RequestTimeout < 0 {
		return fmt.Errorf("request timeout %v: must be positive", c.RequestTimeout)
	}
	return nil
}

// Conn is one connection to NATS. It reconnects by itself, for ever; what was
// on its way when the connection broke is in doubt at once.
type Conn struct {
	cfg Config
	log *slog.Logger
	nc  *nats.Conn
	js  jetstream.JetStream
	req *requests

	gates gates
	mu    sync.Mutex
	pulls map[*pull]struct{} // to be reset when the connection is back
}

// Connect connects. The error says what to do about it.
func Connect(ctx context.Context, cfg Config) (*Conn, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	c := &Conn{cfg: cfg, log: cfg.Logger, gates: newGates(), pulls: make(map[*pull]struct{})}
	nc, err := nats.Connect(cfg.URL, c.options()...)
	if err != nil {
		return nil, connectError(&cfg, err)
	}
	c.nc = nc
	if c.js, err = jetstream.New(nc, jetstream.WithDefaultTimeout(cfg.RequestTimeout)); err != nil {
		nc.Close()
		return nil, fmt.Errorf("connect to %s: %w", cfg.URL, err)
	}
	if c.req, err = newRequests(nc, cfg.RequestTimeout); err != nil {
		nc.Close()
		return nil, fmt.Errorf("connect to %s: %w", cfg.URL, err)
	}
	if _, err := c.js.AccountInfo(ctx); err != nil {
		c.Close()
		return nil, jetStreamError(&cfg, err)
	}
	return c, nil
}

// NATS returns the connection itself, for requests and for subscribers.
func (c *Conn) NATS() *nats.Conn { return c.nc }

// Close closes the connection. Whatever is on its way is given up.
func (c *Conn) Close() {
	c.nc.Close()
	c.req.close()
}

func (c *Conn) options() []nats.Option {
	cfg := &c.cfg
	opts := []nats.Option{
		nats.Name(cfg.Name),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(200 * time.Millisecond),
		// What is published while there is no connection fails at once. A
		// buffer would send it much later, when its answer is no longer
		// waited for.
		nats.ReconnectBufSize(-1),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { c.disconnected(err) }),
		nats.ReconnectHandler(func(*nats.Conn) { c.reconnected() }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			c.log.Error("NATS reports an error", "err", err)
		}),
	}
	if cfg.InProcess != nil {
		opts = append(opts, nats.InProcessServer(cfg.InProcess))
	}
	if cfg.Credentials != "" {
		opts = append(opts, nats.UserCredentials(cfg.Credentials))
	}
	if cfg.User != "" {
		opts = append(opts, nats.UserInfo(cfg.User, cfg.Password))
	}
	if cfg.Token != "" {
		opts = append(opts, nats.Token(cfg.Token))
	}
	if cfg.TLS != nil {
		opts = append(opts, nats.Secure(cfg.TLS))
	}
	return opts
}

func (c *Conn) disconnected(err error) {
	if err == nil { // closed on purpose
		return
	}
	c.log.Warn("connection to NATS lost", "err", err)
	c.req.failAll(nats.ErrDisconnected)
}

func (c *Conn) reconnected() {
	c.log.Info("connected to NATS again", "url", c.nc.ConnectedUrlRedacted())
	c.mu.Lock()
	defer c.mu.Unlock()
	for p := range c.pulls {
		p.fail(nats.ErrDisconnected)
	}
}

func (c *Conn) track(p *pull) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulls[p] = struct{}{}
}

func (c *Conn) untrack(p *pull) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pulls, p)
}

func connectError(cfg *Config, err error) error {
	remedy := "is a server running there? `usher serve` starts one"
	switch {
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired):
		remedy = "check the credentials, the user and password, or the token"
	case errors.Is(err, nats.ErrSecureConnRequired):
		remedy = "the server wants TLS: use a tls:// URL"
	}
	return fmt.Errorf("connect to NATS at %s: %w; %s", cfg.URL, err, remedy)
}

func jetStreamError(cfg *Config, err error) error {
	if errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) ||
		errors.Is(err, nats.ErrNoResponders) {
		return fmt.Errorf("%w on %s; add `jetstream {}` to the server's configuration, and to the account's if it has accounts",
			ErrNoJetStream, cfg.URL)
	}
	return fmt.Errorf("ask %s for its JetStream account: %w", cfg.URL, err)
}
