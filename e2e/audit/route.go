package audit

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/usher-audiences/usher/rules"
)

// userKeyMax is the greatest length of a key, in bytes.
const userKeyMax = 256

// partitionOf is the partition that a key belongs to: 32-bit FNV-1a of the key
// as it stands in a subject.
func partitionOf(key rules.UserKey, partitions int) int {
	hash := uint32(2166136261)
	for _, b := range []byte(tokenOf(string(key))) {
		hash = (hash ^ uint32(b)) * 16777619
	}
	return int(hash % uint32(partitions)) //nolint:gosec // at most 1,024
}

// tokenOf writes a key as a subject token: a character that a token cannot
// hold, the percent sign, and what is no UTF-8, byte by byte in hexadecimal.
func tokenOf(key string) string {
	var b strings.Builder
	for key != "" {
		r, size := utf8.DecodeRuneInString(key)
		invalid := r == utf8.RuneError && size == 1
		if invalid || r < ' ' || r == 0x7f || strings.ContainsRune(" .*>%", r) {
			fmt.Fprintf(&b, "%%%02X", key[0])
		} else {
			b.WriteString(key[:size])
		}
		key = key[size:]
	}
	return b.String()
}
