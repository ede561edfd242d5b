package usher_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// The limits of CONTRIBUTING.md on length, in lines.
const (
	fileLinesMax     = 700
	functionLinesMax = 70
)

// forbiddenWords say nothing about what a thing does.
func forbiddenWords() []string {
	return []string{"manager", "engine", "handler", "processor", "helper", "util", "common", "service"}
}

// imposedNames are methods that an interface of a library asks for by name.
func imposedNames() []string {
	return []string{"RegisterHandlers"} // protoactor's Mailbox
}

// clockFunctions are those of package time that read or wait for the clock, or
// ask the machine for a time zone.
func clockFunctions() []string {
	return []string{"Local", "LoadLocation", "Now", "Since", "Until", "After", "AfterFunc", "Sleep", "Tick", "NewTimer", "NewTicker"}
}

// TestStyle checks what CONTRIBUTING.md states and a machine can see.
func TestStyle(t *testing.T) {
	for _, s := range tree(t) {
		for _, breach := range slices.Concat(lengthBreaches(s), nameBreaches(s), purityBreaches(s), testBreaches(s)) {
			t.Error(breach)
		}
	}
}

func lengthBreaches(s source) []string {
	var breaches []string
	if s.lines > fileLinesMax {
		breaches = append(breaches, fmt.Sprintf("%s has %d lines, limit %d", s.name, s.lines, fileLinesMax))
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		name := "a function literal"
		switch f := n.(type) {
		case *ast.FuncDecl:
			name = f.Name.Name
		case *ast.FuncLit:
		default:
			return true
		}
		// The doc comment of a declaration is not part of its length.
		start := n.Pos()
		first, last := s.fset.Position(start).Line, s.fset.Position(n.End()).Line
		if lines := last - first + 1; lines > functionLinesMax {
			breaches = append(breaches, fmt.Sprintf("%s:%d: %s has %d lines, limit %d", s.name, first, name, lines, functionLinesMax))
		}
		return true
	})
	return breaches
}

// nameBreaches looks for forbidden words in the names that others read: of
// packages, of files and of what is exported.
func nameBreaches(s source) []string {
	var breaches []string
	note := func(pos token.Pos, name string) {
		for _, word := range words(name) {
			if !slices.Contains(forbiddenWords(), strings.TrimSuffix(word, "s")) || (word == "handler" && speaksHTTP(s)) {
				continue
			}
			breaches = append(breaches, fmt.Sprintf("%s: the name %s contains %q", s.fset.Position(pos), name, word))
		}
	}
	note(s.file.Package, s.file.Name.Name)
	note(s.file.Package, strings.TrimSuffix(path.Base(s.name), ".go"))
	for _, id := range exported(s.file) {
		if slices.Contains(imposedNames(), id.Name) {
			continue
		}
		note(id.Pos(), id.Name)
	}
	return breaches
}

// exported returns the exported names that a file declares: types, fields and
// methods of types, functions, constants and variables.
func exported(file *ast.File) []*ast.Ident {
	var ids []*ast.Ident
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			ids = append(ids, n.Name)
			return false
		case *ast.TypeSpec:
			ids = append(ids, n.Name)
		case *ast.ValueSpec:
			ids = append(ids, n.Names...)
		case *ast.Field:
			ids = append(ids, n.Names...)
		}
		return true
	})
	return slices.DeleteFunc(ids, func(id *ast.Ident) bool { return !id.IsExported() })
}

func speaksHTTP(s source) bool { return slices.Contains(s.imports(), "net/http") }

// words splits a name in camel case, snake case or with dashes, in lower case.
func words(name string) []string {
	var split []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			split = append(split, strings.ToLower(string(word)))
			word = nil
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case r == '_' || r == '-' || r == '.':
			flush()
			continue
		case unicode.IsUpper(r) && i > 0:
			// A capital begins a word after a small letter, and before one: HTTPHandler.
			if !unicode.IsUpper(runes[i-1]) || (i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
				flush()
			}
		}
		word = append(word, r)
	}
	flush()
	return split
}

// purityBreaches looks in pure packages for what no import shows: reading the
// clock, and concurrency.
func purityBreaches(s source) []string {
	if _, ok := pure()[s.dir()]; !ok || s.isTest() {
		return nil
	}
	var breaches []string
	clock, dot := localName(s.file, "time")
	if dot {
		breaches = append(breaches, s.name+" imports time with a dot, so that nobody sees a clock being read")
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		found := ""
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && clock != "" && x.Name == clock && slices.Contains(clockFunctions(), n.Sel.Name) {
				found = "time." + n.Sel.Name
			}
		case *ast.GoStmt:
			found = "a go statement"
		case *ast.ChanType:
			found = "a channel"
		}
		if found != "" {
			breaches = append(breaches, fmt.Sprintf("%s: %s in a pure package", s.fset.Position(n.Pos()), found))
		}
		return true
	})
	return breaches
}

// testBreaches looks in tests for sleeping and for skipping: the first makes
// a test slow or wrong, the second makes it look green.
func testBreaches(s source) []string {
	if !s.isTest() {
		return nil
	}
	var breaches []string
	clock, _ := localName(s.file, "time")
	ast.Inspect(s.file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, _ := sel.X.(*ast.Ident)
		sleeps := sel.Sel.Name == "Sleep" && x != nil && x.Name == clock
		skips := slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name) && x != nil && slices.Contains([]string{"t", "b", "f", "tb"}, x.Name)
		if sleeps || skips {
			breaches = append(breaches, fmt.Sprintf("%s: a test calls %s", s.fset.Position(n.Pos()), sel.Sel.Name))
		}
		return true
	})
	return breaches
}

// localName returns what a file calls an imported package, "" if it does not
// import it, and whether it imports it with a dot.
func localName(file *ast.File, pkg string) (name string, dot bool) {
	for _, spec := range file.Imports {
		if spec.Path.Value != `"`+pkg+`"` {
			continue
		}
		if spec.Name == nil {
			return path.Base(pkg), false
		}
		return spec.Name.Name, spec.Name.Name == "."
	}
	return "", false
}
