package rules

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// depthMax bounds the nesting of a message: the outermost object is depth 1.
const depthMax = 32

// scanner reads JSON text once, from front to back. It accepts what
// encoding/json accepts, except that nesting is bounded and that a number
// beyond float64 is an error. A literal NaN or Infinity, which producers do
// send, is told apart from other syntax errors.
//
// The first error sticks; every method returns false from then on. Text
// without escapes is returned as a part of the input, without a copy.
type scanner struct {
	s     string
	i     int
	depth int
	err   *Rejection
}

func (sc *scanner) fail(reason, detail string) bool {
	if sc.err == nil {
		sc.err = &Rejection{Reason: reason, Detail: detail + " at byte " + strconv.Itoa(sc.i)}
	}
	return false
}

// peek skips white space and returns the next byte, 0 at the end.
func (sc *scanner) peek() byte {
	for sc.i < len(sc.s) {
		switch c := sc.s[sc.i]; c {
		case ' ', '\t', '\n', '\r':
			sc.i++
		default:
			return c
		}
	}
	return 0
}

// open enters an object or array and reports whether it has a first member.
// Ask sc.err to tell an empty one from an error.
func (sc *scanner) open(closing byte) bool {
	if sc.depth++; sc.depth > depthMax {
		return sc.fail(ReasonTooDeep, "nested deeper than "+strconv.Itoa(depthMax))
	}
	sc.i++
	if sc.peek() == closing {
		sc.i++
		sc.depth--
		return false
	}
	return true
}

// more reports whether another member follows, past the comma; at the closing
// byte it leaves the object or array.
func (sc *scanner) more(closing byte) bool {
	if sc.err != nil {
		return false
	}
	switch sc.peek() {
	case ',':
		sc.i++
		return true
	case closing:
		sc.i++
		sc.depth--
		return false
	default:
		return sc.fail(ReasonNotJSON, "want , or "+string(closing))
	}
}

// name reads a member's name and the colon.
func (sc *scanner) name() (string, bool) {
	if sc.peek() != '"' {
		return "", sc.fail(ReasonNotJSON, "want a name in quotes")
	}
	name, ok := sc.text()
	if !ok {
		return "", false
	}
	if sc.peek() != ':' {
		return "", sc.fail(ReasonNotJSON, "want : after a name")
	}
	sc.i++
	return name, true
}

// text reads a string; the scanner stands on its opening quote.
func (sc *scanner) text() (string, bool) {
	start := sc.i + 1
	for i := start; i < len(sc.s); i++ {
		switch c := sc.s[i]; {
		case c == '"':
			sc.i = i + 1
			return sc.s[start:i], true
		case c == '\\' || c >= utf8.RuneSelf:
			return sc.textSlow(start, i)
		case c < ' ':
			sc.i = i
			return "", sc.fail(ReasonNotJSON, "control character in a string")
		}
	}
	sc.i = len(sc.s)
	return "", sc.fail(ReasonNotJSON, "string without an end")
}

// textSlow goes on from the first byte of a string that is an escape or not
// ASCII. Bytes that are not UTF-8 become U+FFFD one by one, as in
// encoding/json.
func (sc *scanner) textSlow(start, i int) (string, bool) {
	buf, from := []byte(nil), start // nil while the text is still verbatim
	for i < len(sc.s) {
		c := sc.s[i]
		switch {
		case c == '"':
			sc.i = i + 1
			if buf == nil {
				return sc.s[start:i], true
			}
			return string(append(buf, sc.s[from:i]...)), true
		case c == '\\':
			buf = append(buf, sc.s[from:i]...)
			sc.i = i
			if buf = sc.escape(buf); sc.err != nil {
				return "", false
			}
			i, from = sc.i, sc.i
		case c < ' ':
			sc.i = i
			return "", sc.fail(ReasonNotJSON, "control character in a string")
		case c < utf8.RuneSelf:
			i++
		default:
			r, size := utf8.DecodeRuneInString(sc.s[i:])
			if r == utf8.RuneError && size == 1 {
				buf = utf8.AppendRune(append(buf, sc.s[from:i]...), utf8.RuneError)
				from = i + 1
			}
			i += size
		}
	}
	sc.i = len(sc.s)
	return "", sc.fail(ReasonNotJSON, "string without an end")
}

// escape appends the character that the escape at sc.i stands for. The result
// is never nil, which would mean "verbatim" to the caller.
func (sc *scanner) escape(buf []byte) []byte {
	if buf == nil {
		buf = make([]byte, 0, 16)
	}
	if sc.i+1 >= len(sc.s) {
		sc.fail(ReasonNotJSON, "string without an end")
		return buf
	}
	c := sc.s[sc.i+1]
	if c == 'u' {
		return sc.escapeUnicode(buf)
	}
	at := strings.IndexByte(`"\/bfnrt`, c)
	if at < 0 {
		sc.fail(ReasonNotJSON, "unknown escape in a string")
		return buf
	}
	sc.i += 2
	return append(buf, "\"\\/\b\f\n\r\t"[at])
}

func (sc *scanner) escapeUnicode(buf []byte) []byte {
	r, ok := sc.hex4(sc.i)
	if !ok {
		sc.fail(ReasonNotJSON, `want four hex digits after \u`)
		return buf
	}
	sc.i += 6
	if utf16.IsSurrogate(r) {
		low, ok := sc.hex4(sc.i)
		pair := utf16.DecodeRune(r, low)
		if ok && pair != utf8.RuneError {
			sc.i += 6
		}
		r = pair
	}
	return utf8.AppendRune(buf, r)
}

