package rules

import (
	"fmt"
	"slices"
	"strings"
)

// parserConditionWords are the keys that say which condition a mapping is.
func parserConditionWords() []string {
	return []string{
		"all", "any", "none", "not", "at_least", "event", "page", "screen", "type", "sum", "avg", "min", "max",
		"distinct", "first", "last", "sequence", "trait", "session", "context", "audience", "held", "time", "bucket",
	}
}

// condition reads one condition and counts it.
func (p *parser) condition(n *parserNode) Condition {
	m, ok := p.mapping(n, "a condition")
	if !ok {
		return nil
	}
	p.conditions++
	if p.conditions > ConditionsMax {
		if p.conditions == ConditionsMax+1 {
			p.report(n.Place, fmt.Sprintf("more than %d conditions in one audience", ConditionsMax), "split it into several audiences and refer to them with audience:")
		}
		return nil
	}
	word, ok := p.conditionWord(m)
	if !ok {
		return nil
	}
	if c := p.conditionOf(word, m); c != nil {
		return c
	}
	return nil
}

// conditionWord returns the one condition word of m.
func (p *parser) conditionWord(m parserMapping) (parserField, bool) {
	var found []parserField
	for _, f := range m.fields {
		if slices.Contains(parserConditionWords(), f.name) {
			found = append(found, f)
		}
	}
	switch len(found) {
	case 1:
		return found[0], true
	case 0:
		p.noConditionWord(m)
		return parserField{}, false
	}
	p.report(found[1].Place, fmt.Sprintf("two conditions in one mapping: %q and %q", found[0].name, found[1].name),
		"one condition word per mapping: write all: with a list of two, or any:")
	return parserField{}, false
}

// noConditionWord reports that nothing in m says which condition it is.
func (p *parser) noConditionWord(m parserMapping) {
	if len(m.fields) == 0 {
		p.report(m.Place, "the condition is empty", "write a condition word, such as event: or trait:")
		return
	}
	words := parserConditionWords()
	for _, f := range m.fields {
		if near := diagNearest(f.name, words); near != "" {
			p.unknown(f.Place, "condition word", f.name, words)
			return
		}
	}
	p.report(m.Place, "the mapping has no condition word", "write one of "+strings.Join(words, ", "))
}

// conditionOf reads the condition that word begins.
func (p *parser) conditionOf(word parserField, m parserMapping) Condition {
	switch word.name {
	case "all":
		return &Group{m.Place, All, p.members(word, m)}
	case "any":
		return &Group{m.Place, Any, p.members(word, m)}
	case "none":
		return &Group{m.Place, None, p.members(word, m)}
	case "not":
		p.only(m, "not", []string{"not"})
		return &Not{m.Place, p.condition(word.value)}
	case "at_least":
		return p.atLeast(word, m)
	case "event", "page", "screen", "type":
		return p.count(word, m)
	case "sequence":
		return p.sequence(word, m)
	case "trait", "context":
		return p.valueOf(word, m)
	case "session":
		return p.sessionProperty(word, m)
	case "audience":
		return p.membership(word, m)
	case "held":
		return p.held(word, m)
	case "time":
		return p.timeOfDay(word, m)
	case "bucket":
		return p.bucket(word, m)
	}
	return p.aggregate(word, m)
}

// members reads the list of a group.
func (p *parser) members(word parserField, m parserMapping) []Condition {
	p.only(m, word.name, []string{word.name})
	return p.conditionList(word.value, word.name)
}

func (p *parser) conditionList(n *parserNode, what string) []Condition {
	var of []Condition
	for _, item := range p.list(n, what) {
		if c := p.condition(item); c != nil {
			of = append(of, c)
		}
	}
	return of
}

func (p *parser) atLeast(word parserField, m parserMapping) Condition {
	p.only(m, "at_least", []string{"at_least"})
	inner, ok := p.mapping(word.value, "at_least")
	if !ok {
		return nil
	}
	p.only(inner, "at_least", []string{"n", "of"})
	if !p.needs(inner, "at_least", "n", "of") {
		return nil
	}
	c := &AtLeast{Place: m.Place}
	members := inner.get("of")
	c.Of = p.conditionList(members, "of")
	c.N, _ = p.whole(inner.get("n"), "n of at_least", 1, max(1, len(members.items)))
	return c
}

// valueOf reads a trait or context condition.
func (p *parser) valueOf(word parserField, m parserMapping) Condition {
	c := Comparison{Place: m.Place, Path: p.path(word.value, word.name)}
	scope := operandScope{what: word.name + " " + diagClip(c.Path), value: operandAny}
	p.operatorsOf(&c, m, scope, word.name)
	if word.name == "trait" {
		return &Trait{c}
	}
	return &ContextProperty{c}
}

