package partition

import (
	"fmt"

	"github.com/usher-audiences/usher/rules"
)

// Config says which partition a [Machine] owns and bounds what it holds. Zero
// values mean the defaults.
type Config struct {
	Partition  int
	Partitions int // of the installation

	SessionsMax int          // active sessions; beyond it the least recently used are passivated. Default 100,000
	UndoneMax   int          // messages read and not done, and inputs held; at it reading pauses. Default 8,192
	SavesMax    int          // sessions being saved to be passivated at once. Default 512
	RoundMax    int          // sessions being saved at once by a checkpoint round, so that events do not queue behind it. Default 4
	LoadsMax    int          // snapshots being loaded at once for a change of rules. Default 512
	TickEvery   rules.Millis // least time between two ticks. Default 5 ms

	// Without takes rules of section 8 out. Only the simulation sets it, to
	// see that each of them matters.
	Without Rule
}

func (c Config) validate() Config {
	if c.Partitions < 1 || c.Partition < 0 || c.Partition >= c.Partitions {
		panic(fmt.Sprintf("partition: %d of %d partitions", c.Partition, c.Partitions))
	}
	for _, d := range []struct {
		field *int
		value int
	}{
		{&c.SessionsMax, 100_000},
		{&c.UndoneMax, 8_192},
		{&c.SavesMax, 512},
		{&c.RoundMax, 4},
		{&c.LoadsMax, 512},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	if c.TickEvery <= 0 {
		c.TickEvery = 5
	}
	return c
}

// Rule is a set of the rules of section 8 of docs/architecture.md.
type Rule uint16

// The rules that a machine can be run without, by their numbers there. Each
// says what a machine without it does instead.
const (
	// RulePosition (1): a deadline is stamped with the message that noticed it.
	RulePosition Rule = 1 << iota
	// RuleRegister (2): a refused publish counts as done and the register is
	// adopted.
	RuleRegister
	// RuleReread (3): a publish in doubt counts as stored.
	RuleReread
	// RuleQuiet (4): a session is saved while transitions are unacknowledged.
	RuleQuiet
	// RuleLater (5): a refused snapshot overwrites the stored one.
	RuleLater
	// RuleDone (6): the checkpoint holds what was read, not what is done.
	RuleDone
	// RuleTakeover (7): reading begins without the scan for deadlines.
	RuleTakeover
	// RuleLogTime (8): inputs carry the raw timestamp, which can go backwards.
	RuleLogTime
	// RuleCursor (9): a cursor that does not match is not noticed.
	RuleCursor
	// RuleTransitionsTail (10): a lost tail of the transitions is not noticed.
	RuleTransitionsTail
	// RuleRevision (12): any revision read from the log is put in force.
	RuleRevision
)
