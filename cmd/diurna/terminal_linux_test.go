package main_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// onTerminal runs the binary with its standard error on a terminal and returns what the terminal was sent.
func onTerminal(t *testing.T, args ...string) string {
	t.Helper()
	master, slave := openTerminal(t)
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Stderr = slave
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := slave.Close(); err != nil {
		t.Fatal(err)
	}
	seen, _ := io.ReadAll(master) // ends with an error when the last writer is gone: that is how terminals end
	if err := cmd.Wait(); err != nil {
		t.Fatalf("diurna %s: %v\n%s", strings.Join(args, " "), err, seen)
	}
	return string(seen)
}

func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = master.Close() })
	var unlock, number int32
	for request, arg := range map[uintptr]*int32{syscall.TIOCSPTLCK: &unlock, syscall.TIOCGPTN: &number} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), request, uintptr(unsafe.Pointer(arg))); errno != 0 {
			t.Fatal(errno)
		}
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return master, slave
}

func TestOnATerminalAnImportShowsItsBarAndNoLogUnlessAsked(t *testing.T) {
	t.Parallel()
	export := writeExport(t, 2, 2)
	seen := onTerminal(t, "import", "fitabase", export, "--zone", "Europe/Berlin", "--home", filepath.Join(t.TempDir(), "home"))
	if !strings.Contains(seen, "\rreading   [") || !strings.Contains(seen, "100 %") || !strings.Contains(seen, "in the lake and built: 2 people") {
		t.Errorf("the terminal shows no bar or no end: %q", seen)
	}
	if strings.Contains(seen, "level=INFO") {
		t.Errorf("the log stands beside the bar: %q", seen)
	}
	seen = onTerminal(t, "import", "fitabase", export, "--zone", "Europe/Berlin", "--home", filepath.Join(t.TempDir(), "home"), "--log-level", "info")
	if !strings.Contains(seen, "level=INFO msg=committed") {
		t.Errorf("a level that was asked for is not logged: %q", seen)
	}
	for line := range strings.Lines(seen) {
		if at := strings.Index(line, "time="); at > 0 && line[at-1] != '\r' {
			t.Errorf("a log line begins in the middle of a line: %q", line)
		}
	}
}

func TestOnATerminalPublishAndTheCareOfTheLakeShowTheirBars(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	home, batch := filepath.Join(dir, "home"), filepath.Join(dir, "batch.json")
	if err := os.WriteFile(batch, []byte(s3Batch), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		bar  string
		args []string
	}{
		{"\rsending   [", []string{"publish", "--home", home, batch}},
		{"\rcompact ", []string{"lake", "compact", "--full", "--home", home}},
		{"\rverify ", []string{"lake", "verify", "--home", home}},
		{"\rexpire ", []string{"lake", "expire", "--home", home}},
	} {
		if seen := onTerminal(t, step.args...); !strings.Contains(seen, step.bar) || !strings.Contains(seen, "100 %") {
			t.Errorf("diurna %s shows no bar, or not its end: %q", strings.Join(step.args[:2], " "), seen)
		}
	}
}
