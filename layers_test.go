package usher_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/usher-audiences/usher"

// layers maps each package to the in-module packages that it and its tests
// may import: an arrow may only point down. A package without a row fails
// the test. "x/*" stands for every package below x; "*" for every package but
// those of a higher layer, cmd and e2e. A package's tests may always import
// the package itself.
func layers() map[string][]string {
	return map[string][]string{
		// 1, pure leaves
		"rules":             {},
		"bus/subject":       {},
		"cluster/placement": {},
		// 2, pure state machines
		"actors/session":   {"rules"},
		"actors/partition": {"rules", "bus/subject"},
		// 2 as well, but above it: sessions over a recorded log
		"actors/dryrun": {"rules", "actors/session"},
		// 3, adapters
		"actors":  {"rules", "actors/session", "actors/partition", "bus/subject", "cluster/placement"},
		"bus":     {"rules", "actors/partition", "bus/subject", "bus/*"},
		"bus/*":   {"rules", "actors/partition", "bus/subject", "bus/*"},
		"cluster": {"rules", "bus/subject", "cluster/placement"},
		// 4, the SDK
		".": {"rules", "bus/subject"},
		// 5, the program
		"cmd/usher":   {"*", "cmd/usher/*"},
		"cmd/usher/*": {"*", "cmd/usher/*"},
		// 6, tests from outside
		"e2e":   {"*", "cmd/usher", "cmd/usher/*", "e2e/*"},
		"e2e/*": {"*", "cmd/usher", "cmd/usher/*", "e2e/*"},
	}
}

// pure maps each pure package to the third-party modules it may import.
func pure() map[string][]string {
	const msgpack = "github.com/vmihailenco/msgpack/v5"
	return map[string][]string{
		"rules":             {"go.yaml.in/yaml/v4", "cel.dev/cel-go", "github.com/go-json-experiment/json", msgpack},
		"bus/subject":       {},
		"cluster/placement": {},
		"actors/session":    {msgpack},
		"actors/partition":  {msgpack},
		"actors/dryrun":     {},
	}
}

// bannedInPure lists the standard packages that do I/O, read a clock or a
// random source, or exist for concurrency. Packages below them are banned too.
func bannedInPure() []string {
	return []string{"context", "crypto/rand", "hash/maphash", "io/fs", "log", "math/rand", "net", "os", "sync", "syscall"}
}

// Third-party modules that stop at a wall.
const (
	protoactor = "github.com/asynkron/protoactor-go"
	natsServer = "github.com/nats-io/nats-server/v2"
)

// source is one Go file of the tree, or one that a test made up.
type source struct {
	name  string // slash-separated, relative to the repository's root
	fset  *token.FileSet
	file  *ast.File
	lines int
}

func (s source) dir() string  { return path.Dir(s.name) }
func (s source) isTest() bool { return strings.HasSuffix(s.name, "_test.go") }

// imports returns the import paths of the file.
func (s source) imports() []string {
	var paths []string
	for _, spec := range s.file.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

// TestLayers holds the walls for every Go file, whatever its build tags.
func TestLayers(t *testing.T) {
	for _, s := range tree(t) {
		for _, breach := range importBreaches(s) {
			t.Error(breach)
		}
	}
}

// TestSDKDependencies keeps the server and the actor library out of every
// program that imports the SDK.
func TestSDKDependencies(t *testing.T) {
	deps := goListDeps(t, module)
	if !slices.Contains(deps, "github.com/nats-io/nats.go") {
		t.Errorf("%s does not depend on nats.go: is this the SDK?", module)
	}
	for _, dep := range deps {
		if within(dep, natsServer) || within(dep, protoactor) {
			t.Errorf("%s depends on %s", module, dep)
		}
	}
}

// importBreaches returns a sentence for every import that crosses a wall.
func importBreaches(s source) []string {
	allowed, ok := allowedImports(s.dir())
	if !ok {
		return []string{s.name + ": its package has no row in the layer table"}
	}
	var breaches []string
	for _, imp := range s.imports() {
		if word := importBreach(s, imp, allowed); word != "" {
			breaches = append(breaches, s.name+" "+word+" "+imp)
		}
	}
	return breaches
}

func importBreach(s source, imp string, allowed []string) string {
	switch {
	case within(imp, module):
		dep := strings.TrimPrefix(strings.TrimPrefix(imp, module), "/")
		if dep == "" {
			dep = "."
		}
		if (s.isTest() && dep == s.dir()) || permits(allowed, dep) {
			return ""
		}
		return "points up or sideways:"
	case within(imp, protoactor):
		if s.dir() != "actors" && s.dir() != "cluster" {
			return "is outside actors and cluster and imports"
		}
		return ""
	default:
		return pureBreach(s, imp)
	}
}

// pureBreach applies the rules of pure packages to an import from outside the
// module. A test of a pure package may read files and use test libraries; the
// partition test of bus/subject also asks nats-server itself.
func pureBreach(s source, imp string) string {
	thirdParty, ok := pure()[s.dir()]
	if !ok {
		return ""
	}
	banned := bannedInPure()
	if s.isTest() {
		banned = []string{"crypto/rand", "net"}
		thirdParty = append(thirdParty, "pgregory.net/rapid", "github.com/google/go-cmp")
		if s.dir() == "bus/subject" {
			thirdParty = append(thirdParty, natsServer)
		}
	}
	below := func(root string) bool { return within(imp, root) }
	first, _, _ := strings.Cut(imp, "/")
	if strings.Contains(first, ".") {
		if !slices.ContainsFunc(thirdParty, below) {
			return "is pure and not allowed to import"
		}
		return ""
	}
	if slices.ContainsFunc(banned, below) {
		return "is pure and must not import"
	}
	return ""
}

// allowedImports returns the row of a package, or of "x/*" for one below x.
func allowedImports(pkg string) ([]string, bool) {
	table := layers()
	if row, ok := table[pkg]; ok {
		return row, true
	}
	for parent := path.Dir(pkg); parent != "."; parent = path.Dir(parent) {
		if row, ok := table[parent+"/*"]; ok {
			return row, true
		}
	}
	return nil, false
}

func permits(allowed []string, dep string) bool {
	return slices.ContainsFunc(allowed, func(entry string) bool {
		if entry == "*" {
			return !within(dep, "cmd") && !within(dep, "e2e")
		}
		root, wild := strings.CutSuffix(entry, "/*")
		return dep == entry || (wild && strings.HasPrefix(dep, root+"/"))
	})
}

// within says whether a slash-separated path is root or lies below it.
func within(p, root string) bool { return p == root || strings.HasPrefix(p, root+"/") }

// tree parses every Go file of the repository.
func tree(t *testing.T) []source {
	t.Helper()
	var sources []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() {
			if name != "." && (base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")) {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		sources = append(sources, newSource(fset, filepath.ToSlash(name), file))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(sources) < len(pure()) {
		t.Fatalf("found %d Go files: the test must run at the repository's root", len(sources))
	}
	return sources
}

func newSource(fset *token.FileSet, name string, file *ast.File) source {
	return source{name: name, fset: fset, file: file, lines: fset.File(file.FileStart).LineCount()}
}

func goListDeps(t *testing.T, pkg string) []string {
	t.Helper()
	var stderr strings.Builder
	cmd := exec.Command("go", "list", "-deps", pkg)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list -deps %s: %v\n%s", pkg, err, stderr.String())
	}
	return strings.Fields(string(out))
}
