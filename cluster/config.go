package cluster

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/usher-audiences/usher/bus/subject"
)

// Config says which cluster a member belongs to. Partitions must be set;
// other zero values mean the defaults.
type Config struct {
	Cluster    string // the cluster's name. Default "usher"
	Name       string // the member's, unique among the members. Default: one made up at each start
	Partitions int    // of the installation
	Source     Source // default Alone

	Logger *slog.Logger // what the library has to say from warnings on. Default: none
}

func (c Config) validate() (Config, error) {
	if c.Partitions < 1 || c.Partitions > subject.PartitionsMax {
		return c, fmt.Errorf("cluster: Config.Partitions is %d, want 1 to %d", c.Partitions, subject.PartitionsMax)
	}
	if len(c.Name) > subject.KeyMax {
		return c, errors.New("cluster: Config.Name is too long")
	}
	if c.Cluster == "" {
		c.Cluster = "usher"
	}
	if c.Source == nil {
		c.Source = Alone{}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}
