package main

import (
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-audiences/usher/bus"
	"github.com/usher-audiences/usher/bus/embedded"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

type serveFlags struct {
	access
	listen      string
	http        string
	data        string
	partitions  int
	sessionsMax int
	audiences   string
	prune       bool
	logFormat   string
	sync        string
	keep        time.Duration
	forgetExits time.Duration
	idle        time.Duration

	// Whether they were given, and so are to be what the installation has.
	external, partitionsGiven, idleGiven bool
}

func (s *serveFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.url, "nats", "", "`URL` of an external NATS server to use instead of the embedded one")
	f.StringVar(&s.listen, "listen", "127.0.0.1:4222", "`ADDRESS` at which the embedded server takes clients; port 0 is any free one")
	f.StringVar(&s.http, "http", "127.0.0.1:8080", "`ADDRESS` of /healthz, /readyz and /metrics; empty is none")
	f.StringVar(&s.data, "data", "./usher-data", "`DIR` in which the embedded server keeps everything")
	f.IntVar(&s.partitions, "partitions", 16, "partitions of a new installation; fixed once it exists")
	f.IntVar(&s.sessionsMax, "sessions-max", 100_000, "sessions kept in memory; beyond it the least recently used are passivated")
	f.StringVar(&s.audiences, "audiences", "", "apply the definitions in `DIR` at start")
	f.BoolVar(&s.prune, "prune", false, "with --audiences: delete the audiences that DIR does not mention")
	f.StringVar(&s.logFormat, "log-format", "text", "text or json")
	f.StringVar(&s.token, "token", "", "token that clients must show")
	f.StringVar(&s.user, "user", "", "user that clients must be")
	f.StringVar(&s.password, "password", "", "password of the user")
	f.StringVar(&s.tlsCert, "tls-cert", "", "`FILE` of the server's certificate")
	f.StringVar(&s.tlsKey, "tls-key", "", "`FILE` of the certificate's key")
	f.StringVar(&s.tlsCA, "tls-ca", "", "`FILE` of the authority whose certificates clients must show")
	f.StringVar(&s.sync, "sync", "interval", "always: acknowledge only what is on the disk; interval: a power loss may cost the last second")
	f.DurationVar(&s.keep, "keep", 72*time.Hour, "how long events stay in the logs")
	f.DurationVar(&s.forgetExits, "forget-exits", 90*24*time.Hour, "how long after it an exit is forgotten")
	f.DurationVar(&s.idle, "idle", 30*time.Minute, "how long without activity ends a session; given for a new installation")
}

// check refuses what cannot be meant, before anything is started.
func (s *serveFlags) check(cmd *cobra.Command) error {
	f := cmd.Flags()
	s.external = s.url != ""
	s.partitionsGiven, s.idleGiven = f.Changed("partitions"), f.Changed("idle")
	switch {
	case s.partitions < 1 || s.partitions > subject.PartitionsMax:
		return usagef("--partitions %d: want 1 to %d", s.partitions, subject.PartitionsMax)
	case s.sessionsMax < 1:
		return usagef("--sessions-max %d: want at least 1", s.sessionsMax)
	case s.sync != "always" && s.sync != "interval":
		return usagef("--sync %q: want always or interval", s.sync)
	case s.logFormat != "text" && s.logFormat != "json":
		return usagef("--log-format %q: want text or json", s.logFormat)
	case s.idle < time.Millisecond:
		return usagef("--idle %v: want at least 1ms", s.idle)
	case s.keep < time.Minute:
		return usagef("--keep %v: want at least 1m", s.keep)
	case s.forgetExits < s.keep+48*time.Hour:
		return usagef("--forget-exits %v: want at least two days longer than --keep %v, so that no replay meets a forgotten exit", s.forgetExits, s.keep)
	case s.prune && s.audiences == "":
		return usagef("--prune says what to do with audiences that --audiences DIR does not mention: give that too")
	case s.user != "" && s.password == "":
		return usagef("--user %s needs --password", s.user)
	case s.external && (f.Changed("listen") || f.Changed("data") || f.Changed("sync")):
		return usagef("--listen, --data and --sync are the embedded server's; with --nats there is none")
	case s.external:
		return nil
	default:
		return s.checkListen()
	}
}

// checkListen refuses a door that is open to the network.
func (s *serveFlags) checkListen() error {
	host, _, err := net.SplitHostPort(s.listen)
	if err != nil {
		return usagef("--listen %q: want HOST:PORT, such as 127.0.0.1:4222", s.listen)
	}
	if (s.tlsCert == "") != (s.tlsKey == "") {
		return usagef("--tls-cert and --tls-key go together: give both or neither")
	}
	if isLoopback(host) {
		return nil
	}
	var missing []string
	if s.token == "" && s.user == "" {
		missing = append(missing, "--token, or --user and --password")
	}
	if s.tlsCert == "" {
		missing = append(missing, "--tls-cert and --tls-key")
	}
	if len(missing) > 0 {
		return usagef("--listen %s can be reached from other machines; give %s, or listen on 127.0.0.1",
			s.listen, strings.Join(missing, ", and "))
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (s *serveFlags) nodeConfig(log *slog.Logger) (nodeConfig, error) {
	cfg := nodeConfig{sessionsMax: s.sessionsMax, log: log, retention: bus.Retention{Keep: s.keep, ForgetExits: s.forgetExits}}
	if s.partitionsGiven {
		cfg.installation.Partitions = s.partitions
	}
	if s.idleGiven {
		cfg.installation.Idle = rules.Millis(s.idle.Milliseconds())
	}
	if !s.external {
		cfg.server = embedded.Config{
			Data: s.data, Listen: s.listen, Partitions: s.partitions, SyncAlways: s.sync == "always",
			User: s.user, Password: s.password, Token: s.token,
			TLSCert: s.tlsCert, TLSKey: s.tlsKey, TLSCA: s.tlsCA, Logger: log,
		}
		return cfg, nil
	}
	external, err := s.busConfig()
	cfg.external = &external
	cfg.external.Logger = log
	return cfg, err
}

// busConfig is how to reach the server without the SDK.
func (a *access) busConfig() (bus.Config, error) {
	tls, err := a.tlsConfig()
	return bus.Config{URL: a.url, User: a.user, Password: a.password, Token: a.token, TLS: tls}, err
}
