package usher_test

import (
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// breach is a file that breaks one rule, or one that comes close.
type breach struct {
	name, file, body string
	want             string // part of the one breach; "" for none
}

// TestBreachesAreFound gives the checks of this package files that break one
// rule each, so that a check that has gone blind is noticed.
func TestBreachesAreFound(t *testing.T) {
	for _, tt := range slices.Concat(importCases(), styleCases()) {
		t.Run(tt.name, func(t *testing.T) {
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, tt.file, "package a\n"+tt.body, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			s := newSource(fset, tt.file, file)
			got := slices.Concat(importBreaches(s), lengthBreaches(s), nameBreaches(s), purityBreaches(s), testBreaches(s))
			switch {
			case tt.want == "" && len(got) != 0:
				t.Errorf("got %q, want no breach", got)
			case tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)):
				t.Errorf("got %q, want one breach with %q", got, tt.want)
			}
		})
	}
}

func importCases() []breach {
	return []breach{
		{"down", "actors/session/a.go", `import _ "` + module + `/rules"`, ""},
		{"up", "rules/a.go", `import _ "` + module + `/actors"`, "points up or sideways"},
		{"sideways", "actors/a.go", `import _ "` + module + `/bus"`, "points up or sideways"},
		{"sideways in a test", "actors/a_test.go", `import _ "` + module + `/bus"`, "points up or sideways"},
		{"the root package", "bus/a.go", `import _ "` + module + `"`, "points up or sideways"},
		{"own package in a test", "bus/a_test.go", `import _ "` + module + `/bus"`, ""},
		{"below bus", "bus/memory/a.go", `import _ "` + module + `/bus/subject"`, ""},
		{"program uses SDK", "cmd/usher/a.go", `import _ "` + module + `"`, ""},
		{"program uses tests", "cmd/usher/a.go", `import _ "` + module + `/e2e/audit"`, "points up or sideways"},
		{"SDK uses adapter", "a.go", `import _ "` + module + `/bus"`, "points up or sideways"},
		{"no row", "helpers/a.go", ``, "has no row"},
		{"actor library in bus", "bus/a.go", `import _ "` + protoactor + `/actor"`, "outside actors and cluster"},
		{"actor library in e2e", "e2e/a_test.go", `import _ "` + protoactor + `/actor"`, "outside actors and cluster"},
		{"actor library in cluster", "cluster/a.go", `import _ "` + protoactor + `/cluster"`, ""},
		{"pure with YAML", "rules/a.go", `import _ "go.yaml.in/yaml/v4"`, ""},
		{"pure with CEL", "rules/a.go", `import _ "cel.dev/cel-go/cel"`, ""},
		{"pure with YAML elsewhere", "actors/session/a.go", `import _ "go.yaml.in/yaml/v4"`, "not allowed to import"},
		{"pure with NATS", "actors/partition/a.go", `import _ "github.com/nats-io/nats.go"`, "not allowed to import"},
		{"pure with files", "rules/a.go", `import _ "os"`, "must not import"},
		{"pure with signals", "rules/a.go", `import _ "os/signal"`, "must not import"},
		{"pure with chance", "rules/a.go", `import _ "math/rand/v2"`, "must not import"},
		{"pure test with files", "rules/a_test.go", `import _ "os"`, ""},
		{"pure test with sockets", "rules/a_test.go", `import _ "net/http"`, "must not import"},
		{"pure test with server", "rules/a_test.go", `import _ "` + natsServer + `/server"`, "not allowed to import"},
		{"subject test with server", "bus/subject/a_test.go", `import _ "` + natsServer + `/server"`, ""},
	}
}

func styleCases() []breach {
	return []breach{
		{"pure with clock", "rules/a.go", `import "time"; func f() { _ = time.Now() }`, "time.Now"},
		{"pure with clock as a value", "rules/a.go", `import "time"; var f = time.Since`, "time.Since"},
		{"pure with the machine's zones", "rules/a.go", `import "time"; func f() { _, _ = time.LoadLocation("Europe/London") }`, "time.LoadLocation"},
		{"pure with renamed clock", "rules/a.go", `import c "time"; func f() { c.Sleep(1) }`, "time.Sleep"},
		{"pure with dotted clock", "rules/a.go", `import . "time"; var D Duration`, "with a dot"},
		{"pure with durations", "rules/a.go", `import "time"; var D = time.Second`, ""},
		{"another Now", "rules/a.go", `var clock struct{ Now func() }; func f() { clock.Now() }`, ""},
		{"pure with goroutine", "rules/a.go", `func f() { go f() }`, "go statement"},
		{"pure with channel", "rules/a.go", `func f(c chan int) {}`, "a channel"},
		{"adapter with clock", "bus/a.go", `import "time"; func f() { _ = time.Now(); go f() }`, ""},
		{"sleeping test", "bus/a_test.go", `import "time"; func f() { time.Sleep(1) }`, "calls Sleep"},
		{"skipping test", "bus/a_test.go", `import "testing"; func Test(t *testing.T) { t.Skip() }`, "calls Skip"},
		{"long file", "bus/a.go", strings.Repeat("// line\n", fileLinesMax), "limit 700"},
		{"long function", "bus/a.go", "func f() {\n" + strings.Repeat("_ = 1\n", functionLinesMax-1) + "}", "f has 71 lines"},
		{"long literal", "bus/a.go", "var f = func() {\n" + strings.Repeat("_ = 1\n", functionLinesMax-1) + "}", "literal has 71 lines"},
		{"70 lines", "bus/a.go", "func f() {\n" + strings.Repeat("_ = 1\n", functionLinesMax-2) + "}", ""},
		{"type name", "bus/a.go", `type SessionManager struct{}`, `"manager"`},
		{"plural", "bus/a.go", `type T struct{ Helpers int }`, `"helpers"`},
		{"method name", "bus/a.go", `func (T) ProcessorOf() {}`, `"processor"`},
		{"file name", "bus/test_util.go", ``, `"util"`},
		{"inside a word", "bus/a.go", `type Commonwealth int; type Engineer int`, ""},
		{"not exported", "bus/a.go", `type engineRoom int`, ""},
		{"handler", "bus/a.go", `type MessageHandler int`, `"handler"`},
		{"HTTP handler", "bus/a.go", `import _ "net/http"; type HTTPHandler int`, ""},
	}
}
