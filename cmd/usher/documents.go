package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/usher-audiences/usher/rules"
)

// documents are the definitions of some files, with the files' text for
// messages that point into it.
type documents struct {
	definitions []*rules.Definition
	sources     map[string][]byte
}

// loadDocuments reads the definitions of files and of whole directories; "-"
// is standard input. All that is wrong in any of them is one error, a
// [rules.Diagnostics].
func loadDocuments(con *console, paths []string) (*documents, error) {
	d := &documents{sources: map[string][]byte{}}
	if err := d.read(con, paths); err != nil {
		return nil, err
	}
	var wrong rules.Diagnostics
	for _, file := range d.files() {
		definitions, err := rules.Parse(file, d.sources[file])
		var found rules.Diagnostics
		switch {
		case errors.As(err, &found):
			wrong = append(wrong, found...)
		case err != nil:
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		d.definitions = append(d.definitions, definitions...)
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	if err := rules.CheckSet(d.definitions); err != nil {
		return nil, d.pointed(err)
	}
	return d, nil
}

func (d *documents) files() []string {
	files := make([]string, 0, len(d.sources))
	for file := range d.sources {
		files = append(files, file)
	}
	slices.Sort(files)
	return files
}

// pointed fills in the excerpts of diagnostics that came without the text.
func (d *documents) pointed(err error) error {
	var found rules.Diagnostics
	if !errors.As(err, &found) {
		return err
	}
	for file, source := range d.sources {
		found = found.WithSource(file, source)
	}
	return found
}

// warnings returns what is legal but doubtful, or surely wrong, for sessions
// that end after idle.
func (d *documents) warnings(idle rules.Millis) rules.Diagnostics {
	found := rules.WarnIdle(d.definitions, idle)
	type line struct {
		file   string
		number int
	}
	told := make(map[line]bool)
	for _, w := range found {
		told[line{w.File, w.Line}] = true
	}
	for _, w := range rules.Lint(d.definitions, idle) {
		if !told[line{w.File, w.Line}] { // else it is the same in other words
			found = append(found, w)
		}
	}
	return d.sourced(found)
}

// sourced fills in the excerpts and gives the findings the order of the files.
func (d *documents) sourced(found rules.Diagnostics) rules.Diagnostics {
	slices.SortStableFunc(found, func(a, b rules.Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	for file, source := range d.sources {
		found = found.WithSource(file, source)
	}
	return found
}

func (d *documents) read(con *console, paths []string) error {
	for _, path := range paths {
		if err := d.readPath(con, path); err != nil {
			return err
		}
	}
	return nil
}

func (d *documents) readPath(con *console, path string) error {
	if path == "-" {
		data, err := io.ReadAll(con.in)
		d.sources["standard input"] = data
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return &usageError{err: &problem{err, "definitions are read from files (.yaml, .yml, .json), directories of them, or - for standard input"}}
	}
	if !info.IsDir() {
		return d.readFile(path)
	}
	found := 0
	err = filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !isDefinitionFile(name) {
			return err
		}
		found++
		return d.readFile(name)
	})
	if err == nil && found == 0 {
		return usagef("%s: no .yaml, .yml or .json file in this directory", path)
	}
	return err
}

func isDefinitionFile(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name))
}

func (d *documents) readFile(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	d.sources[name] = data
	return nil
}
