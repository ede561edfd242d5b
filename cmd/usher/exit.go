package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/usher-audiences/usher/rules"
)

// The exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2 // or an invalid definition
	exitDifference  = 3
	exitInterrupted = 130
)

// usageError is a mistake in how the command was called.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{err: fmt.Errorf(format, args...)}
}

// problem is an error with what to do about it.
type problem struct {
	err    error
	remedy string
}

func (p *problem) Error() string { return p.err.Error() + "\n  " + p.remedy }
func (p *problem) Unwrap() error { return p.err }

// difference is returned when two things that should be the same are not.
type difference struct{ what string }

func (d *difference) Error() string { return d.what }

// interruption is the cause of a context that a signal ended.
type interruption struct{ signal os.Signal }

func (i *interruption) Error() string { return "interrupted by " + i.signal.String() }

// exitCode says what an error means to the caller's shell.
func exitCode(err error) int {
	var usage *usageError
	var diagnostics rules.Diagnostics
	var differs *difference
	var stopped *interruption
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage), errors.As(err, &diagnostics):
		return exitUsage
	case errors.As(err, &differs):
		return exitDifference
	case errors.As(err, &stopped):
		return exitInterrupted
	default:
		return exitFailed
	}
}

// untilSignal returns a context that ends, with an [interruption] as its
// cause, at the first SIGINT or SIGTERM. The second one finds nobody waiting
// for it and ends the process at once.
func untilSignal(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case s := <-signals:
			signal.Stop(signals)
			cancel(&interruption{s})
		case <-ctx.Done():
			signal.Stop(signals)
		}
	}()
	return ctx, func() {
		cancel(nil)
		<-done
	}
}
