package e2e_test

import "syscall"

// dieWithParent makes a program end when the test does, also when the test is
// killed.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
