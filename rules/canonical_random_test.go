package rules

import (
	"slices"

	"pgregory.net/rapid"
)

// randomDefinition draws definitions that use the whole language, in the form
// in which Parse returns what Canonical wrote: operators and paths sorted.
func randomDefinition(t *rapid.T) *Definition {
	g := definitionDraw{t}
	d := &Definition{
		Audience:     AudienceKey(rapid.StringMatching(`[a-z0-9-]{1,20}`).Draw(t, "audience")),
		Name:         rapid.SampledFrom([]string{"", "A name", "<ü> \"q\" \\ \u2028"}).Draw(t, "name"),
		Description:  rapid.SampledFrom([]string{"", "two\nlines"}).Draw(t, "description"),
		When:         g.condition(3),
		Everyone:     rapid.Bool().Draw(t, "everyone"),
		Status:       Status(rapid.IntRange(0, 2).Draw(t, "status")),
		HoldFor:      g.span(),
		Linger:       g.span(),
		Cooldown:     g.span(),
		OnSessionEnd: SessionEndAction(rapid.IntRange(0, 1).Draw(t, "on_session_end")),
		Backfill:     g.span(),
	}
	if rapid.Bool().Draw(t, "max") {
		d.MaxEntries = &MaxEntries{rapid.IntRange(1, CountMax).Draw(t, "n"), EntryPeriod(rapid.IntRange(0, 2).Draw(t, "per"))}
	}
	if rapid.Bool().Draw(t, "tested") {
		d.Tests = []Test{g.test()}
	}
	return d
}

type definitionDraw struct{ t *rapid.T }

func (g definitionDraw) pick(n int) int { return rapid.IntRange(0, n-1).Draw(g.t, "pick") }
func (g definitionDraw) coin() bool     { return rapid.Bool().Draw(g.t, "coin") }

func (g definitionDraw) duration() Millis {
	return Millis(rapid.Int64Range(1, int64(DurationMax)).Draw(g.t, "duration"))
}

func (g definitionDraw) span() Millis {
	if g.coin() {
		return 0
	}
	return g.duration()
}

func (g definitionDraw) text() string {
	return rapid.SampledFrom([]string{"a", "Order Completed", "10", "true", "null", "2026-01-01", "~", "é", "{x}", "- y", "#"}).Draw(g.t, "text")
}

func (g definitionDraw) names() []string {
	return slices.Compact(slices.Sorted(slices.Values(rapid.SliceOfN(rapid.Custom(func(*rapid.T) string { return g.text() }), 0, 3).Draw(g.t, "names"))))
}

func (g definitionDraw) condition(depth int) Condition {
	if depth > 0 && g.coin() {
		return g.group(depth - 1)
	}
	switch g.pick(10) {
	case 0, 1:
		return &Count{Match: g.match(nil), Count: g.counts(), Within: g.window(), Since: g.since()}
	case 2:
		return g.aggregate()
	case 3:
		return g.sequence()
	case 4:
		return &Trait{g.comparison()}
	case 5:
		return g.session()
	case 6:
		return &ContextProperty{g.comparison()}
	case 7:
		return &Membership{Audience: "other", NotMember: g.coin()}
	case 8:
		return g.timeOfDay()
	}
	return &Bucket{Percent: rapid.Float64Range(0, 100).Draw(g.t, "percent"), Salt: rapid.SampledFrom([]string{"", "s"}).Draw(g.t, "salt")}
}

func (g definitionDraw) timeOfDay() Condition {
	c := &TimeOfDay{Zone: rapid.SampledFrom([]string{"", "UTC", "Europe/London"}).Draw(g.t, "tz"), Weekdays: []string{"tue", "mon"}}
	if g.coin() {
		c.Hour = []Operator{{Op: OpGte, Operand: float64(g.pick(25))}}
	}
	return c
}

func (g definitionDraw) group(depth int) Condition {
	switch g.pick(4) {
	case 0:
		return &Not{Of: g.condition(depth)}
	case 1:
		return &Held{Of: g.condition(depth), For: g.duration()}
	case 2:
		return &AtLeast{N: 1 + g.pick(2), Of: []Condition{g.condition(depth), g.condition(depth)}}
	}
	of := []Condition{g.condition(depth)}
	for g.coin() && len(of) < 4 {
		of = append(of, g.condition(depth))
	}
	return &Group{Kind: GroupKind(g.pick(3)), Of: of}
}

