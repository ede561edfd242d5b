package rules

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// readJSON returns the roots of the file's values, or why it is not JSON.
func (p *parser) readJSON() ([]*parserNode, *Diagnostic) {
	r := jsonReader{
		p:       p,
		decoder: jsontext.NewDecoder(strings.NewReader(p.src), jsontext.AllowDuplicateNames(true)),
		at:      Place{File: p.file, Line: 1, Column: 1},
	}
	var roots []*parserNode
	for {
		root, err := r.value(0)
		if errors.Is(err, io.EOF) {
			return roots, nil
		}
		if err != nil {
			return nil, r.diagnose(err)
		}
		roots = append(roots, root)
	}
}

// jsonReader reads JSON values into nodes. It keeps the place of the last
// offset it was asked for, since offsets only grow.
type jsonReader struct {
	p       *parser
	decoder *jsontext.Decoder
	offset  int
	at      Place
}

// errJSONNesting is the only error of the reader that is not one of syntax.
var errJSONNesting = errors.New("nested deeper than " + strconv.Itoa(NestingMax))

// diagnose turns an error of the decoder into a diagnostic.
func (r *jsonReader) diagnose(err error) *Diagnostic {
	var syntax *jsontext.SyntacticError
	at, message := r.place(int(r.decoder.InputOffset())), err.Error()
	if errors.As(err, &syntax) {
		at, message = r.p.placeOf(int(syntax.ByteOffset)), syntax.Err.Error()
	}
	return &Diagnostic{Place: at, Message: "not valid JSON: " + message}
}

// place returns the place of the first byte of a token at or after offset:
// what may lie between are blanks, colons and commas.
func (r *jsonReader) place(offset int) Place {
	for offset < len(r.p.src) && strings.IndexByte(" \t\r\n:,", r.p.src[offset]) >= 0 {
		offset++
	}
	if offset <= r.offset {
		return r.at
	}
	passed := r.p.src[r.offset:offset]
	if last := strings.LastIndexByte(passed, '\n'); last >= 0 {
		r.at.Line += strings.Count(passed, "\n")
		r.at.Column = 1 + utf8.RuneCountInString(passed[last+1:])
	} else {
		r.at.Column += utf8.RuneCountInString(passed)
	}
	r.offset = offset
	return r.at
}

// value reads the next value; io.EOF means that there is none.
func (r *jsonReader) value(depth int) (*parserNode, error) {
	out := &parserNode{Place: r.place(int(r.decoder.InputOffset())), kind: parserNull}
	if depth > NestingMax {
		return nil, errJSONNesting
	}
	token, err := r.decoder.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case 't', 'f':
		out.kind, out.truth, out.text = parserBool, token.Bool(), token.String()
	case '"':
		out.kind, out.text = parserString, token.String()
	case '0':
		r.number(token.String(), out)
	case '[':
		return out, r.list(out, depth)
	case '{':
		return out, r.object(out, depth)
	}
	return out, nil
}

// list reads the members of a list whose bracket has been read.
func (r *jsonReader) list(out *parserNode, depth int) error {
	out.kind = parserList
	for r.decoder.PeekKind() != ']' {
		item, err := r.value(depth + 1)
		if err != nil {
			return jsonUnexpected(err)
		}
		out.items = append(out.items, item)
	}
	_, err := r.decoder.ReadToken()
	return jsonUnexpected(err)
}

// object reads the members of an object whose brace has been read.
func (r *jsonReader) object(out *parserNode, depth int) error {
	out.kind = parserMap
	for r.decoder.PeekKind() != '}' {
		at := r.place(int(r.decoder.InputOffset()))
		token, err := r.decoder.ReadToken()
		if err != nil {
			return jsonUnexpected(err)
		}
		name := token.String()
		value, err := r.value(depth + 1)
		if err != nil {
			return jsonUnexpected(err)
		}
		out.fields = append(out.fields, parserField{at, name, value})
	}
	_, err := r.decoder.ReadToken()
	return jsonUnexpected(err)
}

// jsonUnexpected makes an end inside a value an error, not an end.
func jsonUnexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// number reads text into out.
func (r *jsonReader) number(text string, out *parserNode) {
	value, err := strconv.ParseFloat(text, 64)
	out.text = text
	if err != nil || math.IsInf(value, 0) {
		out.kind = parserBroken
		r.p.report(out.Place, fmt.Sprintf("%s is too large for a number", diagClip(text)), "numbers are IEEE 754 doubles")
		return
	}
	out.kind, out.number = parserNumber, value+0
}
