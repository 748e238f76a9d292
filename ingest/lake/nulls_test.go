package lake_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

// writtenNulls writes rows and returns, by column, for each row whether nothing stands there.
func writtenNulls(t *testing.T, l *lake.Lake, rows []schemas.SyncRecord) map[string][]bool {
	t.Helper()
	path, err := lake.WriteRows(t.Context(), l, schemas.TableSyncRecords, "nulls", map[string]int64{"ingest_date": 0}, nil, rows)
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.Store().Open(context.WithoutCancel(t.Context()), path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	file, err := parquet.OpenFile(f, f.Size())
	if err != nil {
		t.Fatal(err)
	}
	nulls := map[string][]bool{}
	for _, group := range file.RowGroups() {
		for i, chunk := range group.ColumnChunks() {
			column := file.Schema().Columns()[i][0]
			pages := chunk.Pages()
			for page, err := pages.ReadPage(); err == nil; page, err = pages.ReadPage() {
				for _, level := range page.DefinitionLevels() {
					nulls[column] = append(nulls[column], level == 0)
				}
			}
			if err := pages.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return nulls
}

func TestWhatIsAbsentIsWrittenAsAbsent(t *testing.T) {
	seed := rand.Uint64()
	dice := rand.New(rand.NewPCG(seed, 0))
	l := openLake(t, t.TempDir())
	for round := range 60 {
		rows := make([]schemas.SyncRecord, 1+dice.IntN(400))
		if round == 0 { // the smallest that went wrong
			rows = make([]schemas.SyncRecord, 16)
			for _, i := range []int{3, 4, 5} {
				rows[i].Name, rows[i].Text, rows[i].Payload = "x", "x", []byte("x")
			}
		}
		for from := 0; round > 0 && from < len(rows); { // runs of all lengths
			to := min(len(rows), from+1+dice.IntN(1+dice.IntN(70)))
			named, told, paid := dice.IntN(3) == 0, dice.IntN(2) == 0, dice.IntN(3) == 0
			for i := from; i < to; i++ {
				if named {
					rows[i].Name = "name"
				}
				if told {
					rows[i].Text = "text"
				}
				if paid {
					rows[i].Payload = []byte("payload")
				}
			}
			from = to
		}
		nulls := writtenNulls(t, l, rows)
		for i := range rows {
			for column, absent := range map[string]bool{"name": rows[i].Name == "", "text": rows[i].Text == "", "payload": len(rows[i].Payload) == 0, "reason": true} {
				if nulls[column][i] != absent {
					t.Fatalf("round %d of seed %d: %s of row %d of %d is absent: %t, want %t", round, seed, column, i, len(rows), nulls[column][i], absent)
				}
			}
		}
	}
}

// TestWhatIsAbsentAtTheEndOfAGroupIsWrittenAsAbsent has the library look at fewer rows at once than it usually does: those
// that are left of a group of rows.
func TestWhatIsAbsentAtTheEndOfAGroupIsWrittenAsAbsent(t *testing.T) {
	t.Parallel()
	const group = 16_384
	rows := make([]schemas.SyncRecord, group+1)
	for _, there := range []int{
		1,          // is written from row 1 on, and so the last rows of the group are not 64 but 63
		group - 62, // the second of them, which the library would take for the rest of them
		group,      // the 64th row is of the next group
	} {
		rows[there].Reason = "there"
	}
	for i, null := range writtenNulls(t, emptyLake(t), rows)["reason"] {
		if null == (rows[i].Reason != "") {
			t.Errorf("row %d: nothing stands there is %v, want %v", i, null, !null)
		}
	}
}
