package subject

import "errors"

var (
	// ErrNoKey is returned when a key is empty.
	ErrNoKey = errors.New("the key is empty")
	// ErrKeyTooLong is returned when a key is longer than KeyMax bytes.
	ErrKeyTooLong = errors.New("the key is longer than 256 bytes")
	// ErrNotEncoded is returned when a token or a bucket key is not what the
	// encoding gives for any user's key.
	ErrNotEncoded = errors.New("not an encoded key")
)
