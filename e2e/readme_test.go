package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/usher-audiences/usher/rules"
)

// readme returns the text of every block of the README in a language.
func readme(t *testing.T, language string) []string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, found := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, found[1])
	}
	if len(blocks) == 0 {
		t.Fatalf("the README has no %s block", language)
	}
	return blocks
}

// TestReadme does what the README says, as a new user would: the commands of
// the terminal blocks, in their order, and then the Go program. What a
// command is shown to print, it must print.
func TestReadme(t *testing.T) {
	dir, address := t.TempDir(), freeAddress(t)
	definition := readme(t, "yaml")[0]
	if parsed, err := rules.Parse("big-cart.yaml", []byte(definition)); err != nil || len(parsed) != 1 {
		t.Fatalf("the README's audience: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "big-cart.yaml"), []byte(definition), 0o600); err != nil {
		t.Fatal(err)
	}
	steps := 0
	for _, block := range readme(t, "console") {
		for _, s := range readmeSteps(block) {
			if s.args[0] != "usher" {
				continue // git, go run, go install and make are the reader's
			}
			steps++
			s.run(t, dir, address)
		}
	}
	if steps != 4 {
		t.Errorf("%d usher commands in the README's terminal blocks, want 4: has the story changed?", steps)
	}
	runReadmeProgram(t, "nats://"+address)
}

// readmeStep is one command and the lines that it is shown to print.
type readmeStep struct {
	args   []string
	prints []string
}

func readmeSteps(block string) []readmeStep {
	var steps []readmeStep
	for line := range strings.Lines(block) {
		line = strings.TrimRight(line, "\n")
		command, is := strings.CutPrefix(line, "$ ")
		switch {
		case is:
			steps = append(steps, readmeStep{args: shellWords(command)})
		case line != "" && line != "...":
			s := &steps[len(steps)-1]
			s.prints = append(s.prints, line)
		}
	}
	return steps
}

// shellWords splits a command; single quotes keep blanks.
func shellWords(command string) []string {
	var words []string
	for _, found := range regexp.MustCompile(`'([^']*)'|(\S+)`).FindAllStringSubmatch(command, -1) {
		words = append(words, found[1]+found[2])
	}
	return words
}

// run runs the step with the test's port and directory in place of the
// defaults. A node and a watcher go on until the end of the test.
func (s readmeStep) run(t *testing.T, dir, address string) {
	t.Helper()
	args := append([]string{}, s.args[1:]...)
	if args[0] == "serve" {
		args = append(args, "--listen", address, "--http", "", "--data", filepath.Join(dir, "usher-data"))
	} else {
		args = append(args, "--nats", "nats://"+address)
	}
	for i := range args {
		if strings.HasSuffix(args[i], ".yaml") {
			args[i] = filepath.Join(dir, args[i])
		}
	}
	p := start(t, args...)
	if args[0] != "serve" && args[0] != "watch" {
		if code := p.end(t); code != 0 {
			t.Fatalf("%v: exit code %d\n%s%s", s.args, code, p.out, p.err)
		}
	}
	for _, line := range s.prints {
		line = strings.ReplaceAll(line, "127.0.0.1:4222", address)
		pattern := regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d{3}`).ReplaceAllString(line, "")
		in := p.out
		if args[0] == "serve" || strings.HasPrefix(line, "watching") {
			in = p.err
		}
		p.await(t, in, regexp.QuoteMeta(pattern))
	}
}

// runReadmeProgram runs the README's Go program until it prints the entry of
// the person that it publishes for.
func runReadmeProgram(t *testing.T, url string) {
	t.Helper()
	dir := t.TempDir()
	text := strings.ReplaceAll(readme(t, "go")[0], "nats://127.0.0.1:4222", url)
	source, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "program")
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", binary, source)
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the README's program: %v\n%s", err, out)
	}
	p := startCommand(t, exec.Command(binary))
	p.await(t, p.out, `entered big-cart u_7 `)
	p.signal(t, syscall.SIGTERM)
}
