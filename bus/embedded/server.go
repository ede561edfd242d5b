package embedded

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/usher-audiences/usher/bus/subject"
)

var (
	// ErrInUse is returned when another process has the data directory open.
	ErrInUse = errors.New("another process uses this data directory")
	// ErrExposed is returned when the server would listen beyond this machine
	// without authentication and TLS.
	ErrExposed = errors.New("listening beyond this machine needs authentication and TLS")
)

const (
	// syncInterval is how much acknowledged work a power loss can take. A
	// crash of the process takes none: written pages are the kernel's.
	syncInterval = time.Second
	// payloadMax is the largest message: the snapshot of a very busy user.
	// Events are bounded by the rules package, far lower.
	payloadMax = 8 << 20
	// readyMax is how long recovering the streams may take.
	readyMax  = 5 * time.Minute
	readyStep = 200 * time.Millisecond
)

// Config says how to run the server.
type Config struct {
	// Data is the directory that everything is kept in.
	Data string
	// Listen is the address for clients: "127.0.0.1:0" takes a free port.
	// Empty means that only this process can connect.
	Listen string
	// Partitions is the installation's number of partitions. Default 16.
	Partitions int
	// SyncAlways waits for the disk before each acknowledgement.
	SyncAlways bool

	User, Password string
	Token          string
	// TLSCert and TLSKey are paths of PEM files. With TLSCA, clients must
	// show a certificate signed by it.
	TLSCert, TLSKey, TLSCA string

	Logger *slog.Logger
}

func (c *Config) validate() error {
	if c.Data == "" {
		return errors.New("data directory: none given")
	}
	if c.Partitions == 0 {
		c.Partitions = 16
	}
	if c.Partitions < 0 || c.Partitions > subject.PartitionsMax {
		return fmt.Errorf("%d partitions: want 1 to %d", c.Partitions, subject.PartitionsMax)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("TLS needs both a certificate and its key")
	}
	if c.TLSCA != "" && c.TLSCert == "" {
		return errors.New("verifying clients needs TLS: give a certificate and its key too")
	}
	if c.User != "" && c.Password == "" {
		return fmt.Errorf("user %q: no password given", c.User)
	}
	return nil
}

// checkExposure refuses an open door.
func (c *Config) checkExposure(host string) error {
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	if (c.User == "" && c.Token == "") || c.TLSCert == "" {
		return fmt.Errorf("%w: %q is reachable from other machines; give a token or a user and password, and a TLS certificate and key, or listen on 127.0.0.1", ErrExposed, c.Listen)
	}
	return nil
}

// Server is a running server.
type Server struct {
	server *server.Server
	lock   *lock
}

// Start runs a server and waits until it can be used.
func Start(cfg Config) (*Server, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("embedded server: %w", err)
	}
	opts, err := cfg.options()
	if err != nil {
		return nil, fmt.Errorf("embedded server: %w", err)
	}
	if err := os.MkdirAll(cfg.Data, 0o750); err != nil {
		return nil, fmt.Errorf("embedded server: %w", err)
	}
	lock, err := takeLock(filepath.Join(cfg.Data, "usher.lock"))
	if err != nil {
		return nil, fmt.Errorf("embedded server in %s: %w", cfg.Data, err)
	}
	s, err := start(&cfg, opts)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("embedded server in %s: %w", cfg.Data, err), lock.release())
	}
	return &Server{server: s, lock: lock}, nil
}

func start(cfg *Config, opts *server.Options) (*server.Server, error) {
	s, err := server.NewServer(opts)
	if err != nil {
		return nil, err
	}
	log := &logger{log: cfg.Logger, fatal: make(chan string, 1)}
	s.SetLoggerV2(log, false, false, false)
	for _, m := range subject.Mappings(cfg.Partitions) {
		if err := s.GlobalAccount().AddMapping(m.Source, m.Destination); err != nil {
			return nil, fmt.Errorf("map %s to %s: %w", m.Source, m.Destination, err)
		}
	}
	s.Start()
	if err := ready(s, log.fatal); err != nil {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, err
	}
	return s, nil
}

// ready waits until the server can be used or says why it cannot be.
func ready(s *server.Server, fatal <-chan string) error {
	for end := time.Now().Add(readyMax); time.Now().Before(end); {
		if s.ReadyForConnections(readyStep) && s.JetStreamEnabled() {
			return nil
		}
		select {
		case text := <-fatal:
			return errors.New(text)
		default:
		}
	}
	return fmt.Errorf("not ready after %v: is the directory writable? The log says more", readyMax)
}

// ClientURL is where clients connect. It is of no use when Listen was empty.
func (s *Server) ClientURL() string { return s.server.ClientURL() }

// InProcess gives connections that do not use the network.
func (s *Server) InProcess() nats.InProcessConnProvider { return s.server }

// Shutdown stops the server and waits until everything is on disk.
func (s *Server) Shutdown() error {
	s.server.Shutdown()
	s.server.WaitForShutdown()
	return s.lock.release()
}

func (c *Config) options() (*server.Options, error) {
	opts := &server.Options{
		ServerName: "usher", NoSigs: true, NoLog: true, NoSystemAccount: false,
		JetStream: true, StoreDir: c.Data, MaxPayload: payloadMax,
		SyncInterval: syncInterval, SyncAlways: c.SyncAlways,
		Username: c.User, Password: c.Password, Authorization: c.Token,
	}
	if c.Listen == "" {
		opts.DontListen = true
		return opts, nil
	}
	if err := c.listen(opts); err != nil {
		return nil, err
	}
	if c.TLSCert != "" {
		conf, err := c.tls()
		if err != nil {
			return nil, fmt.Errorf("TLS certificate %s with key %s: %w", c.TLSCert, c.TLSKey, err)
		}
		opts.TLS, opts.TLSConfig, opts.TLSVerify = true, conf, c.TLSCA != ""
	}
	return opts, nil
}

func (c *Config) listen(opts *server.Options) error {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("listen address %q: want host:port, such as 127.0.0.1:4222", c.Listen)
	}
	if err := c.checkExposure(host); err != nil {
		return err
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("listen address %q: %q is not a port", c.Listen, port)
	}
	if n == 0 {
		n = server.RANDOM_PORT
	}
	if host == "" {
		host = server.DEFAULT_HOST
	}
	opts.Host, opts.Port = host, n
	return nil
}

func (c *Config) tls() (*tls.Config, error) {
	return server.GenTLSConfig(&server.TLSConfigOpts{
		CertFile: c.TLSCert, KeyFile: c.TLSKey, CaFile: c.TLSCA, Verify: c.TLSCA != "",
	})
}
