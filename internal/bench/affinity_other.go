//go:build !linux

package main

import "os/exec"

// startOn starts the command. Elsewhere than on Linux only GOMAXPROCS and the peers' own settings hold it to one core.
func startOn(cmd *exec.Cmd, _ int) error { return cmd.Start() }
