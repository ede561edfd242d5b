package rules

import (
	"fmt"
	"strings"
)

// definitionKeys are the keys of a document.
func definitionKeys() []string {
	return []string{
		"audience", "name", "description", "when", "everyone", "status", "hold_for", "linger",
		"cooldown", "max_entries", "on_session_end", "backfill", "tests",
	}
}

// definition reads one document.
func (p *parser) definition(n *parserNode) *Definition {
	d := &Definition{Place: n.Place}
	m, ok := p.mapping(n, "a definition")
	if !ok {
		return d
	}
	p.only(m, "a definition", definitionKeys())
	if m.get("audience") == nil {
		p.report(n.Place, "the definition has no key \"audience\"", "begin it with audience: and the key it shall have")
	}
	if m.get("when") == nil {
		p.report(n.Place, "the definition has no key \"when\"", "say who belongs to the audience, for example when: {event: Order Completed}")
	}
	p.conditions = 0
	for _, f := range m.fields {
		p.definitionField(d, f)
	}
	if len(p.diags) == 0 {
		p.checkSize(d)
	}
	return d
}

// definitionField reads one entry of a document into d.
func (p *parser) definitionField(d *Definition, f parserField) {
	switch v := f.value; f.name {
	case "audience":
		d.Audience = p.audienceKey(v, "audience")
	case "name":
		d.Name, _ = p.str(v, "name")
	case "description":
		d.Description, _ = p.str(v, "description")
	case "when":
		d.When = p.condition(v)
	case "everyone":
		d.Everyone = p.boolean(v, "everyone")
	case "status":
		d.Status = p.status(v)
	case "hold_for":
		d.HoldFor, _ = p.span(v, "hold_for")
	case "linger":
		d.Linger, _ = p.span(v, "linger")
	case "cooldown":
		d.Cooldown, _ = p.span(v, "cooldown")
	case "max_entries":
		d.MaxEntries = p.maxEntries(v)
	case "on_session_end":
		if word, _ := p.word(v, "on_session_end", "keep", "exit"); word == "exit" {
			d.OnSessionEnd = ExitOnSessionEnd
		}
	case "backfill":
		d.Backfill, d.BackfillAt = p.backfill(v), f.Place
	case "tests":
		d.Tests = p.tests(v)
	}
}

func (p *parser) status(n *parserNode) Status {
	switch word, _ := p.word(n, "status", "active", "paused", "shadow"); word {
	case "paused":
		return Paused
	case "shadow":
		return Shadow
	}
	return Active
}

func (p *parser) maxEntries(n *parserNode) *MaxEntries {
	m, ok := p.mapping(n, "max_entries")
	if !ok {
		return nil
	}
	p.only(m, "max_entries", []string{"count", "per"})
	if !p.needs(m, "max_entries", "count", "per") {
		return nil
	}
	var e MaxEntries
	e.Count, _ = p.whole(m.get("count"), "count of max_entries", 1, CountMax)
	switch word, _ := p.word(m.get("per"), "value of per", "session", "day", "lifetime"); word {
	case "day":
		e.Per = PerDay
	case "lifetime":
		e.Per = PerLifetime
	}
	return &e
}

func (p *parser) backfill(n *parserNode) Millis {
	m, ok := p.mapping(n, "backfill")
	if !ok {
		return 0
	}
	p.only(m, "backfill", []string{"replay"})
	if !p.needs(m, "backfill", "replay") {
		return 0
	}
	d, _ := p.duration(m.get("replay"), "replay")
	return d
}

// needs reports the names that m lacks.
func (p *parser) needs(m parserMapping, what string, names ...string) bool {
	var missing []string
	for _, name := range names {
		if m.get(name) == nil {
			missing = append(missing, fmt.Sprintf("%q", name))
		}
	}
	if len(missing) > 0 {
		p.report(m.Place, fmt.Sprintf("%s lacks %s", what, strings.Join(missing, " and ")), "")
	}
	return len(missing) == 0
}

// audienceKey reads the key of an audience.
func (p *parser) audienceKey(n *parserNode, what string) AudienceKey {
	key, ok := p.str(n, what)
	if !ok {
		return ""
	}
	if len(key) > KeyMax {
		p.report(n.Place, fmt.Sprintf("%s has %d bytes: the limit is %d", what, len(key), KeyMax), "")
		return ""
	}
	if strings.TrimLeft(key, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		p.report(n.Place, fmt.Sprintf("%s %q is not lower-case letters, digits and dashes", what, diagClip(key)), parserKeyRemedy(key))
		return ""
	}
	return AudienceKey(key)
}

// parserKeyRemedy proposes a legal key like the one given.
func parserKeyRemedy(key string) string {
	legal := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, key)
	if legal = strings.Trim(legal, "-"); legal == "" {
		return ""
	}
	return fmt.Sprintf("write %q", legal)
}

// checkSize refuses a definition that is too large to store. It needs one
// without errors, since others have holes.
func (p *parser) checkSize(d *Definition) {
	if size := len(d.Canonical()); size > DefinitionMax {
		p.report(d.Place, fmt.Sprintf("the definition has %d bytes: the limit is %d", size, DefinitionMax), "shorten its lists or its tests")
	}
}
