//go:build !linux

package kafkatest

import "os/exec"

// dieWithParent can do nothing here: a test that is killed leaves its server running.
func dieWithParent(*exec.Cmd) {}
