package lake_test

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

// verify verifies the given tables, or all.
func verify(t *testing.T, l *lake.Lake, tables ...string) *lake.VerifyReport {
	t.Helper()
	if len(tables) == 0 {
		var err error
		if tables, err = l.Tables(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	r, err := l.Verify(t.Context(), tables, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tableOf returns the table in whose folder a file lies.
func tableOf(dir, path string) string {
	parts := strings.Split(strings.TrimPrefix(path, dir+"/"), "/")
	return parts[0] + "." + parts[1]
}

// lakeFiles returns the path of every file below the lake's folder.
func lakeFiles(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return files
}

// aTidyLake returns a lake with a history in which every file is referred to, and its folder.
func aTidyLake(t *testing.T) (*lake.Lake, string) {
	t.Helper()
	dir := t.TempDir()
	l := openLake(t, dir)
	aStream(4, 1, 24).feed(t, l, 1)
	tables, err := l.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if _, err := l.Expire(t.Context(), table, lake.Expiry{KeepLast: 3}); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Sweep(t.Context(), table, -time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.EmptyTrash(t.Context(), 0, 0); err != nil {
		t.Fatal(err)
	}
	return l, filepath.Join(dir, "lake")
}

func TestVerifyFindsEveryFlippedTruncatedAndMissingFile(t *testing.T) {
	t.Parallel()
	l, dir := aTidyLake(t)
	files := lakeFiles(t, dir)
	if r := verify(t, l); len(r.Problems) > 0 || r.Files != len(files) || r.Unchecked > 0 {
		t.Fatalf("of a sound lake with %d files %d were read, %d unchecked, problems %v", len(files), r.Files, r.Unchecked, r.Problems)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	kinds := map[string]int{}
	for range 200 {
		path := files[rng.IntN(len(files))]
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var says string
		switch damaged := append([]byte(nil), content...); rng.IntN(5) {
		case 0:
			says = "missing"
			err = os.Remove(path)
		case 1:
			says = "truncated"
			err = os.WriteFile(path, damaged[:rng.IntN(len(damaged))], 0o600)
		case 2:
			says = "too long"
			err = os.WriteFile(path, append(damaged, byte(rng.Uint32())), 0o600)
		default:
			says = "altered"
			damaged[rng.IntN(len(damaged))] ^= 1 << rng.IntN(8)
			err = os.WriteFile(path, damaged, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		kinds[says+" "+filepath.Ext(path)]++
		found := false
		for _, p := range verify(t, l, tableOf(dir, path)).Problems {
			found = found || p.Path == path && strings.Contains(p.Says, says)
			if p.Path != path && p.Path != "" {
				t.Errorf("%s was %s, and %s is said to be %s", path, says, p.Path, p.Says)
			}
		}
		if !found {
			t.Errorf("%s was %s, and nobody noticed", path, says)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range []string{"missing .json", "truncated .avro", "altered .parquet", "altered .avro", "altered .json"} {
		if kinds[kind] == 0 {
			t.Errorf("no file was %s in 200 tries, so nothing is shown of that: %v", kind, kinds)
		}
	}
	if r := verify(t, l); len(r.Problems) > 0 {
		t.Errorf("after everything was put back: %v", r.Problems)
	}
}

func TestVerifyFindsEveryFileWhenAllAreDamaged(t *testing.T) {
	t.Parallel()
	l, dir := aTidyLake(t)
	want := map[string]bool{}
	for _, path := range lakeFiles(t, dir) {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		content[len(content)/2] ^= 4
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		want[path] = true
	}
	for _, p := range verify(t, l).Problems {
		delete(want, p.Path)
	}
	if len(want) > 0 {
		t.Errorf("%d damaged files were not found: %v", len(want), want)
	}
}

func TestVerifyFindsHolesOverlapsAndFallenWatermarks(t *testing.T) {
	t.Parallel()
	type step func(t *testing.T, l *lake.Lake)
	receiveOne := func(start, end int64) step {
		return func(t *testing.T, l *lake.Lake) {
			t.Helper()
			var records []schemas.SyncRecord
			for o := start; o < end; o++ {
				records = append(records, stampedRecord(heartRate("a", o, o, o, 0, 60)))
			}
			receiveRange(t, l, 0, start, end, records)
		}
	}
	mark := func(value string) step {
		return func(t *testing.T, l *lake.Lake) {
			t.Helper()
			commitNow(t, l, schemas.TableSyncRecords, nil, map[string]string{"ingest.wm.0": value})
		}
	}
	gap := func(from, to int64, skipped bool) step {
		return func(t *testing.T, l *lake.Lake) {
			t.Helper()
			path, err := lake.WriteRows(t.Context(), l, schemas.TableIngestGaps, "gap", nil, nil,
				[]schemas.IngestGap{{Source: "s", FromOffset: from, ToOffset: to, Skipped: skipped}})
			if err != nil {
				t.Fatal(err)
			}
			commitNow(t, l, schemas.TableIngestGaps, []string{path}, nil)
		}
	}
	for _, tt := range []struct {
		name  string
		steps []step
		want  []string
	}{
		{"in order", []step{receiveOne(5, 7), receiveOne(7, 9)}, nil},
		{"a hole", []step{receiveOne(0, 3), receiveOne(5, 6)}, []string{"partition 0: the offsets 3 to 4 are in no file"}},
		{"a hole that was skipped", []step{receiveOne(0, 3), gap(3, 5, true), receiveOne(5, 6)}, nil},
		{"a hole that halted", []step{receiveOne(0, 3), gap(3, 5, false), receiveOne(5, 6)},
			[]string{"partition 0: the offsets 3 to 4 are in no file"}},
		{"a gap about to be skipped", []step{receiveOne(0, 3), gap(3, 5, true)}, nil},
		{"an overlap", []step{receiveOne(0, 3), receiveOne(2, 4)}, []string{"partition 0: the offsets 2 to 2 are in two files"}},
		{"a watermark ahead of its files", []step{receiveOne(0, 3), mark("9")},
			[]string{"partition 0: its files end at offset 3 and its watermark is 9"}},
		{"a watermark that fell", []step{receiveOne(0, 3), mark("9"), mark("3")}, []string{"ingest.wm.0 fell from 9 to 3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := openLake(t, t.TempDir())
			for _, s := range tt.steps {
				s(t, l)
			}
			var got []string
			for _, p := range verify(t, l).Problems {
				got = append(got, p.Says)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error("problems (-want +got):\n" + diff)
			}
		})
	}
}

func TestVerifySaysWhenAMissingFileLiesInTheTrash(t *testing.T) {
	t.Parallel()
	l, dir := aTidyLake(t)
	victim := load(t, l, schemas.TableSyncRecords).Files[0].Path
	trash := filepath.Join(dir, "_trash", "20260101T10Z", strings.TrimPrefix(victim, dir))
	if err := os.MkdirAll(filepath.Dir(trash), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(victim, trash); err != nil {
		t.Fatal(err)
	}
	problems := verify(t, l).Problems
	if len(problems) != 1 || !strings.Contains(problems[0].String(), trash) {
		t.Errorf("problems are %v, want one that names %s", problems, trash)
	}
}