// hex4 reads \uXXXX at i.
func (sc *scanner) hex4(i int) (rune, bool) {
	if i+6 > len(sc.s) || sc.s[i] != '\\' || sc.s[i+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range []byte(sc.s[i+2 : i+6]) {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// number reads a number and returns its text. Its magnitude is checked, so
// that whether a message is good does not depend on which values are read.
func (sc *scanner) number() (string, bool) {
	start := sc.i
	if sc.s[sc.i] == '-' {
		sc.i++
	}
	whole := sc.i
	digits := sc.digits()
	if digits == 0 {
		return "", sc.failLiteral(start)
	}
	if digits > 1 && sc.s[whole] == '0' {
		sc.i = whole + 1
		return "", sc.fail(ReasonNotJSON, "number with a leading zero")
	}
	extreme := digits > 300
	if sc.i < len(sc.s) && sc.s[sc.i] == '.' {
		sc.i++
		if sc.digits() == 0 {
			return "", sc.fail(ReasonNotJSON, "number without digits after its point")
		}
	}
	if sc.i < len(sc.s) && (sc.s[sc.i] == 'e' || sc.s[sc.i] == 'E') {
		extreme = true
		sc.i++
		if sc.i < len(sc.s) && (sc.s[sc.i] == '+' || sc.s[sc.i] == '-') {
			sc.i++
		}
		if sc.digits() == 0 {
			return "", sc.fail(ReasonNotJSON, "number without digits in its exponent")
		}
	}
	text := sc.s[start:sc.i]
	if extreme {
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return "", sc.fail(ReasonBadNumber, "number out of range")
		}
	}
	return text, true
}

func (sc *scanner) digits() int {
	start := sc.i
	for sc.i < len(sc.s) && '0' <= sc.s[sc.i] && sc.s[sc.i] <= '9' {
		sc.i++
	}
	return sc.i - start
}

// failLiteral is the end of a scalar that is no JSON.
func (sc *scanner) failLiteral(start int) bool {
	rest := strings.TrimPrefix(sc.s[start:], "-")
	if strings.HasPrefix(rest, "NaN") || strings.HasPrefix(rest, "Infinity") {
		return sc.fail(ReasonBadNumber, "NaN or Infinity")
	}
	return sc.fail(ReasonNotJSON, "want a value")
}

// literal reads true, false or null.
func (sc *scanner) literal(word string) bool {
	if !strings.HasPrefix(sc.s[sc.i:], word) {
		return sc.failLiteral(sc.i)
	}
	sc.i += len(word)
	return true
}

// skip passes over one value, checking it.
func (sc *scanner) skip() bool {
	switch c := sc.peek(); c {
	case '{':
		for ok := sc.open('}'); ok; ok = sc.more('}') {
			if _, named := sc.name(); !named || !sc.skip() {
				return false
			}
		}
		return sc.err == nil
	case '[':
		for ok := sc.open(']'); ok; ok = sc.more(']') {
			if !sc.skip() {
				return false
			}
		}
		return sc.err == nil
	default:
		_, ok := sc.scalar(c)
		return ok
	}
}

// scalar reads a value that is neither an object nor an array and begins
// with c.
func (sc *scanner) scalar(c byte) (value, bool) {
	switch c {
	case '"':
		s, ok := sc.text()
		return value{kind: textValue, text: s}, ok
	case 't':
		return value{kind: boolValue, truth: true}, sc.literal("true")
	case 'f':
		return value{kind: boolValue}, sc.literal("false")
	case 'n':
		return value{}, sc.literal("null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		s, ok := sc.number()
		return value{kind: numberValue, text: s}, ok
	default:
		return value{}, sc.failLiteral(sc.i)
	}
}

// value reads one value into its typed form.
func (sc *scanner) value() (value, bool) {
	c := sc.peek()
	if c == '{' || c == '[' {
		return valueOf(sc.plain()), sc.err == nil
	}
	v, ok := sc.scalar(c)
	if v.kind == numberValue && ok {
		v.number, v.text = parseNumber(v.text), ""
	}
	return v, ok
}

// plain reads one value into its plain form.
func (sc *scanner) plain() any {
	switch sc.peek() {
	case '{':
		object := map[string]any{}
		for ok := sc.open('}'); ok; ok = sc.more('}') {
			name, named := sc.name()
			if !named {
				return nil
			}
			object[name] = sc.plain()
		}
		return object
	case '[':
		list := []any{}
		for ok := sc.open(']'); ok; ok = sc.more(']') {
			list = append(list, sc.plain())
		}
		return list
	default:
		v, _ := sc.value()
		return v.plain()
	}
}

// parseNumber reads the text of a number whose magnitude was checked. Up to
// 15 digits are exact in a float64 without the library's care.
func parseNumber(s string) float64 {
	if len(s) <= 15 {
		n, digits := int64(0), 0
		for digits < len(s) && '0' <= s[digits] && s[digits] <= '9' {
			n = n*10 + int64(s[digits]-'0')
			digits++
		}
		if digits == len(s) {
			return float64(n)
		}
	}
	f, _ := strconv.ParseFloat(s, 64) // range was checked by number
	return f
}
