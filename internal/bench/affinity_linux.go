package main

import (
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// startOn starts the command so that it, and whatever it starts, runs on one core only. A child has the affinity of the
// thread that made it.
func startOn(cmd *exec.Cmd, core int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	one.Set(nthCore(&before, core))
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return err
	}
	startErr := cmd.Start()
	if err := unix.SchedSetaffinity(0, &before); err != nil {
		return err
	}
	return startErr
}

// nthCore returns the n-th of the cores that this process may use, and goes round when there are fewer.
func nthCore(set *unix.CPUSet, n int) int {
	n %= set.Count()
	for core := 0; ; core++ {
		if set.IsSet(core) {
			if n == 0 {
				return core
			}
			n--
		}
	}
}
