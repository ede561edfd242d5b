package embedded

import (
	"fmt"
	"log/slog"
)

// logger passes the server's own messages on. Its notices are about itself,
// a dozen at every start, and so of no interest to most: they become debug.
type logger struct {
	log   *slog.Logger
	fatal chan string // of one; see Fatalf
}

func (l *logger) Noticef(format string, v ...any) { l.log.Debug(said, text(format, v)) }
func (l *logger) Warnf(format string, v ...any)   { l.log.Warn(said, text(format, v)) }
func (l *logger) Errorf(format string, v ...any)  { l.log.Error(said, text(format, v)) }
func (l *logger) Debugf(format string, v ...any)  { l.log.Debug(said, text(format, v)) }
func (l *logger) Tracef(format string, v ...any)  { l.log.Debug(said, text(format, v)) }

// Fatalf is said by the server when it gives up while it starts. It does not
// end by that, so whoever waits for it is told.
func (l *logger) Fatalf(format string, v ...any) {
	t := text(format, v)
	l.log.Error(said, t)
	select {
	case l.fatal <- t.Value.String():
	default:
	}
}

const said = "nats-server"

func text(format string, v []any) slog.Attr {
	return slog.String("text", fmt.Sprintf(format, v...))
}
