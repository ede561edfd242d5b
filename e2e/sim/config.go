package sim

import (
	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/e2e/generate"
)

// Config is one run.
type Config struct {
	Seed     uint64
	Language generate.Language
	// Without takes rules of the machine out, to see that each matters.
	Without partition.Rule
	// Loss lets a stream lose its tail, which is judged more weakly.
	Loss  Loss
	Trace bool
}

// Loss says what is lost, once in the run.
type Loss uint8

// What a run may lose.
const (
	LoseNothing Loss = iota
	LoseLogTail
	LoseTransitionsTail
)

// The size of a run.
const (
	partitions   = 3
	nodes        = 3
	ownersMax    = 3 // of one partition at once
	users        = 20
	audiencesMin = 12
	messagesMin  = 300
	faultsMin    = 5
)

// start is when virtual time begins: a Sunday, 09:30 UTC, in Unix
// milliseconds.
const start int64 = 1_789_896_600_000

const millisecond = 1_000_000 // in nanoseconds
