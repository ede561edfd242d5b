package subject

import (
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"
)

// KeyMax is the greatest length of a user's key, in bytes, before encoding.
const KeyMax = 256

// Token is a user's key as it stands in a subject. One key has exactly one
// token and one token exactly one key.
type Token string

const upperHex = "0123456789ABCDEF"

// Encode returns the token of a user's key. The bytes of a character that a
// subject token cannot hold (space, '.', '*', '>', the ASCII control
// characters) and of '%' become a percent sign and two upper-case hexadecimal
// digits. Everything else stays, also what is not ASCII; a byte that is not
// part of valid UTF-8 is encoded, so that a subject is always valid UTF-8.
//
// It returns ErrNoKey or ErrKeyTooLong for a key that has no token. It does
// not allocate for a key that needs no encoding.
func Encode(key string) (Token, error) {
	if err := checkLength(key); err != nil {
		return "", err
	}
	escapes := countEscapes(key)
	if escapes == 0 {
		return Token(key), nil
	}
	b := make([]byte, 0, len(key)+2*escapes)
	for i := 0; i < len(key); {
		size, plain := next(key[i:])
		if plain {
			b = append(b, key[i:i+size]...)
		} else {
			b = append(b, '%', upperHex[key[i]>>4], upperHex[key[i]&0xF])
		}
		i += size
	}
	return Token(b), nil
}

// Decode returns the key that the token stands for. It accepts only what
// Encode returns: an unneeded escape, lower-case digits or a character that
// should have been escaped give ErrNotEncoded, for otherwise one user would
// have two tokens and with them two partitions.
func Decode(t Token) (string, error) {
	key, ok := unescape(string(t))
	if !ok {
		return "", fmt.Errorf("decode %q: %w", string(t), ErrNotEncoded)
	}
	again, err := Encode(key)
	if err != nil {
		return "", fmt.Errorf("decode %q: %w", string(t), err)
	}
	if again != t {
		return "", fmt.Errorf("decode %q: %w (want %q)", string(t), ErrNotEncoded, string(again))
	}
	return key, nil
}

// BucketKey returns the name under which something of a user is kept in a
// key-value bucket. Bucket keys allow fewer characters than subjects, so it
// is the unpadded base64url form of the key as sent. Its errors are Encode's.
func BucketKey(key string) (string, error) {
	if err := checkLength(key); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString([]byte(key)), nil
}

// FromBucketKey returns the user's key that BucketKey made the name from, and
// ErrNotEncoded for any other string.
func FromBucketKey(name string) (string, error) {
	// The decoder passes over line ends; a bucket key has none.
	if strings.ContainsAny(name, "\r\n") {
		return "", fmt.Errorf("bucket key %q: %w", name, ErrNotEncoded)
	}
	key, err := base64.RawURLEncoding.Strict().DecodeString(name)
	if err != nil {
		return "", fmt.Errorf("bucket key %q: %w", name, ErrNotEncoded)
	}
	if err := checkLength(string(key)); err != nil {
		return "", fmt.Errorf("bucket key %q: %w", name, err)
	}
	return string(key), nil
}

func checkLength(key string) error {
	switch {
	case key == "":
		return ErrNoKey
	case len(key) > KeyMax:
		return fmt.Errorf("%w: it has %d", ErrKeyTooLong, len(key))
	default:
		return nil
	}
}

// next looks at the first character of s: how many bytes it has and whether
// it stays as it is. A byte to be escaped is always taken alone.
func next(s string) (size int, plain bool) {
	c := s[0]
	if c < utf8.RuneSelf {
		return 1, c > ' ' && c != 0x7F && c != '.' && c != '*' && c != '>' && c != '%'
	}
	r, size := utf8.DecodeRuneInString(s)
	return size, r != utf8.RuneError || size > 1
}

func countEscapes(key string) int {
	n := 0
	for i := 0; i < len(key); {
		size, plain := next(key[i:])
		if !plain {
			n++
		}
		i += size
	}
	return n
}

func unescape(s string) (string, bool) {
	if strings.IndexByte(s, '%') < 0 {
		return s, true
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b = append(b, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		high, low := strings.IndexByte(upperHex, s[i+1]), strings.IndexByte(upperHex, s[i+2])
		if high < 0 || low < 0 {
			return "", false
		}
		b = append(b, byte(high<<4|low))
		i += 2
	}
	return string(b), true
}
