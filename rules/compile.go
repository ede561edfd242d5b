package rules

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
)

// compiler builds one rule set.
type compiler struct {
	rs       *RuleSet
	conds    map[string]*draft // by canonical text
	order    []*draft
	matchers map[string]*matcher
	cel      celCompiler
	zones    zones
	all      []*matcher
	reads    []entryRead
	refused  Diagnostics
}

// draft is a condition before conditions are numbered. Whether a tree names
// it is known by its canonical text; pointers to it become indices at the
// end.
type draft struct {
	condition
	feeds  []*matcher
	resets *matcher
	refers AudienceKey // of a membership
	held   *heldDraft
}

// heldDraft is a held condition: decided like an audience.
type heldDraft struct {
	name string
	tree *tree
	span Millis
}

// tree is a node before conditions are numbered.
type tree struct {
	kind  nodeKind
	need  int
	draft *draft
	kids  []*tree
}

// Compile turns definitions into a rule set. The error is a [Diagnostics]
// that lists every refused definition with its place. Revision 0 without
// definitions is legal.
//
// The time it takes grows with the text of the definitions; the rule set
// keeps the definitions and must be the only one to.
func Compile(revision uint64, defs []Versioned) (*RuleSet, error) {
	defs = slices.Clone(defs)
	slices.SortFunc(defs, func(a, b Versioned) int { return cmp.Compare(a.Audience, b.Audience) })
	plain := make([]*Definition, len(defs))
	for i, d := range defs {
		plain[i] = d.Definition
	}
	if err := CheckSet(plain); err != nil {
		return nil, err
	}
	c := &compiler{
		rs: &RuleSet{
			revision:       revision,
			defs:           make(map[AudienceKey]Versioned, len(defs)),
			decisionByName: make(map[string]decisionIndex, len(defs)),
			paths:          newPathSet(),
		},
		conds:    make(map[string]*draft),
		matchers: make(map[string]*matcher),
	}
	trees := make(map[AudienceKey]*tree, len(defs))
	for _, d := range defs {
		c.rs.defs[d.Audience] = d
		c.rs.keys = append(c.rs.keys, d.Audience)
	}
	for _, d := range defs {
		if d.Backfill > 0 {
			c.refuse(d.BackfillAt, "backfill cannot be evaluated by this version: conditions count from when they are applied on")
		}
		trees[d.Audience] = c.tree(d.When)
	}
	if len(c.refused) > 0 {
		return nil, checkSorted(c.refused)
	}
	c.number()
	if len(c.refused) > 0 {
		return nil, checkSorted(c.refused)
	}
	c.decide(defs, trees)
	c.finish()
	return c.rs, nil
}

func (c *compiler) refuse(at Place, format string, args ...any) {
	c.refused = append(c.refused, Diagnostic{Place: at, Message: fmt.Sprintf(format, args...)})
}

// number gives conditions their numbers, in the order of their ids, and
// values their slots.
func (c *compiler) number() {
	slices.SortFunc(c.order, func(a, b *draft) int { return cmp.Compare(a.id, b.id) })
	c.rs.conds = make([]condition, len(c.order))
	for i, d := range c.order {
		if i > 0 && c.order[i-1].id == d.id {
			// One chance in 2^64 for each pair of conditions.
			c.refuse(Place{}, "two conditions have the same id %x: %s and %s", d.id, c.order[i-1].text, d.text)
		}
		c.rs.conds[i] = d.condition
		for _, m := range d.feeds {
			m.feeds = append(m.feeds, condIndex(i))
		}
		if d.resets != nil {
			d.resets.resets = append(d.resets.resets, condIndex(i))
		}
	}
	c.rs.paths.number()
}

func (c *compiler) finish() {
	c.rs.events = newEventIndex(c.all)
	c.rs.traits = newTraitIndex(c.rs.conds)
	c.rs.session = newSessionIndex(c.rs.conds)
	c.rs.session.reads = c.reads
	for i := range c.rs.conds {
		if l, ok := c.rs.conds[i].leaf.(*contextLeaf); ok {
			l.at, _ = slices.BinarySearchFunc(c.rs.context, l.path, func(p contextPath, path string) int { return cmp.Compare(p.path, path) })
			c.rs.context[l.at].add(condIndex(i), l)
		}
	}
}

// tree compiles a condition and what lies beneath it.
func (c *compiler) tree(cond Condition) *tree {
	switch cond := cond.(type) {
	case *Group:
		t := &tree{kind: atLeastNode, need: 1, kids: c.trees(cond.Of)}
		switch cond.Kind {
		case All:
			t.need = len(cond.Of)
		case None:
			t = &tree{kind: notNode, kids: []*tree{t}}
		}
		return t
	case *Not:
		return &tree{kind: notNode, kids: []*tree{c.tree(cond.Of)}}
	case *AtLeast:
		return &tree{kind: atLeastNode, need: cond.N, kids: c.trees(cond.Of)}
	case *Membership:
		if cond.NotMember {
			member := *cond
			member.NotMember = false
			return &tree{kind: notNode, kids: []*tree{c.leaf(&member)}}
		}
	}
	return c.leaf(cond)
}

func (c *compiler) trees(of []Condition) []*tree {
	out := make([]*tree, len(of))
	for i := range of {
		out[i] = c.tree(of[i])
	}
	return out
}

// leaf compiles a leaf condition, once for all that say the same.
func (c *compiler) leaf(cond Condition) *tree {
	text := CanonicalCondition(cond)
	d := c.conds[text]
	if d == nil {
		d = &draft{condition: condition{id: textID(text), text: text}}
		c.conds[text] = d
		c.order = append(c.order, d)
		c.draft(d, cond)
	}
	return &tree{kind: leafNode, draft: d}
}

