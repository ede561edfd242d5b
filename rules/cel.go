package rules

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
)

// celInstructionsMax bounds the program of a regular expression within CEL.
const celInstructionsMax = 10 * PatternMax

// celTest is one distinct CEL expression of a rule set, shared by all
// matchers that name it.
type celTest struct{ program cel.Program }

// holds reports what the expression says of an event; one that fails, or
// becomes too costly, says no.
func (t *celTest) holds(vars *celVars) bool {
	out, _, err := t.program.Eval(vars)
	return err == nil && out == types.True
}

// celCompiler compiles the CEL expressions of one rule set, each text once.
type celCompiler struct {
	env   *cel.Env
	tests map[string]*celTest // nil: refused
}

// test returns the compiled expression, and everything that is wrong with it
// when it is met for the first time.
func (c *celCompiler) test(text string) (*celTest, Diagnostics) {
	if known, ok := c.tests[text]; ok {
		return known, nil
	}
	if c.env == nil {
		c.env, c.tests = newCELEnv(), make(map[string]*celTest)
	}
	t, refused := c.compile(text)
	c.tests[text] = t
	return t, refused
}

func newCELEnv() *cel.Env {
	object := cel.MapType(cel.StringType, cel.DynType)
	env, err := cel.NewEnv(
		cel.CustomTypeAdapter(celAdapter{}),
		cel.Variable("properties", object),
		cel.Variable("context", object),
		cel.Variable("traits", object),
		cel.Variable("event", cel.StringType),
		cel.CrossTypeNumericComparisons(true),
		cel.RegexProgramSizeLimit(celInstructionsMax),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateDurationLiterals()),
	)
	if err != nil {
		panic("rules: the environment of CEL: " + err.Error())
	}
	return env
}

func (c *celCompiler) compile(text string) (*celTest, Diagnostics) {
	checked, issues := c.env.Compile(text)
	if issues.Err() != nil {
		return nil, celDiagnostics(issues)
	}
	if refused := celRefusals(checked.NativeRep().Expr()); refused != nil {
		return nil, refused
	}
	if out := checked.OutputType(); !out.IsExactType(cel.BoolType) {
		return nil, Diagnostics{{
			Message: fmt.Sprintf("where as a CEL expression must be true or false, but this is of type %s", cel.FormatCELType(out)),
			Remedy:  "compare it, as in properties.member == true",
		}}
	}
	if least, err := c.env.EstimateCost(checked, celSizes{}); err != nil || least.Min > CELCostMax {
		return nil, Diagnostics{{Message: fmt.Sprintf("the CEL expression costs at least %d: the limit is %d", least.Min, CELCostMax)}}
	}
	program, err := c.env.Program(checked, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(CELCostMax))
	if err != nil {
		return nil, Diagnostics{{Message: "the CEL expression cannot be evaluated: " + err.Error()}}
	}
	return &celTest{program}, nil
}

// celDiagnostics says what the parser or the type checker of CEL found.
func celDiagnostics(issues *cel.Issues) Diagnostics {
	var out Diagnostics
	for _, e := range issues.Errors() {
		message := strings.ReplaceAll(strings.TrimSuffix(e.Message, " (in container '')"), "\n", " ")
		d := Diagnostic{Message: "where as a CEL expression: " + message}
		if e.Location != nil && e.Location.Line() > 0 {
			d.Message += fmt.Sprintf(", at %d:%d of it", e.Location.Line(), e.Location.Column()+1)
		}
		if strings.HasPrefix(e.Message, "undeclared reference") {
			d.Remedy = "an expression sees properties, context, traits and event"
		}
		out = append(out, d)
	}
	return out
}

// celRefusals returns what CEL knows and an audience must not say: what could
// come out differently elsewhere, and patterns that an event would choose.
func celRefusals(root ast.Expr) Diagnostics {
	var out Diagnostics
	ast.PostOrderVisit(root, ast.NewExprVisitor(func(e ast.Expr) {
		if message := celRefusal(e); message != "" {
			out = append(out, Diagnostic{Message: "where as a CEL expression: " + message})
		}
	}))
	return out
}

func celRefusal(e ast.Expr) string {
	switch e.Kind() {
	case ast.StructKind:
		return "messages such as " + diagClip(e.AsStruct().TypeName()) + " cannot be made"
	case ast.MapKind:
		// Their keys would be visited in an order of chance.
		return "a map cannot be written out: in takes a list"
	case ast.CallKind:
	default:
		return ""
	}
	call := e.AsCall()
	args := call.Args()
	switch name := call.FunctionName(); {
	case name == "matches" && (len(args) == 0 || args[len(args)-1].Kind() != ast.LiteralKind):
		return "the pattern of matches must be written out"
	case strings.HasPrefix(name, "get") && call.IsMemberFunction() && len(args) > 0:
		return name + " takes no time zone here: it is in UTC"
	}
	return ""
}

// celSizes leaves the sizes of an event's values open.
type celSizes struct{}

func (celSizes) EstimateSize(cost.AstNode) *cost.SizeEstimate { return nil }

func (celSizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}
