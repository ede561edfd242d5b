package rules

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// readYAML returns the roots of the file's documents. Each document is read
// by itself, so that a syntax error in one does not hide those of the next.
func (p *parser) readYAML() []*parserNode {
	if !p.yamlReadable() {
		return nil
	}
	var roots []*parserNode
	line := 0
	for _, chunk := range yamlChunks(p.src) {
		roots = append(roots, p.readYAMLChunk(chunk, line)...)
		line += strings.Count(chunk, "\n")
	}
	return roots
}

// yamlReadable reports the first character that YAML forbids; its own reader
// does not say where it is.
func (p *parser) yamlReadable() bool {
	for i, r := range p.src {
		control := r < ' ' && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && r < 0xa0 && r != 0x85
		if control || r == 0xfeff || r == 0xfffe || r == 0xffff {
			p.report(p.placeOf(i), fmt.Sprintf("character %U is not allowed in YAML", r), "remove it, or write it as an escape in double quotes")
			return false
		}
	}
	return true
}

// yamlChunks cuts src before every line that begins with the document marker.
// YAML allows no such line inside a document, whatever stands around it.
func yamlChunks(src string) []string {
	var chunks []string
	start := 0
	for at := 0; at < len(src); {
		end := strings.IndexByte(src[at:], '\n')
		if end < 0 {
			end = len(src)
		} else {
			end += at + 1
		}
		marker := strings.HasPrefix(src[at:end], "---") && (at+3 >= end || strings.ContainsRune(" \t\r\n", rune(src[at+3])))
		if marker && at > start {
			chunks = append(chunks, src[start:at])
			start = at
		}
		at = end
	}
	return append(chunks, src[start:])
}

// readYAMLChunk reads one chunk, which begins after lines of the file.
func (p *parser) readYAMLChunk(chunk string, lines int) []*parserNode {
	if yamlBlank(chunk) {
		return nil
	}
	r := yamlReader{p: p, chunk: chunk, lines: lines, aliasNodesLeft: aliasNodesMax}
	decoder := yaml.NewDecoder(strings.NewReader(chunk))
	var roots []*parserNode
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return roots
		}
		if err != nil {
			r.syntaxError(err)
			return roots
		}
		for _, root := range document.Content {
			if root.ShortTag() == "!!null" && root.Value == "" {
				continue
			}
			roots = append(roots, r.node(root, 0))
		}
	}
}

// yamlBlank reports whether chunk holds only blank lines, comments,
// directives and document markers.
func yamlBlank(chunk string) bool {
	for line := range strings.Lines(chunk) {
		line = strings.TrimSpace(strings.TrimPrefix(line, "---"))
		if line != "" && line[0] != '#' && line[0] != '%' {
			return false
		}
	}
	return true
}

// yamlReader turns the nodes of one chunk into those of the parser.
type yamlReader struct {
	p              *parser
	chunk          string
	lines          int // of the file before the chunk
	aliasNodesLeft int
	inAlias        bool
	gaveUp         bool
}

func (r *yamlReader) place(line, column int) Place {
	return Place{File: r.p.file, Line: line + r.lines, Column: max(column, 1)}
}

// end returns the place behind the last character of the chunk that is not
// blank: what is missing at the end of a text is missing there.
func (r *yamlReader) end() Place {
	text := strings.TrimRight(r.chunk, " \t\r\n")
	last := text[strings.LastIndexByte(text, '\n')+1:]
	return r.place(strings.Count(text, "\n")+1, utf8.RuneCountInString(last)+1)
}

// syntaxError reports what the YAML reader could not read.
func (r *yamlReader) syntaxError(err error) {
	var load *yaml.LoadError
	at, message := r.place(1, 1), err.Error()
	if errors.As(err, &load) {
		message = load.Message
		if load.Mark.Line > 0 {
			at = r.place(load.Mark.Line, load.Mark.Column)
		}
		if end := r.end(); at.Line > end.Line {
			at = end
		}
		if load.ContextMsg != "" {
			message += " " + load.ContextMsg
		}
	}
	remedy := ""
	if strings.Contains(message, "mapping values are not allowed") {
		remedy = "quote text that contains a colon and a blank; check the indentation"
	}
	r.p.report(at, "not valid YAML: "+message, remedy)
}

