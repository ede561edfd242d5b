package generate

import (
	"math/rand/v2"

	"github.com/usher-audiences/usher/rules"
)

// Source draws at random. It is not safe for concurrent use.
type Source struct{ *rand.Rand }

// New returns the source of a seed. Streams of one seed are independent.
func New(seed, stream uint64) *Source {
	return &Source{rand.New(rand.NewPCG(seed, stream))} //nolint:gosec // reproducible on purpose
}

// chance is true in percent of 100 draws.
func (s *Source) chance(percent int) bool { return s.IntN(100) < percent }

func pick[T any](s *Source, from ...T) T { return from[s.IntN(len(from))] }

const (
	second = rules.Millis(1000)
	minute = 60 * second
	hour   = 60 * minute
)

// duration draws one of few durations, so that instants coincide.
func (s *Source) duration() rules.Millis {
	return pick(s, second, 5*second, 30*second, minute, 2*minute, 10*minute, 30*minute, hour, 3*hour)
}

// Gap draws the time between two messages in milliseconds: often one of the
// durations, to the millisecond, or beside it.
func (s *Source) Gap() int64 {
	switch s.IntN(10) {
	case 0:
		return 0
	case 1, 2:
		return int64(s.duration())
	case 3:
		return int64(s.duration()) + int64(s.IntN(3)) - 1
	case 4:
		return int64(s.IntN(int(40 * minute)))
	case 5:
		return 1
	default:
		return int64(s.IntN(int(90 * second)))
	}
}