func (g definitionDraw) match(refs []string) Match {
	m := Match{Call: CallType(g.pick(6))}
	if m.Call <= Screen {
		m.Names = g.names()
	}
	if g.pick(4) == 0 {
		m.CEL = "properties.a > 1"
		return m
	}
	for _, path := range []string{"a", "context.page.path", "traits.b.c"} {
		if g.coin() {
			c := g.comparison()
			c.Path = path
			if len(refs) > 0 && g.coin() {
				c.Operators = []Operator{{Op: rapid.SampledFrom([]Op{OpEq, OpLt, OpIncludes}).Draw(g.t, "op"), Ref: refs[g.pick(len(refs))] + ".x.y"}}
			}
			m.Where = append(m.Where, c)
		}
	}
	return m
}

func (g definitionDraw) since() *Match {
	if g.coin() {
		return nil
	}
	m := g.match(nil)
	return &m
}

func (g definitionDraw) window() Window {
	switch g.pick(4) {
	case 0:
		return Window{Lifetime: true}
	case 1:
		return Window{Last: g.duration()}
	case 2:
		return Window{Session: true, Last: g.duration()}
	}
	return Window{Session: true}
}

func (g definitionDraw) counts() []Operator {
	return []Operator{{Op: rapid.SampledFrom([]Op{OpEq, OpGte, OpLt}).Draw(g.t, "op"), Operand: float64(g.pick(CountMax + 1))}}
}

func (g definitionDraw) scalar() any {
	switch g.pick(3) {
	case 0:
		return rapid.Float64().Draw(g.t, "number") + 0
	case 1:
		return g.coin()
	}
	return g.text()
}

func (g definitionDraw) comparison() Comparison {
	c := Comparison{Path: rapid.SampledFrom([]string{"a", "b.c", "Total Spent"}).Draw(g.t, "path"), IgnoreCase: g.coin()}
	for _, o := range []Operator{
		{Op: OpAfter, Operand: "2026-01-31T09:30:00.5+02:00"},
		{Op: OpBetween, Operand: []any{1.5, 2.0}},
		{Op: OpContains, Operand: g.text()},
		{Op: OpEq, Operand: g.scalar()},
		{Op: OpExists, Operand: g.coin()},
		{Op: OpGte, Operand: g.text()},
		{Op: OpIn, Operand: []any{g.scalar(), g.scalar()}},
		{Op: OpMatches, Operand: `^a\d+$`},
		{Op: OpMoreThanAgo, Operand: g.duration()},
	} {
		if g.pick(4) == 0 {
			c.Operators = append(c.Operators, o)
		}
	}
	if len(c.Operators) == 0 {
		c.Operators = []Operator{{Op: OpNeq, Operand: g.scalar()}}
	}
	return c
}

func (g definitionDraw) aggregate() Condition {
	kind := rapid.SampledFrom([]AggregateKind{Sum, Avg, Min, Max, Distinct}).Draw(g.t, "kind")
	return &Aggregate{Kind: kind, Property: "price", Match: g.match(nil), Within: g.window(), Since: g.since(), Operators: g.counts()}
}

func (g definitionDraw) session() Condition {
	if g.coin() {
		return &SessionProperty{Comparison{Path: "idle", Operators: []Operator{{Op: OpGt, Operand: g.span()}, {Op: OpIn, Operand: []any{g.span()}}}}}
	}
	return &SessionProperty{Comparison{Path: "campaign.source", IgnoreCase: true, Operators: []Operator{{Op: OpEq, Operand: g.text()}}}}
}

func (g definitionDraw) sequence() Condition {
	c := &Sequence{Within: rapid.SampledFrom([]Window{{Session: true}, {Lifetime: true}, {Last: 60_000}}).Draw(g.t, "within"), Lasts: g.span()}
	var refs []string
	for i := range 1 + g.pick(3) {
		s := Step{Match: g.match(refs)}
		if i > 0 {
			s.Within = g.span()
		}
		if g.coin() {
			s.As = string(rune('p' + i))
			refs = append(refs, s.As)
		}
		c.Steps = append(c.Steps, s)
	}
	if g.coin() {
		c.Steps = append(c.Steps, Step{Match: g.match(refs), Absent: true, For: 59_999})
	}
	return c
}

func (g definitionDraw) test() Test {
	t := Test{Name: "t", Start: rapid.Int64Range(0, 4e12).Draw(g.t, "start"), Traits: map[string]any{"a": map[string]any{"b": []any{1.0, nil, "x"}}}}
	t.Timeline = []TestInput{
		{At: 0, Call: "track", Name: g.text(), Event: map[string]any{"properties": map[string]any{"p": g.scalar()}, "timestamp": "x"}},
		{At: 1, Call: "page", Event: map[string]any{}},
		{At: 1, Call: "traits", Event: map[string]any{"traits": map[string]any{"gone": nil}}},
		{At: g.duration(), Call: "identify", Event: map[string]any{"traits": map[string]any{}}},
	}
	t.Expect = []TestExpectation{{At: g.span(), Entered: g.coin()}}
	return t
}
