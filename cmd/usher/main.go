// Command usher decides, while people are still on the site, which audiences
// they are in. `usher demo` shows it; `usher --help` lists the rest.
//
// The package wires the others together and holds what only a command needs:
// flags and environment, the console, and the HTTP listener for operators. It
// decides nothing about audiences.
package main

import (
	"context"
	"os"
)

func main() {
	ctx, stop := untilSignal(context.Background())
	code := run(ctx, os.Args[1:], systemConsole())
	stop()
	os.Exit(code)
}
