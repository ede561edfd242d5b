package rules

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Diagnostic is one thing wrong, or doubtful, in a definition: what, where,
// and what to do about it.
type Diagnostic struct {
	Place
	// Message says what is wrong, in one line.
	Message string
	// Remedy says what to do; empty if the message leaves no doubt.
	Remedy string
	// Nearest is the known word that an unknown one most resembles; empty if
	// none does.
	Nearest string
	// Excerpt is the source line, with a second line whose caret stands under
	// Place. It is empty if the source is not at hand.
	Excerpt string
}

// String returns the place and message on the first line, as compilers print
// them, then the excerpt and the remedy.
func (d Diagnostic) String() string {
	var b strings.Builder
	if d.File != "" || d.Line > 0 {
		fmt.Fprintf(&b, "%s: ", d.Place)
	}
	b.WriteString(d.Message)
	if d.Excerpt != "" {
		b.WriteString("\n" + d.Excerpt)
	}
	if d.Nearest != "" {
		fmt.Fprintf(&b, "\n  did you mean %q?", d.Nearest)
	}
	if d.Remedy != "" {
		b.WriteString("\n  " + d.Remedy)
	}
	return b.String()
}

// String returns file:line:column, without the parts that are unknown.
func (p Place) String() string {
	file := p.File
	if file == "" {
		file = "-"
	}
	if p.Line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d:%d", file, p.Line, p.Column)
}

// Diagnostics is the error that lists everything wrong with a set of
// definitions, in the order of the source.
type Diagnostics []Diagnostic

// Error returns every diagnostic, one after another.
func (ds Diagnostics) Error() string {
	texts := make([]string, len(ds))
	for i, d := range ds {
		texts[i] = d.String()
	}
	return strings.Join(texts, "\n")
}

// WithSource returns ds with the excerpts of those that lie in file filled
// in from src. [CheckSet] and [Warn] see no source; their callers have it.
func (ds Diagnostics) WithSource(file string, src []byte) Diagnostics {
	out := slices.Clone(ds)
	text := strings.TrimPrefix(string(src), byteOrderMark)
	for i := range out {
		if out[i].File == file && out[i].Excerpt == "" {
			out[i].Excerpt = diagExcerpt(text, out[i].Place)
		}
	}
	return out
}

// byteOrderMark may begin a file in UTF-8; it is no character of the text.
const byteOrderMark = "\xef\xbb\xbf"

// diagWidthMax bounds the runes of a source line that an excerpt shows, so
// that a minified file does not fill the screen.
const diagWidthMax = 100

// diagExcerpt returns the line at p and a caret below its column.
func diagExcerpt(src string, p Place) string {
	line, ok := diagLine(src, p.Line)
	if !ok {
		return ""
	}
	runes := []rune(line)
	column := min(max(p.Column-1, 0), len(runes))
	from := 0
	if len(runes) > diagWidthMax {
		from = max(0, column-diagWidthMax/2)
		runes = runes[from:min(len(runes), from+diagWidthMax)]
	}
	gutter := fmt.Sprintf("%5d | ", p.Line)
	pad := strings.Repeat(" ", utf8.RuneCountInString(gutter)-2) + "| "
	return gutter + string(runes) + "\n" + pad + diagPadding(runes[:column-from]) + "^"
}

// diagPadding returns blanks as wide as the text before a caret. Tabs stay
// tabs, since only the terminal knows their width.
func diagPadding(before []rune) string {
	var b strings.Builder
	for _, r := range before {
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// diagLine returns line n of src, counted from 1.
func diagLine(src string, n int) (string, bool) {
	if n < 1 {
		return "", false
	}
	for ; n > 1; n-- {
		end := strings.IndexByte(src, '\n')
		if end < 0 {
			return "", false
		}
		src = src[end+1:]
	}
	line, _, _ := strings.Cut(src, "\n")
	return strings.TrimRight(line, "\r"), true
}

// diagNearest returns the candidate most like word, or "" if none is like
// it: at most a third of the longer word's letters may differ, or word must
// begin with it, as monday begins with mon.
func diagNearest(word string, candidates []string) string {
	word = strings.ToLower(diagClip(word))
	best, bestDistance := "", 1<<30
	for _, c := range candidates {
		// At least the letters that one has more than the other differ.
		if apart := len(c) - len(word); max(apart, -apart) >= bestDistance || max(apart, -apart) > max(1, max(len(c), len(word))/3) {
			continue
		}
		d := diagDistance(word, strings.ToLower(c))
		if d < bestDistance {
			best, bestDistance = c, d
		}
	}
	longer := max(len(word), len(best))
	if best != "" && bestDistance <= max(1, longer/3) && bestDistance < len(best) {
		return best
	}
	for _, c := range candidates {
		if len(c) > 1 && strings.HasPrefix(word, c) {
			return c
		}
	}
	return ""
}

// diagWordMax bounds the bytes of a foreign word that are compared or shown.
const diagWordMax = 64

// diagClip returns s, cut at diagWordMax bytes.
func diagClip(s string) string {
	if len(s) <= diagWordMax {
		return s
	}
	cut := diagWordMax
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}

// diagDistance is the optimal string alignment distance of a and b: the
// fewest insertions, deletions, replacements and swaps of two neighbours, no
// substring being edited twice.
func diagDistance(a, b string) int {
	before, above := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above = above, row
	}
	return above[len(b)]
}
