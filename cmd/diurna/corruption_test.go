//go:build !race

package main_test

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestVerifyFindsEveryDamagedFile flips bits in the files of a lake and cuts them short, two hundred times, data and
// metadata alike. Each time `lake verify` ends with 1 and names the file; when the damage is undone it ends with 0.
//
// Several files are damaged between two calls, each in one place: a call reads the whole lake anyway.
func TestVerifyFindsEveryDamagedFile(t *testing.T) {
	t.Parallel()
	home, _, _ := fillHome(t, newTraffic(4, 6, 60), 400)
	seed := uint64(number(t, "DIURNA_SEED", 11))
	dice := rand.New(rand.NewPCG(seed, 4))
	if stdout, stderr, code := diurnaCode(t, "lake", "verify", "--home", home); code != 0 {
		t.Fatalf("verify finds fault with a lake nobody touched: %s%s", stdout, stderr)
	}
	data, metadata := liveFiles(t, home), metadataFiles(t, home)
	const damages, atOnce = 200, 20
	found, flips, cuts := 0, 0, 0
	for found < damages && !t.Failed() {
		damaged := map[string][]byte{}
		for len(damaged) < atOnce {
			files := data
			if len(damaged)%4 == 3 { // metadata is small; a table of which much is damaged hides the rest
				files = metadata
			}
			path := files[dice.IntN(len(files))]
			if _, twice := damaged[path]; twice {
				continue
			}
			whole := read(t, path)
			damaged[path] = whole
			bad := slices.Clone(whole)
			if dice.IntN(4) == 0 {
				bad = bad[:dice.IntN(len(bad))]
				cuts++
			} else {
				bad[dice.IntN(len(bad))] ^= 1 << dice.IntN(8)
				flips++
			}
			write(t, path, bad)
		}
		stdout, stderr, code := diurnaCode(t, "lake", "verify", "--home", home)
		if code != 1 {
			t.Errorf("verify ends with %d", code)
		}
		for path, whole := range damaged {
			if !strings.Contains(stdout+stderr, path) {
				t.Errorf("verify does not name %s (seed %d)", path, seed)
			}
			write(t, path, whole)
			found++
		}
	}
	t.Logf("%d flips and %d cuts, %d named", flips, cuts, found)
	if stdout, stderr, code := diurnaCode(t, "lake", "verify", "--home", home); code != 0 {
		t.Errorf("verify finds fault with a lake that is whole again: %s%s", stdout, stderr)
	}
}

// liveFiles are the live data files of all tables, as `lake status --files` lists them.
func liveFiles(t *testing.T, home string) []string {
	t.Helper()
	files := strings.Fields(diurna(t, "lake", "status", "--files", "--home", home))
	for _, path := range files {
		if !filepath.IsAbs(path) {
			t.Fatalf("status --files lists %q, which is no absolute path", path)
		}
		if _, err := os.Stat(path); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// metadataFiles are Iceberg's own files: of each table the newest metadata, and all manifests and lists of the snapshots
// it still has. Older metadata is history that nothing reads.
func metadataFiles(t *testing.T, home string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(filepath.Join(home, "lake"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) == ".avro" {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
