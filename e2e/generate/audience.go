package generate

import (
	"fmt"
	"slices"

	"github.com/usher-audiences/usher/rules"
)

// Audiences is a set of definitions as it changes from revision to revision.
type Audiences struct {
	drawer
	revision uint64
	current  []rules.Versioned
	versions map[rules.AudienceKey]uint64
	drawn    int
	deleted  []rules.AudienceKey
}

// Audiences returns a set that is still empty. Start is about when the
// traffic will begin, Unix milliseconds.
func (s *Source) Audiences(language Language, start int64) *Audiences {
	return &Audiences{
		drawer:   drawer{Source: s, language: language, start: start},
		versions: make(map[rules.AudienceKey]uint64),
	}
}

// Grow draws n more audiences and returns the next revision.
func (a *Audiences) Grow(n int) (revision uint64, defs []rules.Versioned) {
	a.current = slices.Clone(a.current)
	for range n {
		a.drawn++
		a.put(a.definition(rules.AudienceKey(fmt.Sprintf("a%02d", a.drawn*7%100))))
	}
	return a.publish()
}

// Change changes, adds and deletes some and returns the next revision.
func (a *Audiences) Change() (revision uint64, defs []rules.Versioned) {
	a.current = slices.Clone(a.current)
	for i, v := range a.current {
		changed := *v.Definition
		switch a.IntN(12) {
		case 0:
			a.lifecycle(&changed)
		case 1:
			changed.When = a.draw(changed.Audience)
		case 2:
			changed.When = &rules.Group{Kind: pick(a.Source, rules.All, rules.Any), Of: []rules.Condition{changed.When, a.draw(changed.Audience)}}
		case 3:
			changed.Status = pick(a.Source, rules.Active, rules.Paused, rules.Shadow)
		default:
			continue
		}
		a.finish(&changed)
		a.current[i] = a.version(&changed)
	}
	if a.chance(50) && len(a.current) > 1 {
		a.remove(a.current[a.IntN(len(a.current))].Audience)
	}
	if n := len(a.deleted); n > 0 && a.chance(40) {
		a.put(a.definition(a.deleted[a.IntN(n)])) // defined again
	} else {
		a.drawn++
		a.put(a.definition(rules.AudienceKey(fmt.Sprintf("a%02d", a.drawn*7%100))))
	}
	return a.publish()
}

// remove deletes an audience unless another refers to it.
func (a *Audiences) remove(key rules.AudienceKey) {
	for _, v := range a.current {
		if slices.Contains(referred(v.When), key) {
			return
		}
	}
	a.deleted = append(a.deleted, key)
	a.current = slices.DeleteFunc(a.current, func(v rules.Versioned) bool { return v.Audience == key })
}

func (a *Audiences) put(d *rules.Definition) {
	i, exists := slices.BinarySearchFunc(a.current, d.Audience, func(v rules.Versioned, key rules.AudienceKey) int {
		return compareKeys(v.Audience, key)
	})
	if exists {
		a.current[i] = a.version(d)
		return
	}
	a.current = slices.Insert(a.current, i, a.version(d))
}

func compareKeys(a, b rules.AudienceKey) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (a *Audiences) version(d *rules.Definition) rules.Versioned {
	a.versions[d.Audience]++
	return rules.Versioned{Definition: d, Version: a.versions[d.Audience]}
}

func (a *Audiences) publish() (uint64, []rules.Versioned) {
	a.revision++
	a.settle()
	return a.revision, slices.Clone(a.current)
}

// settle says everyone where it is needed. An audience that refers to another
// depends on what that one says, so it goes over them until nothing changes.
func (a *Audiences) settle() {
	for again := true; again; {
		again = false
		everyone := make(map[rules.AudienceKey]bool)
		for _, v := range a.current {
			everyone[v.Audience] = v.Everyone
		}
		for i, v := range a.current {
			if canBe, _ := withoutData(v.When, everyone); canBe && !v.Everyone {
				d := *v.Definition
				d.Everyone = true
				a.current[i].Definition = &d
				again = true
			}
		}
	}
}

// definition draws an audience.
func (a *Audiences) definition(key rules.AudienceKey) *rules.Definition {
	d := &rules.Definition{Audience: key, When: a.draw(key)}
	a.lifecycle(d)
	if a.chance(12) {
		d.Status = pick(a.Source, rules.Paused, rules.Shadow)
	}
	a.finish(d)
	return d
}

// draw draws a condition that refers to smaller keys only, so that there is
// no circle.
func (a *Audiences) draw(key rules.AudienceKey) rules.Condition {
	a.others = nil
	for _, v := range a.current {
		if v.Audience < key {
			a.others = append(a.others, v.Audience)
		}
	}
	return a.condition(2)
}

func (a *Audiences) finish(d *rules.Definition) {
	canBe, _ := withoutData(d.When, nil)
	d.Everyone = canBe || d.Everyone && a.chance(50)
}

func (a *Audiences) lifecycle(d *rules.Definition) {
	d.HoldFor, d.Linger, d.Cooldown, d.MaxEntries, d.OnSessionEnd = 0, 0, 0, nil, rules.KeepOnSessionEnd
	if a.chance(20) {
		d.HoldFor = a.duration()
	}
	if a.chance(25) {
		d.Linger = a.duration()
	}
	if a.chance(20) {
		d.Cooldown = a.duration()
	}
	if a.chance(20) {
		d.MaxEntries = &rules.MaxEntries{Count: 1 + a.IntN(2), Per: pick(a.Source, rules.PerSession, rules.PerDay, rules.PerLifetime)}
	}
	if a.chance(20) {
		d.OnSessionEnd = rules.ExitOnSessionEnd
	}
}

func referred(c rules.Condition) []rules.AudienceKey {
	var out []rules.AudienceKey
	if m, is := c.(*rules.Membership); is {
		out = append(out, m.Audience)
	}
	for _, member := range below(c) {
		out = append(out, referred(member)...)
	}
	return out
}

func below(c rules.Condition) []rules.Condition {
	switch c := c.(type) {
	case *rules.Group:
		return c.Of
	case *rules.AtLeast:
		return c.Of
	case *rules.Not:
		return []rules.Condition{c.Of}
	case *rules.Held:
		return []rules.Condition{c.Of}
	}
	return nil
}
