package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// inNamespace runs a script in a mount namespace of its own, in which it may mount; binary is $1.
func inNamespace(t *testing.T, script string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-euc", script, "sh", binary}, args...)...)
	cmd.SysProcAttr = namespace()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// namespace gives a process a mount namespace of its own.
func namespace() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if syscall.Getuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: syscall.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: syscall.Getgid(), Size: 1}}
	}
	return attr
}

// TestAFullDiskLosesNothing fills the disk at several moments of an import, then makes it larger and goes on.
func TestAFullDiskLosesNothing(t *testing.T) {
	t.Parallel()
	export := writeExport(t, 6, 5)
	undisturbed := filepath.Join(t.TempDir(), "home")
	diurna(t, "import", "fitabase", export, "--zone", "Europe/Berlin", "--home", undisturbed)
	want := gold(t, undisturbed)

	disk := t.TempDir()
	if out, err := inNamespace(t, `mount -t tmpfs -o size=1m tmpfs "$2"`, disk); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("a small disk cannot be mounted: %v %s", err, out)
		}
		t.Skipf("this machine lets nobody mount a small disk: %v %s", err, out)
	}
	const script = `
		binary=$1 disk=$2 export=$3 size=$4 out=$5
		mount -t tmpfs -o "size=${size}k" tmpfs "$disk"
		code=0
		"$binary" import fitabase "$export" --zone Europe/Berlin --home "$disk/home" --log-level error 2>"$out/stderr" || code=$?
		echo "exit $code"
		sed -n 's/^diurna: /says /p' "$out/stderr"
		"$binary" sql --home "$disk/home" --format csv 'select count(*) from activity_days' >"$out/answer" || echo "no answer"
		mount -o remount,size=64m "$disk"
		"$binary" import fitabase "$export" --zone Europe/Berlin --home "$disk/home" --log-level error 2>"$out/again"
		"$binary" sql --home "$disk/home" --format csv "%s" >"$out/gold.csv"`
	failed := 0
	for _, kilobytes := range []int{120, 260, 400, 700, 1000} {
		out := t.TempDir()
		said, err := inNamespace(t, fmt.Sprintf(script, goldQuery()), disk, export, fmt.Sprint(kilobytes), out)
		if err != nil {
			t.Fatalf("with %d KiB: %v\n%s", kilobytes, err, said)
		}
		if strings.HasPrefix(said, "exit 1\n") {
			failed++
			if !strings.Contains(said, "says the disk is full: make room and do the same again") {
				t.Errorf("with %d KiB the import says %s", kilobytes, said)
			}
		} else if !strings.HasPrefix(said, "exit 0\n") {
			t.Errorf("with %d KiB the import ended with %s", kilobytes, said)
		}
		if strings.Contains(said, "no answer") {
			t.Errorf("with %d KiB the home no longer answers", kilobytes)
		}
		compareGold(t, fmt.Sprintf("with %d KiB, after the import went on", kilobytes), want, byTable(readCSV(t, filepath.Join(out, "gold.csv"))))
	}
	if failed < 3 {
		t.Errorf("only %d of 5 imports met a full disk", failed)
	}
}
