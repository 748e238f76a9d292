package lake_test

import (
	"errors"
	"testing"
	"time"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/failpoint"
	"github.com/diurna-health/diurna/schemas"
)

// TestACommitOvertakenWhileItIsWrittenIsAConflict has one process commit while another has written its metadata and not
// yet looked whether the table is still the same. It is not parallel: failpoints are the process's.
func TestACommitOvertakenWhileItIsWrittenIsAConflict(t *testing.T) {
	dir := t.TempDir()
	slow, quick := openLake(t, dir), openLake(t, dir)
	if err := slow.CreateIngestTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	commit := func(l *lake.Lake, id string) error {
		base, err := l.Load(t.Context(), schemas.TableSyncRecords)
		if err != nil {
			return err
		}
		path, err := lake.WriteRows(t.Context(), l, schemas.TableSyncRecords, id, map[string]int64{"ingest_date": 0}, nil,
			[]schemas.SyncRecord{{Kind: schemas.KindBatch, BatchID: id}})
		if err != nil {
			return err
		}
		_, err = l.Commit(t.Context(), lake.Commit{Base: base, ID: id, Add: []string{path}})
		return err
	}
	if err := failpoint.Arm("commit.after_manifest=sleep:500ms@0x1"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = failpoint.Arm("") })
	overtaken := make(chan error, 1)
	go func() { overtaken <- commit(slow, "slow") }()
	time.Sleep(150 * time.Millisecond)
	if err := commit(quick, "quick"); err != nil {
		t.Fatal(err)
	}
	if err := <-overtaken; !errors.Is(err, lake.ErrConflict) {
		t.Errorf("the commit that was overtaken ends with %v, want %v", err, lake.ErrConflict)
	}
}
