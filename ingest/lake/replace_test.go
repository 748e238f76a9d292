package lake

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/schemas"
)

// TestACompactionOfFilesThatAreGoneIsNotCommitted holds the step of a compaction between writing and committing, in
// which others may do what they like.
func TestACompactionOfFilesThatAreGoneIsNotCommitted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := ledger.Open(t.Context(), filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	l, err := Open(t.Context(), Config{Dir: filepath.Join(dir, "lake"), Catalog: db, UserBuckets: 1, Now: time.Now,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.CreateIngestTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	write := func(user string) string {
		t.Helper()
		path, err := WriteRows(t.Context(), l, schemas.TableReadings, "test", nil, nil, []schemas.ReadingRow{{UserID: user}})
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	commit := func(id string, add, remove []string) *Snapshot {
		t.Helper()
		base, err := l.Load(t.Context(), schemas.TableReadings)
		if err != nil {
			t.Fatal(err)
		}
		s, err := l.Commit(t.Context(), Commit{Base: base, ID: id, Add: add, Remove: remove})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	a, b := write("a"), write("b")
	base := commit("1", []string{a, b}, nil)
	folded := write("a and b")

	appended := commit("2", []string{write("c")}, nil) // others may add
	if ok, err := l.replace(t.Context(), base, base.Files, []string{folded}, []string{a, b}); !ok || err != nil {
		t.Fatalf("after rows were added beside it, a compaction was committed: %v, %v, want true", ok, err)
	}
	base, again := appended, write("a once more")
	if ok, err := l.replace(t.Context(), base, []File{{Path: a}}, []string{again}, []string{a}); ok || err != nil {
		t.Errorf("of files that are gone, a compaction was committed: %v, %v, want false", ok, err)
	}
	now, err := l.Load(t.Context(), schemas.TableReadings)
	if err != nil {
		t.Fatal(err)
	}
	if len(now.Files) != 2 {
		t.Errorf("%d files are live, want the folded one and the one that was added", len(now.Files))
	}
}
