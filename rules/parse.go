package rules

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Parse reads the definitions of one file: YAML or JSON, one document,
// several separated by ---, or lists of documents. The file's name goes into
// every [Place].
//
// The error is a [Diagnostics] with everything that is wrong, not only the
// first; there are then no definitions. Parse judges each document by itself;
// what depends on other documents is for [CheckSet].
func Parse(file string, src []byte) ([]*Definition, error) {
	p := &parser{file: file, src: strings.TrimPrefix(string(src), byteOrderMark)}
	var defs []*Definition
	for _, document := range p.documents() {
		if document.kind != parserList {
			defs = append(defs, p.definition(document))
			continue
		}
		for _, item := range document.items {
			defs = append(defs, p.definition(item))
		}
	}
	if len(p.diags) > 0 {
		return nil, p.inOrder()
	}
	return defs, nil
}

// parser reads one file. It goes on after an error, so that all are found;
// what it returns after one is not used.
type parser struct {
	file  string
	src   string
	diags Diagnostics
	// unlisted counts the errors beyond diagnosticsMax.
	unlisted int
	// conditions counts those of the definition being read.
	conditions int
}

// documents returns the root of every document of the file.
func (p *parser) documents() []*parserNode {
	if !p.readable() {
		return nil
	}
	start := strings.TrimLeft(p.src, " \t\r\n")
	if start == "" {
		return nil
	}
	if start[0] == '{' || start[0] == '[' {
		roots, err := p.readJSON()
		if err == nil {
			return roots
		}
		p.diags, p.unlisted = nil, 0
		if strings.HasSuffix(p.file, ".json") {
			p.add(*err)
			return nil
		}
	}
	return p.readYAML()
}

// readable refuses what no reader of text can read.
func (p *parser) readable() bool {
	if len(p.src) > SourceMax {
		p.report(Place{File: p.file}, fmt.Sprintf("file of %d bytes: the limit is %d", len(p.src), SourceMax), "split it into several files")
		return false
	}
	if utf8.ValidString(p.src) {
		return true
	}
	for i, r := range p.src {
		if r != utf8.RuneError {
			continue
		}
		if _, size := utf8.DecodeRuneInString(p.src[i:]); size == 1 {
			p.report(p.placeOf(i), "the text is not UTF-8", "save the file in UTF-8")
			return false
		}
	}
	return false
}

// placeOf returns the place of a byte offset.
func (p *parser) placeOf(offset int) Place {
	before := p.src[:min(offset, len(p.src))]
	lineStart := strings.LastIndexByte(before, '\n') + 1
	return Place{
		File:   p.file,
		Line:   strings.Count(before, "\n") + 1,
		Column: utf8.RuneCountInString(before[lineStart:]) + 1,
	}
}

// report adds an error.
func (p *parser) report(at Place, message, remedy string) {
	p.add(Diagnostic{Place: at, Message: message, Remedy: remedy})
}

// unknown adds the error that a word is not among the known ones.
func (p *parser) unknown(at Place, what, word string, known []string) {
	d := Diagnostic{Place: at, Message: fmt.Sprintf("unknown %s %q", what, diagClip(word))}
	d.Nearest = diagNearest(word, known)
	if d.Nearest == "" && len(known) > 0 {
		d.Remedy = "known here: " + strings.Join(known, ", ")
	}
	p.add(d)
}

func (p *parser) add(d Diagnostic) {
	if len(p.diags) >= diagnosticsMax {
		p.unlisted++
		return
	}
	p.diags = append(p.diags, d)
}

// inOrder returns the errors in the order of the source, each once: what an
// alias repeats is wrong as often as it is repeated. The excerpts are cut here
// because finding a line takes time.
func (p *parser) inOrder() Diagnostics {
	ds := p.diags
	slices.SortStableFunc(ds, func(a, b Diagnostic) int { return checkComparePlaces(a.Place, b.Place) })
	ds = slices.CompactFunc(ds, func(a, b Diagnostic) bool { return a.Place == b.Place && a.Message == b.Message })
	for i := range ds {
		ds[i].Excerpt = diagExcerpt(p.src, ds[i].Place)
	}
	if p.unlisted > 0 {
		ds = append(ds, Diagnostic{Place: Place{File: p.file}, Message: fmt.Sprintf("%d more errors; they are not listed", p.unlisted)})
	}
	return ds
}
