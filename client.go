package usher

import (
	"crypto/tls"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// storeTimeout bounds how long a publish is retried when its context has no
// deadline.
const storeTimeout = 30 * time.Second

// Client is a connection to an Usher installation. It is safe for concurrent
// use.
type Client struct {
	nc    *nats.Conn
	js    jetstream.JetStream
	owned bool // the connection is closed with the client
	async *pipeline
}

// Option changes how [Connect] connects.
type Option func(*[]nats.Option)

// WithToken authenticates by a token.
func WithToken(token string) Option {
	return func(o *[]nats.Option) { *o = append(*o, nats.Token(token)) }
}

// WithUser authenticates by user and password.
func WithUser(user, password string) Option {
	return func(o *[]nats.Option) { *o = append(*o, nats.UserInfo(user, password)) }
}

// WithTLS encrypts the connection.
func WithTLS(c *tls.Config) Option {
	return func(o *[]nats.Option) { *o = append(*o, nats.Secure(c)) }
}

// WithNATS passes on options of the NATS client for which there is no
// shorter word here.
func WithNATS(options ...nats.Option) Option {
	return func(o *[]nats.Option) { *o = append(*o, options...) }
}

// Connect connects to the NATS servers at url, which may be a list separated
// by commas. It returns [ErrConnect] if none can be reached now; a connection
// that is lost later is restored for as long as it takes.
func Connect(url string, options ...Option) (*Client, error) {
	opts := []nats.Option{
		nats.Name("usher"), nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond),
		// Without one the library prints on standard error. What matters here
		// is returned by the call that it happens to.
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}),
	}
	for _, o := range options {
		o(&opts)
	}
	nc, err := nats.Connect(url, opts...)
	if err != nil {
		return nil, fmt.Errorf("%w at %s: %w", ErrConnect, url, err)
	}
	c, err := FromConn(nc)
	if err != nil {
		nc.Close()
		return nil, err
	}
	c.owned = true
	return c, nil
}

// FromConn returns a client on a connection of the caller's, which stays the
// caller's to close.
func FromConn(nc *nats.Conn) (*Client, error) {
	js, err := jetstream.New(nc,
		jetstream.WithPublishAsyncMaxPending(2*pendingMax),
		jetstream.WithPublishAsyncTimeout(attemptTimeout))
	if err != nil {
		return nil, fmt.Errorf("jetstream on %s: %w", nc.ConnectedUrl(), err)
	}
	c := &Client{nc: nc, js: js}
	c.async = newPipeline(c)
	return c, nil
}

// Close gives up what PublishAsync has not stored yet (call [Client.Flush]
// first) and closes the connection, unless it was given by FromConn.
func (c *Client) Close() {
	c.async.close()
	if c.owned {
		c.nc.Close()
	}
}
