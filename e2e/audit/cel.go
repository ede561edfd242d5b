package audit

import (
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"github.com/usher-audiences/usher/rules"
)

// expressions are the CEL programs that the definitions name, by text. What
// CEL means is left to its library, which is not what is judged; when one is
// asked, and of what, is found out here.
type expressions map[string]cel.Program

func compileExpressions(revisions map[uint64][]rules.Versioned) (expressions, error) {
	object := cel.MapType(cel.StringType, cel.DynType)
	env, err := cel.NewEnv(cel.Variable("properties", object), cel.Variable("context", object), cel.Variable("traits", object),
		cel.Variable("event", cel.StringType), cel.CrossTypeNumericComparisons(true))
	if err != nil {
		return nil, err
	}
	all := make(expressions)
	for _, defs := range revisions {
		for _, d := range defs {
			walk(d.When, func(c rules.Condition) {
				for _, m := range selections(c) {
					if failed := all.compile(env, m.CEL); failed != nil {
						err = fmt.Errorf("audience %s: %q: %w", d.Audience, m.CEL, failed)
					}
				}
			})
		}
	}
	return all, err
}

func (x expressions) compile(env *cel.Env, text string) error {
	if text == "" || x[text] != nil {
		return nil
	}
	checked, issues := env.Compile(text)
	if issues.Err() != nil {
		return issues.Err()
	}
	program, err := env.Program(checked, cel.CostLimit(rules.CELCostMax))
	x[text] = program
	return err
}

// selections are the matches of one condition.
func selections(c rules.Condition) []*rules.Match {
	var out []*rules.Match
	switch c := c.(type) {
	case *rules.Count:
		out = append(out, &c.Match, c.Since)
	case *rules.Aggregate:
		out = append(out, &c.Match, c.Since)
	case *rules.Sequence:
		for i := range c.Steps {
			out = append(out, &c.Steps[i].Match)
		}
	}
	if n := len(out); n > 0 && out[n-1] == nil { // without since
		out = out[:n-1]
	}
	return out
}

// says whether an expression is true of an event; it is asked once.
func (b *body) says(text string) bool {
	known, asked := b.said[text]
	if asked {
		return known
	}
	out, _, err := b.exprs[text].Eval(map[string]any{
		"properties": b.properties, "context": b.context, "traits": b.traits, "event": b.name,
	})
	if b.said == nil {
		b.said = make(map[string]bool)
	}
	b.said[text] = err == nil && out == types.True
	return b.said[text]
}
