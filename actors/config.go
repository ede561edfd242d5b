package actors

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/bus/subject"
)

// Config says what a node serves and within which bounds. Bus, Cluster and
// Partitions must be set; other zero values mean the defaults.
type Config struct {
	Bus        Bus
	Cluster    Cluster
	Partitions int // of the installation

	SessionsMax     int            // active sessions of the node; beyond it the least recently used are passivated. Default 100,000
	MailboxMax      int            // log messages waiting in one partition's mailbox. Default 1,024
	Session         session.Config // what the installation fixes for all sessions
	CheckpointEvery time.Duration  // default 5 s

	RestartsMax int           // restarts of one partition within RestartsPer before the node fails. Default 3
	RestartsPer time.Duration // default 10 minutes

	Logger *slog.Logger // default: none
}

func (c Config) validate() (Config, error) {
	switch {
	case c.Bus == nil:
		return c, errors.New("actors: Config.Bus is not set")
	case c.Cluster == nil:
		return c, errors.New("actors: Config.Cluster is not set")
	case c.Partitions < 1 || c.Partitions > subject.PartitionsMax:
		return c, fmt.Errorf("actors: Config.Partitions is %d, want 1 to %d", c.Partitions, subject.PartitionsMax)
	}
	orDefault(&c.SessionsMax, 100_000)
	orDefault(&c.MailboxMax, 1024)
	orDefault(&c.CheckpointEvery, 5*time.Second)
	orDefault(&c.RestartsMax, 3)
	orDefault(&c.RestartsPer, 10*time.Minute)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// orDefault sets a field that is not positive.
func orDefault[T int | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}
