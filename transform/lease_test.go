package transform_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform"
)

// tidy lets go of everything that nobody needs.
func tidy(t *testing.T, l *lake.Lake) {
	t.Helper()
	tables, err := l.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if _, err := l.Expire(t.Context(), table, lake.Expiry{}); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Sweep(t.Context(), table, -time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.EmptyTrash(t.Context(), 0, 0); err != nil {
		t.Fatal(err)
	}
}

func steps(values ...int32) map[string]piece {
	return map[string]piece{"a": {hours: []schemas.SeriesHour{
		hours("u", "watch", schemas.Steps, firstDay, 9, 60_000, values...),
	}}}
}

func TestAReadersFilesStayWhileItReadsAndGoAfterwards(t *testing.T) {
	t.Parallel()
	w := newLakeWorld(t)
	l := w.lake.(*lake.Lake)
	w.put(steps(10, 20))
	w.build(false)
	s, err := l.Load(t.Context(), "gold.activity_days")
	if err != nil {
		t.Fatal(err)
	}
	r := openReader(t, w)
	w.put(steps(1, 2))
	w.build(false)
	tidy(t, l)
	rows, err := r.Query(t.Context(), "select step_count from activity_days union all select sum(value) from steps")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := firstColumn(rows); err != nil || len(got) != 2 || got[0] != "30" || got[1] != "30" {
		t.Errorf("the reader sees %v, %v, want the 30 steps of when it was opened", got, err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	tidy(t, l)
	if _, err := os.Stat(s.Files[0].Path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file is still there though its reader is done: %v", err)
	}
	if leases, err := l.Leases(t.Context()); err != nil || len(leases) != 0 {
		t.Errorf("leases are %v, %v, want none: a build and a reader give theirs back", leases, err)
	}
}

func TestADamagedGoldFileIsNotWrittenAnew(t *testing.T) {
	t.Parallel()
	w := newLakeWorld(t)
	l := w.lake.(*lake.Lake)
	w.put(steps(10, 20))
	w.build(false)
	before, err := l.Load(t.Context(), "gold.activity_days")
	if err != nil {
		t.Fatal(err)
	}
	path := before.Files[0].Path
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(content, []byte("DuckDB")) // who wrote it: DuckDB reads the file all the same
	if at < 0 {
		t.Fatal("the file does not say who wrote it")
	}
	content[at] ^= 1
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	w.put(steps(1, 2))
	if _, err := buildOn(t, w.lake, w.project, false); !errors.Is(err, lake.ErrDamaged) {
		t.Errorf("building on a damaged file gave %v, want ErrDamaged", err)
	}
	if after, err := l.Load(t.Context(), "gold.activity_days"); err != nil || after.ID != before.ID {
		t.Errorf("something was committed from a damaged file, %v", err)
	}
}

func TestAReaderThatCannotBeOpenedGivesItsLeaseBack(t *testing.T) {
	t.Parallel()
	w := newLakeWorld(t)
	l := w.lake.(*lake.Lake)
	w.put(steps(10, 20))
	w.build(false)
	// A lake of which a table cannot be loaded, after others have been.
	if _, err := transform.OpenReader(t.Context(), withoutTable{l, "gold.user_days"}, w.project, testConfig(t)); !errors.Is(err, errNoLoad) {
		t.Errorf("opening gave %v, want the error of the table", err)
	}
	if leases, err := l.Leases(t.Context()); err != nil || len(leases) != 0 {
		t.Errorf("leases are %v, %v, want none", leases, err)
	}
}

var errNoLoad = errors.New("the table cannot be loaded")

// withoutTable is a lake of which one table cannot be loaded.
type withoutTable struct {
	*lake.Lake
	table string
}

func (w withoutTable) Load(ctx context.Context, table string) (*lake.Snapshot, error) {
	if table == w.table {
		return nil, errNoLoad
	}
	return w.Lake.Load(ctx, table)
}