func textID(text string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(text))
	return h.Sum64()
}

// draft fills in what a leaf condition is.
func (c *compiler) draft(d *draft, cond Condition) {
	d.label, d.needs = label(cond), needs(cond)
	switch cond := cond.(type) {
	case *Count:
		c.draftCount(d, cond)
	case *Trait:
		compare := c.comparison(&cond.Comparison)
		d.leaf = newTraitLeaf(cond.Path, compare)
	case *Sequence:
		c.draftSequence(d, cond)
	case *Aggregate:
		c.draftAggregate(d, cond)
	case *SessionProperty:
		c.draftSession(d, cond)
	case *ContextProperty:
		d.leaf = &contextLeaf{path: cond.Path, compare: c.comparison(&cond.Comparison)}
		c.readContext(cond.Path)
	case *TimeOfDay:
		clock, err := newClockLeaf(cond, &c.zones)
		if err != nil {
			c.refuse(cond.Place, "time: %v", err)
		}
		d.leaf = clock
	case *Bucket:
		d.leaf = newBucketLeaf(cond)
	case *Membership:
		d.refers = cond.Audience
		d.leaf = &membershipLeaf{audience: cond.Audience}
	case *Held:
		d.held = &heldDraft{name: fmt.Sprintf("held %016x", d.id), tree: c.tree(cond.Of), span: cond.For}
		d.leaf = &heldLeaf{}
	default:
		c.refuse(cond.At(), "%s cannot be evaluated by this version", kindName(cond))
		d.leaf = &heldLeaf{}
	}
}

func kindName(cond Condition) string {
	name := strings.TrimPrefix(fmt.Sprintf("%T", cond), "*rules.")
	return "a condition of kind " + name
}

func (c *compiler) draftCount(d *draft, cond *Count) {
	ops, err := prepareComparison(&Comparison{Operators: cond.Count})
	if err != nil {
		c.refuse(cond.Place, "count: %v", err)
	}
	t := newThreshold(ops)
	if cond.Within.Last > 0 {
		d.leaf = newWindowLeaf(t, cond.Within)
	} else {
		d.leaf = &countLeaf{threshold: t, session: !cond.Within.Lifetime}
	}
	d.feeds = []*matcher{c.matcher(&cond.Match)}
	if cond.Since != nil {
		d.resets = c.matcher(cond.Since)
	}
}

func (c *compiler) draftAggregate(d *draft, cond *Aggregate) {
	compare := c.comparison(&Comparison{Place: cond.Place, Path: string(cond.Kind), Operators: cond.Operators, IgnoreCase: cond.IgnoreCase})
	d.leaf = newAggregateLeaf(cond, c.rs.paths.add(cond.Property), compare)
	d.feeds = []*matcher{c.matcher(&cond.Match)}
	if cond.Since != nil {
		d.resets = c.matcher(cond.Since)
	}
}

func (c *compiler) draftSession(d *draft, cond *SessionProperty) {
	property, ok := sessionPropertyOf(cond.Path)
	if !ok {
		c.refuse(cond.Place, "a session has no property %q", cond.Path)
	}
	d.leaf = newSessionLeaf(property, c.comparison(&cond.Comparison))
	if property < sessionEntry {
		return
	}
	i := int(property - sessionEntry)
	if slices.ContainsFunc(c.reads, func(r entryRead) bool { return r.property == i }) {
		return
	}
	read := entryRead{property: i}
	for _, path := range entryPaths()[i].paths {
		read.nodes = append(read.nodes, c.rs.paths.add(path))
	}
	for _, path := range entryPaths()[i].ofPage {
		read.ofPage = append(read.ofPage, c.rs.paths.add(path))
	}
	if read.ofPage == nil {
		read.ofPage = read.nodes
	}
	c.reads = append(c.reads, read)
}

// readContext wants a path of the context, once, and keeps them sorted.
func (c *compiler) readContext(path string) {
	i, ok := slices.BinarySearchFunc(c.rs.context, path, func(p contextPath, path string) int { return cmp.Compare(p.path, path) })
	if !ok {
		c.rs.context = slices.Insert(c.rs.context, i, contextPath{path: path, node: c.rs.paths.add("context." + path)})
	}
}

func (c *compiler) comparison(from *Comparison) comparison {
	out, err := prepareComparison(from)
	if err != nil {
		c.refuse(from.Place, "%s: %v", from.Path, err)
	}
	return out
}

// matcher compiles a match, once for all that say the same.
func (c *compiler) matcher(m *Match) *matcher {
	text := CanonicalMatch(m)
	if known := c.matchers[text]; known != nil {
		return known
	}
	out := &matcher{call: m.Call}
	for _, name := range m.Names {
		if !slices.Contains(out.names, name) {
			out.names = append(out.names, name)
		}
	}
	for i := range m.Where {
		w := &m.Where[i]
		out.where = append(out.where, slotComparison{path: c.rs.paths.add(w.Path), compare: c.comparison(w)})
	}
	if m.CEL != "" {
		out.cel = c.celTest(m)
	}
	c.matchers[text] = out
	c.all = append(c.all, out)
	return out
}

// celTest compiles the CEL expression of a match.
func (c *compiler) celTest(m *Match) *celTest {
	test, refused := c.cel.test(m.CEL)
	for _, d := range refused {
		d.Place = cmp.Or(m.CELAt, m.Place)
		c.refused = append(c.refused, d)
	}
	return test
}
