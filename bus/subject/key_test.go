package subject

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEncode(t *testing.T) {
	tests := []struct {
		key  string
		want Token
	}{
		{"u_42", "u_42"},
		{"ada@example.org", "ada@example%2Eorg"},
		{"a b", "a%20b"},
		{"*", "%2A"},
		{">", "%3E"},
		{"100%", "100%25"},
		{"%2E", "%252E"},
		{"\x00\t\r\n\x1f\x7f", "%00%09%0D%0A%1F%7F"},
		{"Zoë", "Zoë"},
		{"日本.語", "日本%2E語"},
		{"\u00a0\u2028", "\u00a0\u2028"},
		{"\ufffd", "\ufffd"},
		{"a\xffb\xc3", "a%FFb%C3"},
		{"$SYS/{{partition(1)}}", "$SYS/{{partition(1)}}"},
		{strings.Repeat("x", KeyMax), Token(strings.Repeat("x", KeyMax))},
	}
	for _, tt := range tests {
		got, err := Encode(tt.key)
		if err != nil || got != tt.want {
			t.Errorf("Encode(%q) = %q, %v; want %q", tt.key, got, err, tt.want)
			continue
		}
		if key, err := Decode(got); err != nil || key != tt.key {
			t.Errorf("Decode(%q) = %q, %v; want %q", got, key, err, tt.key)
		}
	}
}

func TestKeyRefused(t *testing.T) {
	tests := []struct {
		key  string
		want error
	}{
		{"", ErrNoKey},
		{strings.Repeat("x", KeyMax+1), ErrKeyTooLong},
		{strings.Repeat("é", KeyMax/2+1), ErrKeyTooLong},
	}
	for _, tt := range tests {
		if got, err := Encode(tt.key); !errors.Is(err, tt.want) {
			t.Errorf("Encode(%d bytes) = %q, %v; want error %v", len(tt.key), got, err, tt.want)
		}
		if got, err := BucketKey(tt.key); !errors.Is(err, tt.want) {
			t.Errorf("BucketKey(%d bytes) = %q, %v; want error %v", len(tt.key), got, err, tt.want)
		}
	}
}

func TestDecodeRefused(t *testing.T) {
	tests := []struct {
		token Token
		want  error
	}{
		{"", ErrNoKey},
		{"a.b", ErrNotEncoded},
		{"a b", ErrNotEncoded},
		{"*", ErrNotEncoded},
		{"%", ErrNotEncoded},
		{"%2", ErrNotEncoded},
		{"%2G", ErrNotEncoded},
		{"%2e", ErrNotEncoded},     // lower case
		{"%41", ErrNotEncoded},     // an escape that 'A' does not need
		{"%C3%AB", ErrNotEncoded},  // nor does 'ë'
		{"a\xff", ErrNotEncoded},   // a byte that should be escaped
		{"%25%", ErrNotEncoded},    // the second has no digits
		{"%252%45", ErrNotEncoded}, // 'E' escaped for nothing
		{Token(strings.Repeat("%2E", KeyMax+1)), ErrKeyTooLong},
	}
	for _, tt := range tests {
		if got, err := Decode(tt.token); !errors.Is(err, tt.want) {
			t.Errorf("Decode(%q) = %q, %v; want error %v", tt.token, got, err, tt.want)
		}
	}
}

func TestBucketKey(t *testing.T) {
	for key, want := range map[string]string{"u_42": "dV80Mg", "a.b": "YS5i", "ÿ?>": "w78_Pg", "\xff\xff": "__8"} {
		got, err := BucketKey(key)
		if err != nil || got != want {
			t.Errorf("BucketKey(%q) = %q, %v; want %q", key, got, err, want)
		}
		if back, err := FromBucketKey(got); err != nil || back != key {
			t.Errorf("FromBucketKey(%q) = %q, %v; want %q", got, back, err, key)
		}
	}
	for name, want := range map[string]error{
		"": ErrNoKey, "dV80Mg==": ErrNotEncoded, "dV8\n0Mg": ErrNotEncoded, "dV80Mh": ErrNotEncoded,
		"w78/Pg": ErrNotEncoded, strings.Repeat("YS5i", KeyMax): ErrKeyTooLong,
	} {
		if got, err := FromBucketKey(name); !errors.Is(err, want) {
			t.Errorf("FromBucketKey(%q) = %q, %v; want error %v", name, got, err, want)
		}
	}
}

// FuzzEncode: every key of a legal length has a token that is one legal
// subject token and that decodes to the key.
func FuzzEncode(f *testing.F) {
	for _, s := range []string{"u_42", "a.b c", "%2E", "日本.語", "\xff\x00*", ">", "\u00a0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, key string) {
		token, err := Encode(key)
		if legal := key != "" && len(key) <= KeyMax; legal != (err == nil) {
			t.Fatalf("Encode(%q): error %v; the key has %d bytes", key, err, len(key))
		}
		if err != nil {
			return
		}
		if strings.ContainsAny(string(token), " \t\r\n\x00.*>") || !utf8.ValidString(string(token)) {
			t.Fatalf("Encode(%q) = %q: not legal in a subject", key, token)
		}
		if got, err := Decode(token); err != nil || got != key {
			t.Fatalf("Decode(%q) = %q, %v; want %q", token, got, err, key)
		}
		name, err := BucketKey(key)
		if err != nil || strings.Trim(name, bucketKeyLetters) != "" {
			t.Fatalf("BucketKey(%q) = %q, %v: not legal in a bucket", key, name, err)
		}
		if got, err := FromBucketKey(name); err != nil || got != key {
			t.Fatalf("FromBucketKey(%q) = %q, %v; want %q", name, got, err, key)
		}
	})
}

const bucketKeyLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// FuzzDecode: whatever Decode accepts is what Encode returns for the result,
// so no two tokens stand for one key.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{"u_42", "a%2Eb", "%2e", "%41", "%", "%C3%AB", "%FF", "a\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if key, err := Decode(Token(s)); err == nil {
			if again, err := Encode(key); err != nil || string(again) != s {
				t.Fatalf("Encode(Decode(%q)) = %q, %v", s, again, err)
			}
		}
		if key, err := FromBucketKey(s); err == nil {
			if again, err := BucketKey(key); err != nil || again != s {
				t.Fatalf("BucketKey(FromBucketKey(%q)) = %q, %v", s, again, err)
			}
		}
	})
}

func TestEncodeDoesNotAllocate(t *testing.T) {
	key := strings.Repeat("u", 36)
	if got := testing.AllocsPerRun(100, func() { sink, _ = Encode(key) }); got != 0 {
		t.Errorf("Encode(%q) allocates %v times, want 0", key, got)
	}
}

func BenchmarkEncode(b *testing.B) {
	for name, key := range map[string]string{"plain": "7f1c0a52-9d5e-4b6e-8a13-000000000042", "mail": "ada.lovelace@example.org"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink, _ = Encode(key)
			}
			if got, err := Decode(sink); err != nil || got != key {
				b.Fatalf("Decode(%q) = %q, %v; want %q", sink, got, err, key)
			}
		})
	}
}

// sink keeps a measured result alive.
var sink Token
