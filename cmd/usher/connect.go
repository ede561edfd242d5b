package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"github.com/usher-audiences/usher"
	"github.com/usher-audiences/usher/bus"
)

const defaultURL = "nats://127.0.0.1:4222"

// access says which NATS server to talk to, and as whom.
type access struct {
	url      string
	token    string
	user     string
	password string
	tlsCA    string
	tlsCert  string
	tlsKey   string
}

// addClientFlags adds the flags of a command that needs a running
// installation.
func (a *access) addClientFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&a.url, "nats", defaultURL, "`URL` of the NATS server")
	f.StringVar(&a.token, "token", "", "token to authenticate with")
	f.StringVar(&a.user, "user", "", "user to authenticate as")
	f.StringVar(&a.password, "password", "", "password of the user")
	f.StringVar(&a.tlsCA, "tls-ca", "", "`FILE` of the authority that signed the server's certificate")
	f.StringVar(&a.tlsCert, "tls-cert", "", "`FILE` of this client's certificate, if the server asks for one")
	f.StringVar(&a.tlsKey, "tls-key", "", "`FILE` of that certificate's key")
}

// client connects the SDK.
func (a *access) client() (*usher.Client, error) {
	options, err := a.natsOptions()
	if err != nil {
		return nil, err
	}
	c, err := usher.Connect(a.url, usher.WithNATS(options...))
	if err != nil {
		return nil, a.explain(err)
	}
	return c, nil
}

// conn connects without the SDK, for requests that nodes answer.
func (a *access) conn() (*nats.Conn, error) {
	options, err := a.natsOptions()
	if err != nil {
		return nil, err
	}
	nc, err := nats.Connect(a.url, append(options, nats.MaxReconnects(-1))...)
	if err != nil {
		return nil, a.explain(fmt.Errorf("%w at %s: %w", usher.ErrConnect, a.url, err))
	}
	return nc, nil
}

func (a *access) natsOptions() ([]nats.Option, error) {
	options := []nats.Option{nats.Name("usher"), nats.Timeout(5 * time.Second)}
	if a.token != "" {
		options = append(options, nats.Token(a.token))
	}
	if a.user != "" {
		options = append(options, nats.UserInfo(a.user, a.password))
	}
	config, err := a.tlsConfig()
	if err != nil || config == nil {
		return options, err
	}
	return append(options, nats.Secure(config)), nil
}

// tlsConfig returns nil if no flag asks for TLS; a tls:// URL still gets it,
// with the system's authorities.
func (a *access) tlsConfig() (*tls.Config, error) {
	if a.tlsCA == "" && a.tlsCert == "" && a.tlsKey == "" {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.tlsCA != "" {
		pem, err := os.ReadFile(a.tlsCA)
		if err != nil {
			return nil, usagef("--tls-ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, usagef("--tls-ca: %s holds no certificate in PEM form", a.tlsCA)
		}
	}
	if (a.tlsCert == "") != (a.tlsKey == "") {
		return nil, usagef("--tls-cert and --tls-key go together: give both or neither")
	}
	if a.tlsCert != "" {
		pair, err := tls.LoadX509KeyPair(a.tlsCert, a.tlsKey)
		if err != nil {
			return nil, usagef("--tls-cert: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// explain adds the remedy to an error that came of talking to the server.
func (a *access) explain(err error) error {
	var explained *problem
	switch {
	case err == nil, errors.As(err, &explained):
		return err
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired):
		return &problem{err, "the server asks for other credentials: --token, or --user and --password, or the same as USHER_TOKEN ..."}
	case errors.Is(err, usher.ErrNotInstalled), errors.Is(err, bus.ErrNotInstalled):
		return &problem{err, "is `usher serve` running? if so, on which server: --nats or USHER_NATS says where to look (now " + a.url + ")"}
	case errors.Is(err, usher.ErrConnect):
		return &problem{err, "is `usher serve` running? --nats or USHER_NATS says where to look"}
	default:
		return err
	}
}
