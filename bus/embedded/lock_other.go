//go:build !unix

package embedded

import "os"

// lock only marks the directory here: two processes are not kept apart.
type lock struct{ file *os.File }

func takeLock(path string) (*lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, err
	}
	return &lock{file: f}, nil
}

func (l *lock) release() error { return l.file.Close() }
