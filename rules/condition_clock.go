package rules

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"time"
)

// clockLeaf is true at certain hours and weekdays in a time zone. It keeps
// nothing; a decision over it keeps when to look again.
type clockLeaf struct {
	hours comparison
	days  [7]bool // by time.Weekday
	zone  *time.Location
}

func newClockLeaf(c *TimeOfDay, z *zones) (*clockLeaf, error) {
	l := &clockLeaf{}
	var err error
	if l.zone, err = z.load(c.Zone); err != nil {
		return l, err
	}
	for d := range l.days {
		name := strings.ToLower(time.Weekday(d).String()[:3])
		l.days[d] = len(c.Weekdays) == 0 || slices.Contains(c.Weekdays, name)
	}
	l.hours, err = prepareComparison(&Comparison{Operators: c.Hour})
	return l, err
}

func (l *clockLeaf) timed() bool { return true }

func (l *clockLeaf) holds(e *Evaluator, _ condIndex) bool { return l.at(e.now) }

func (l *clockLeaf) at(now int64) bool {
	t := time.UnixMilli(now).In(l.zone)
	hour := valueOf(t.Hour())
	return l.days[t.Weekday()] && l.hours.holds(&hour, 0)
}

// changes steps from one full hour, or change of the zone's offset, to the
// next. Within nine days every hour of every weekday has come by; a truth
// that lasts longer is looked at again then.
func (l *clockLeaf) changes(e *Evaluator, _ condIndex) int64 {
	now := l.at(e.now)
	at := e.now
	for range 9 * 24 {
		at = l.nextHour(at)
		if l.at(at) != now {
			return at
		}
	}
	return at
}

func (l *clockLeaf) nextHour(at int64) int64 {
	const hour = 60 * 60 * 1000
	t := time.UnixMilli(at).In(l.zone)
	_, offset := t.Zone()
	local := at + int64(offset)*1000
	next := at + hour - local%hour
	if _, end := t.ZoneBounds(); !end.IsZero() {
		next = min(next, end.UnixMilli())
	}
	return next
}

func (l *clockLeaf) observed(e *Evaluator, _ condIndex) observation {
	return observation{value: time.UnixMilli(e.now).In(l.zone).Format("Mon 15:04")}
}

// bucketLeaf is true for a share of all keys: those whose FNV-1a 64 hash with
// the salt, modulo 10,000, lies below the limit. It never changes.
type bucketLeaf struct {
	salt  string
	limit uint64
}

func newBucketLeaf(c *Bucket) *bucketLeaf {
	return &bucketLeaf{salt: c.Salt, limit: uint64(math.Round(c.Percent * 100))}
}

func (l *bucketLeaf) bucket(key UserKey) uint64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s/%s", l.salt, key)
	return h.Sum64() % 10_000
}

func (l *bucketLeaf) holds(e *Evaluator, _ condIndex) bool { return l.bucket(e.key) < l.limit }

func (l *bucketLeaf) changes(*Evaluator, condIndex) int64 { return Never }

func (l *bucketLeaf) observed(e *Evaluator, _ condIndex) observation {
	return observation{value: l.bucket(e.key)}
}
