package lake_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

func TestAMessageIsFoundByItsPositionAmongManyFilesAndRowGroups(t *testing.T) {
	t.Parallel()
	l := openLake(t, t.TempDir())
	table := schemas.TableSyncRecords
	snapshot, err := l.Load(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	// Two partitions with the same offsets, in files of three row groups each; a message has three rows.
	const messages = 12_000
	var paths []string
	for partition := range int32(2) {
		var rows []schemas.SyncRecord
		for offset := range int64(messages) {
			for item := range int32(3) {
				rows = append(rows, schemas.SyncRecord{Partition: partition, Offset: 100 + offset, ItemIndex: item, Kind: schemas.KindBatch})
			}
		}
		path, err := lake.WriteRows(t.Context(), l, table, lake.BronzeName{Partition: partition, Start: 100, End: 100 + messages}.String(),
			map[string]int64{"ingest_date": 0}, nil, rows)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	if snapshot, err = l.Commit(t.Context(), lake.Commit{Base: snapshot, ID: "test", Add: paths}); err != nil {
		t.Fatal(err)
	}
	for _, offset := range []int64{100, 101, 5_561, 5_562, 100 + messages/2, 99 + messages} {
		for partition := range int32(2) {
			got, err := l.RecordsAt(t.Context(), snapshot, partition, offset)
			if err != nil {
				t.Fatal(err)
			}
			var want []schemas.SyncRecord
			for item := range int32(3) {
				want = append(want, schemas.SyncRecord{Partition: partition, Offset: offset, ItemIndex: item, Kind: schemas.KindBatch})
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("message %d:%d (-want +got):\n%s", partition, offset, diff)
			}
		}
	}
	for _, at := range [][2]int64{{0, 99}, {0, 100 + messages}, {2, 100}} {
		if got, err := l.RecordsAt(t.Context(), snapshot, int32(at[0]), at[1]); err != nil || len(got) != 0 {
			t.Errorf("of a message that is not there: %d rows, %v", len(got), err)
		}
	}
}
