package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Sightings tells, of definitions and a recorded log, which conditions no
// recorded message could have satisfied.
type Sightings struct {
	matches []*sighting
	byName  map[sightedName][]*sighting // those that were not seen yet
	names   map[sightedName]int         // events by call and name
	traits  map[string]bool             // top-level traits that were set
	wanted  []*Trait
}

type sightedName struct {
	call CallType
	name string
}

// sighting is one match of a definition.
type sighting struct {
	match *Match
	where []sightedComparison
	named int // events of its call and name
	seen  bool
}

type sightedComparison struct {
	top  string // properties, context or traits
	path []string
	of   comparison
}

// NewSightings returns those of no message at all.
func NewSightings(defs []*Definition) *Sightings {
	s := &Sightings{byName: make(map[sightedName][]*sighting), names: make(map[sightedName]int), traits: make(map[string]bool)}
	for _, d := range defs {
		walkConditions(d.When, func(c Condition) {
			switch c := c.(type) {
			case *Count:
				s.want(&c.Match, c.Since)
			case *Aggregate:
				s.want(&c.Match, c.Since)
			case *Sequence:
				for i := range c.Steps {
					s.want(&c.Steps[i].Match, nil)
				}
			case *Trait:
				s.wanted = append(s.wanted, c)
			}
		})
	}
	return s
}

// want adds a match, and that of a since.
func (s *Sightings) want(m, since *Match) {
	if since != nil {
		s.want(since, nil)
	}
	sg := &sighting{match: m}
	for i := range m.Where {
		plain := m.Where[i]
		plain.Operators = slices.DeleteFunc(slices.Clone(plain.Operators), func(o Operator) bool { return o.Ref != "" })
		of, err := prepareComparison(&plain)
		if err != nil {
			continue
		}
		top, path := "properties", plain.Path
		for _, other := range []string{"context", "traits"} {
			if rest, ok := strings.CutPrefix(path, other+"."); ok {
				top, path = other, rest
			}
		}
		sg.where = append(sg.where, sightedComparison{top, strings.Split(path, "."), of})
	}
	s.matches = append(s.matches, sg)
	names := m.Names
	if len(names) == 0 {
		names = []string{""} // any
	}
	for _, name := range names {
		at := sightedName{m.Call, name}
		s.byName[at] = append(s.byName[at], sg)
	}
}

// Event takes an event that was applied at now.
func (s *Sightings) Event(ev *Event, now int64) {
	s.names[sightedName{ev.Call, ev.Name}]++
	if ev.Call == Identify {
		s.set(ev.Traits)
	}
	var body map[string]any // decoded when it is needed first
	s.among(sightedName{ev.Call, ev.Name}, ev, &body, now)
	if ev.Name != "" {
		s.among(sightedName{ev.Call, ""}, ev, &body, now)
	}
}

// Traits takes a trait update.
func (s *Sightings) Traits(u *TraitUpdate) { s.set(u.Traits) }

func (s *Sightings) set(traits map[string]any) {
	for name := range traits { // marks only; their order does not matter
		s.traits[name] = true
	}
}

func (s *Sightings) among(at sightedName, ev *Event, body *map[string]any, now int64) {
	left := s.byName[at][:0]
	for _, sg := range s.byName[at] {
		sg.named++
		if !sg.seen && len(sg.where) > 0 && *body == nil {
			sc := scanner{s: ev.body}
			*body, _ = sc.plain().(map[string]any)
		}
		if sg.seen = sg.seen || sg.satisfied(*body, now); !sg.seen {
			left = append(left, sg)
		}
	}
	if len(s.byName[at]) > 0 {
		s.byName[at] = left
	}
}

func (sg *sighting) satisfied(body map[string]any, now int64) bool {
	for i := range sg.where {
		w := &sg.where[i]
		v := lookup(body[w.top], w.path)
		if !w.of.holds(&v, now) {
			return false
		}
	}
	return true
}

// Findings returns what no message could have satisfied. Of a CEL expression
// it says nothing.
func (s *Sightings) Findings() Diagnostics {
	var ds Diagnostics
	for _, sg := range s.matches {
		if sg.seen {
			continue
		}
		d := Diagnostic{Place: sg.match.Place}
		if sg.named > 0 {
			d.Message = fmt.Sprintf("none of %d recorded events is %s", sg.named, matchLabel(sg.match))
		} else {
			bare := Match{Call: sg.match.Call, Names: sg.match.Names}
			d.Message = "the log has no event that is " + matchLabel(&bare)
			if len(sg.match.Names) > 0 {
				d.Nearest = diagNearest(sg.match.Names[0], s.namesOf(sg.match.Call))
			}
		}
		ds = append(ds, d)
	}
	for _, t := range s.wanted {
		name, _, _ := strings.Cut(t.Path, ".")
		if s.traits[name] || blankMissing(t.Operators) {
			continue
		}
		d := Diagnostic{Place: t.Place, Message: fmt.Sprintf("no recorded message sets the trait %q", name)}
		d.Nearest = diagNearest(name, slices.Sorted(maps.Keys(s.traits)))
		ds = append(ds, d)
	}
	return checkSorted(ds)
}

func (s *Sightings) namesOf(call CallType) []string {
	var names []string
	for n := range s.names {
		if n.call == call {
			names = append(names, n.name)
		}
	}
	slices.Sort(names)
	return names
}