// sessionProperties is the closed list of what session: may name.
func sessionProperties() []string {
	return []string{
		"events", "pages", "duration", "idle", "number", "id", "entry.page", "entry.referrer",
		"campaign.source", "campaign.medium", "campaign.name", "campaign.term", "campaign.content", "device.type",
	}
}

// sessionOperand is the type of a session's property.
func sessionOperand(name string) operandType {
	switch name {
	case "duration", "idle":
		return operandDuration
	case "events", "pages", "number":
		return operandNumber
	}
	return operandText
}

func (p *parser) sessionProperty(word parserField, m parserMapping) Condition {
	name, ok := p.word(word.value, "session property", sessionProperties()...)
	if !ok {
		return nil
	}
	scope := operandScope{what: "session " + name, value: sessionOperand(name)}
	c := Comparison{Place: m.Place, Path: name}
	p.operatorsOf(&c, m, scope, "session")
	return &SessionProperty{c}
}

func (p *parser) membership(word parserField, m parserMapping) Condition {
	p.only(m, "an audience condition", []string{"audience", "is"})
	c := &Membership{Place: m.Place, Audience: p.audienceKey(word.value, "audience")}
	if is := m.get("is"); is != nil {
		word, _ := p.word(is, "value of is", "member", "not_member")
		c.NotMember = word == "not_member"
	}
	return c
}

func (p *parser) held(word parserField, m parserMapping) Condition {
	p.only(m, "held", []string{"held", "for"})
	if !p.needs(m, "held", "for") {
		return nil
	}
	c := &Held{Place: m.Place, Of: p.condition(word.value)}
	c.For, _ = p.duration(m.get("for"), "for")
	return c
}

func (p *parser) bucket(word parserField, m parserMapping) Condition {
	p.only(m, "a bucket condition", []string{"bucket"})
	inner, ok := p.mapping(word.value, "bucket")
	if !ok {
		return nil
	}
	p.only(inner, "bucket", []string{"percent", "salt"})
	if !p.needs(inner, "bucket", "percent") {
		return nil
	}
	c := &Bucket{Place: m.Place}
	percent := inner.get("percent")
	c.Percent = percent.number
	switch {
	case percent.kind != parserNumber:
		p.wrongKind(percent, "percent", "a number")
	case c.Percent < 0 || c.Percent > 100:
		p.report(percent.Place, fmt.Sprintf("percent must be from 0 to 100, but here is %s", percent.text), "")
	}
	if salt := inner.get("salt"); salt != nil && (salt.kind != parserString || salt.text != "") {
		c.Salt, _ = p.str(salt, "salt")
	}
	return c
}

// weekdays returns the days as time: names them, Monday first.
func weekdays() []string { return []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} }

func (p *parser) timeOfDay(word parserField, m parserMapping) Condition {
	p.only(m, "a time condition", []string{"time"})
	inner, ok := p.mapping(word.value, "time")
	if !ok {
		return nil
	}
	p.only(inner, "time", []string{"hour", "weekday", "tz"})
	c := &TimeOfDay{Place: m.Place}
	if hour := inner.get("hour"); hour != nil {
		c.Hour = p.comparisonOf(hour, operandScope{what: "hour", value: operandHour}).Operators
	}
	if days := inner.get("weekday"); days != nil {
		c.Weekdays = p.weekdayList(days)
	}
	if inner.get("hour") == nil && inner.get("weekday") == nil {
		p.report(inner.Place, "time has neither hour nor weekday", "give it one, such as hour: {gte: 9, lt: 17}")
	}
	if zone := inner.get("tz"); zone != nil {
		c.Zone = p.zone(zone)
	}
	return c
}

func (p *parser) weekdayList(n *parserNode) []string {
	items := []*parserNode{n}
	if n.kind != parserString {
		items = p.list(n, "weekday")
	}
	var days []string
	for _, item := range items {
		word, ok := p.word(item, "weekday", weekdays()...)
		if ok && !slices.Contains(days, word) {
			days = append(days, word)
		}
	}
	return days
}

// zone reads the name of a time zone. Whether the zone exists is for
// [Compile], which has the zones.
func (p *parser) zone(n *parserNode) string {
	name, ok := p.str(n, "tz")
	if !ok {
		return ""
	}
	for _, part := range strings.Split(name, "/") {
		legal := part != "" && part[0] != '-' && strings.TrimLeft(part, parserZoneLetters) == ""
		if !legal || name == "Local" || len(name) > KeyMax {
			p.report(n.Place, fmt.Sprintf("tz %q is not the name of a time zone", diagClip(name)), "write an IANA name, such as Europe/London or UTC")
			return ""
		}
	}
	return name
}

const parserZoneLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-"
