package rules

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// fold maps text to a form in which two texts are equal exactly if
// strings.EqualFold says so: Unicode simple case folding, with lower-case
// ASCII standing for its orbit so that ordinary lower-case text is returned
// as it is, without an allocation.
func fold(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return s[:i] + strings.Map(foldRune, s[i:])
		}
	}
	return s
}

func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}
	least := r
	for q := unicode.SimpleFold(r); q != r; q = unicode.SimpleFold(q) {
		least = min(least, q)
	}
	if 'A' <= least && least <= 'Z' {
		return least + 'a' - 'A'
	}
	return least
}