// node returns n with its aliases resolved.
func (r *yamlReader) node(n *yaml.Node, depth int) *parserNode {
	out := &parserNode{Place: r.place(n.Line, n.Column), kind: parserBroken}
	switch {
	case r.gaveUp:
		return out
	case depth > NestingMax:
		return r.giveUp(out, fmt.Sprintf("nested deeper than %d", NestingMax))
	case r.inAlias:
		r.aliasNodesLeft--
		if r.aliasNodesLeft < 0 {
			return r.giveUp(out, fmt.Sprintf("aliases expand to more than %d values", aliasNodesMax))
		}
	}
	switch n.Kind {
	case yaml.AliasNode:
		return r.alias(n, depth)
	case yaml.ScalarNode:
		r.scalar(n, out)
	case yaml.SequenceNode:
		out.kind = parserList
		for _, item := range n.Content {
			out.items = append(out.items, r.node(item, depth+1))
		}
	case yaml.MappingNode:
		out.kind = parserMap
		for i := 0; i+1 < len(n.Content); i += 2 {
			r.field(n.Content[i], n.Content[i+1], out, depth)
		}
	}
	return out
}

// giveUp reports at out and stops reading the chunk.
func (r *yamlReader) giveUp(out *parserNode, message string) *parserNode {
	r.gaveUp = true
	r.p.report(out.Place, message, "")
	return out
}

// alias returns the node that n stands for. Its place is where it was
// written, which is the one that a person has to change.
func (r *yamlReader) alias(n *yaml.Node, depth int) *parserNode {
	outer := r.inAlias
	r.inAlias = true
	out := r.node(n.Alias, depth+1)
	r.inAlias = outer
	return out
}

// field adds one entry of a mapping to out.
func (r *yamlReader) field(key, value *yaml.Node, out *parserNode, depth int) {
	at := r.place(key.Line, key.Column)
	switch {
	case key.Kind != yaml.ScalarNode:
		r.p.report(at, "a key must be plain text", "")
		return
	case key.ShortTag() == "!!merge":
		r.p.report(at, "merge keys (<<) are not supported", "repeat the entries; an alias may stand for a whole value")
		return
	}
	out.fields = append(out.fields, parserField{at, key.Value, r.node(value, depth+1)})
}

// scalar reads n into out.
func (r *yamlReader) scalar(n *yaml.Node, out *parserNode) {
	out.text = n.Value
	switch tag := n.ShortTag(); tag {
	case "!!null":
		out.kind = parserNull
	case "!!bool":
		r.boolean(n, out)
	case "!!str", "!!timestamp":
		out.kind = parserString
		if _, err := strconv.ParseFloat(n.Value, 64); errors.Is(err, strconv.ErrRange) && n.Style == 0 {
			r.number(n, out)
		}
	case "!!int", "!!float":
		r.number(n, out)
	default:
		r.p.report(out.Place, fmt.Sprintf("tag %s is not supported", tag), "remove it")
	}
}

// boolean reads n into out. An explicit tag can make a truth of any text.
func (r *yamlReader) boolean(n *yaml.Node, out *parserNode) {
	switch strings.ToLower(n.Value) {
	case "true":
		out.kind, out.truth = parserBool, true
	case "false":
		out.kind = parserBool
	default:
		r.p.report(out.Place, fmt.Sprintf("%s is neither true nor false", diagClip(n.Value)), "")
	}
}

// number reads n into out. Forms that only some YAML readers take for
// numbers are refused: 0777 is 511 to one reader and 777 to another.
func (r *yamlReader) number(n *yaml.Node, out *parserNode) {
	digits := strings.TrimLeft(n.Value, "+-")
	value, err := strconv.ParseFloat(n.Value, 64)
	leadingZero := len(digits) > 1 && digits[0] == '0' && digits[1] != '.' && digits[1] != 'e' && digits[1] != 'E'
	if err != nil || leadingZero || math.IsInf(value, 0) || math.IsNaN(value) || strings.ContainsAny(n.Value, "_xXpP") {
		out.kind = parserBroken
		r.p.report(out.Place, fmt.Sprintf("%s is not a decimal number", diagClip(n.Value)), fmt.Sprintf("quote it if text is meant: %q", diagClip(n.Value)))
		return
	}
	out.kind, out.number = parserNumber, value+0
}
