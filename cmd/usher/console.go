package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/mattn/go-isatty"
)

// console is what a command may read of the world and write to it. Results go
// to out, everything else to err.
type console struct {
	in  io.Reader
	out io.Writer
	err io.Writer
	// outTerminal and errTerminal tell whether a person reads along.
	outTerminal bool
	errTerminal bool
	env         func(name string) (string, bool)
}

func systemConsole() *console {
	return &console{
		in: os.Stdin, out: os.Stdout, err: os.Stderr,
		outTerminal: isatty.IsTerminal(os.Stdout.Fd()),
		errTerminal: isatty.IsTerminal(os.Stderr.Fd()),
		env:         os.LookupEnv,
	}
}

// say writes one line for a person.
func (c *console) say(format string, args ...any) {
	fmt.Fprintf(c.err, format+"\n", args...)
}

// print writes one line of the result.
func (c *console) print(format string, args ...any) {
	fmt.Fprintf(c.out, format+"\n", args...)
}

// object writes one JSON object on a line of the result.
func (c *console) object(v any) error {
	e := json.NewEncoder(c.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
