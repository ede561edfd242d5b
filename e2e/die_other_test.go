//go:build !linux

package e2e_test

import "syscall"

// dieWithParent has no equal outside Linux; the tests' clean-up does it.
func dieWithParent() *syscall.SysProcAttr { return nil }
