// Package demo holds what `usher demo` shows: five audiences, and a shop full
// of simulated visitors.
//
// The shop is a pure function of its seed: the same seed gives the same
// actions at the same instants. It knows nothing of audiences and reads no
// clock; whoever plays it publishes each action when it is due.
package demo

import (
	"embed"
	"io/fs"
	"time"
)

// Idle is how long without activity ends a session in the demo. It is short,
// so that sessions end while somebody watches.
const Idle = 8 * time.Second

//go:embed audiences/*.yaml
var audiences embed.FS

// Audiences returns the definitions' files, by name.
func Audiences() (map[string][]byte, error) {
	files := map[string][]byte{}
	names, err := fs.Glob(audiences, "audiences/*.yaml")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if files[name], err = audiences.ReadFile(name); err != nil {
			return nil, err
		}
	}
	return files, nil
}
