package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAHomeOnAReadOnlyDiskCanBeRead mounts a disk for reading with a home on it.
func TestAHomeOnAReadOnlyDiskCanBeRead(t *testing.T) {
	t.Parallel()
	export := writeExport(t, 2, 2)
	home := filepath.Join(t.TempDir(), "home")
	diurna(t, "import", "fitabase", export, "--zone", "Europe/Berlin", "--home", home)
	want := diurna(t, "sql", "--home", home, "--format", "csv", "select * from activity_days order by all")

	// Bound over itself: the lake names its files by where they are.
	said, err := inNamespace(t, `
		mount --bind "$2" "$2" && mount -o remount,bind,ro "$2" || { echo "cannot mount"; exit 0; }
		touch "$2/x" 2>/dev/null && { echo "the disk can be written"; exit 1; }
		"$1" sql --home "$2" --format csv "select * from activity_days order by all"
		"$1" lake verify --home "$2" 2>/dev/null
		"$1" lake status --home "$2" >/dev/null`, home)
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if strings.Contains(said, "cannot mount") {
		if os.Getenv("CI") != "" {
			t.Fatal("a disk cannot be mounted for reading")
		}
		t.Skip("this machine lets nobody mount a disk for reading")
	}
	if !strings.HasPrefix(said, want) || !strings.Contains(said, "all is well") {
		t.Errorf("a read-only home says\n%s\nwant\n%s", said, want)
	}
}
