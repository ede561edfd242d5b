package audit

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/usher-audiences/usher/rules"
)

// truth computes a condition at now from the key's whole history.
func (k *keyAudit) truth(c rules.Condition, now int64) bool {
	switch c := c.(type) {
	case *rules.Group:
		return k.group(c, now)
	case *rules.Not:
		return !k.truth(c.Of, now)
	case *rules.AtLeast:
		return k.trueOnes(c.Of, now) >= c.N
	case *rules.Count:
		n := len(k.counted(&c.Match, c.Within, c.Since, k.force.from[c], now))
		return holds(float64(n), &rules.Comparison{Operators: c.Count}, now)
	case *rules.Aggregate:
		return k.aggregate(c, now)
	case *rules.Sequence:
		return k.sequence(c, now)
	case *rules.Trait:
		return holds(at(k.traits, c.Path), &c.Comparison, now)
	case *rules.SessionProperty:
		return k.open != nil && holds(k.sessionProperty(c.Path, now), &c.Comparison, now)
	case *rules.ContextProperty:
		return holds(k.latestContext(c), &c.Comparison, now)
	case *rules.Membership:
		return k.audiences[c.Audience].isMember() != c.NotMember
	case *rules.Held:
		return k.held(c, now)
	case *rules.TimeOfDay:
		return timeOfDay(c, now)
	case *rules.Bucket:
		return inBucket(c, k.key)
	}
	panic(fmt.Sprintf("audit: unknown condition %T", c))
}

// trueOnes evaluates every member, so that none misses an evaluation: held
// counts from the evaluation that found the truth.
func (k *keyAudit) trueOnes(cs []rules.Condition, now int64) int {
	n := 0
	for _, c := range cs {
		if k.truth(c, now) {
			n++
		}
	}
	return n
}

func (k *keyAudit) group(g *rules.Group, now int64) bool {
	n := k.trueOnes(g.Of, now)
	switch g.Kind {
	case rules.All:
		return n == len(g.Of)
	case rules.Any:
		return n > 0
	default:
		return n == 0
	}
}

// held follows its member from evaluation to evaluation.
func (k *keyAudit) held(c *rules.Held, now int64) bool {
	id := k.force.identity[c]
	if !k.truth(c.Of, now) {
		delete(k.heldSince, id)
		return false
	}
	since, known := k.heldSince[id]
	if !known {
		since = now
		k.heldSince[id] = now
	}
	return now-since >= int64(c.For)
}

func (k *keyAudit) latestContext(c *rules.ContextProperty) any {
	if len(k.events) == 0 {
		return missing
	}
	latest := k.events[len(k.events)-1]
	if latest.seq <= k.force.read[c.Path] {
		return missing
	}
	return at(latest.context, c.Path)
}

// sessionProperty is a property of the open session.
func (k *keyAudit) sessionProperty(path string, now int64) any {
	v := k.open
	switch path {
	case "events":
		return float64(v.events)
	case "pages":
		return float64(v.pages)
	case "number":
		return float64(v.number)
	case "id":
		return v.id
	case "duration":
		return float64(now - v.start)
	case "idle":
		return float64(now - v.last)
	}
	if !v.recorded[path] {
		return missing
	}
	if rest, isEntry := strings.CutPrefix(path, "entry."); isEntry {
		if v.first.call == rules.Page {
			return entryName(v.first.properties, rest)
		}
		return entryName(at(v.first.context, "page"), rest)
	}
	return at(v.first.context, path) // campaign.*
}

// entryName is entry.page, the path of the page or else its URL, or
// entry.referrer.
func entryName(page any, name string) any {
	if name != "page" {
		return at(page, name)
	}
	if path := at(page, "path"); path != missing {
		return path
	}
	return at(page, "url")
}

func timeOfDay(c *rules.TimeOfDay, now int64) bool {
	t := time.UnixMilli(now).In(zone(c.Zone))
	day := strings.ToLower(t.Weekday().String()[:3])
	if len(c.Weekdays) > 0 && !slices.Contains(c.Weekdays, day) {
		return false
	}
	return holds(float64(t.Hour()), &rules.Comparison{Operators: c.Hour}, now)
}

func zone(name string) *time.Location {
	where, err := rules.Zone(name) // data, not evaluation: the zones are given
	if err != nil {
		panic(fmt.Sprintf("audit: time zone %q: %v", name, err))
	}
	return where
}

// inBucket hashes salt, a slash and the key as sent by 64-bit FNV-1a.
func inBucket(c *rules.Bucket, key rules.UserKey) bool {
	hash := uint64(14695981039346656037)
	for _, b := range []byte(c.Salt + "/" + string(key)) {
		hash = (hash ^ uint64(b)) * 1099511628211
	}
	return hash%10_000 < uint64(math.Round(c.Percent*100))
}
