package s3_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/diurna-health/diurna/internal/failpoint"
	"github.com/diurna-health/diurna/schemas"
)

// TestAStepThatFailsOnceIsTakenAgain has each step towards the bucket fail once, before it or after it was done. It is
// not parallel: failpoints are the process's.
func TestAStepThatFailsOnceIsTakenAgain(t *testing.T) {
	srv := startServer(t)
	l := openLake(t, filepath.Join(t.TempDir(), "ledger.db"), srv.open(t, nil))
	t.Cleanup(func() { _ = failpoint.Arm("") })
	for offset, doom := range []string{"s3.put.before=error@0x1", "s3.put.lost_reply=error@0x1", "s3.put.before=error@2x1", "s3.put.lost_reply=error@2x1"} {
		if err := failpoint.Arm(doom); err != nil {
			t.Fatal(err)
		}
		receive(t, l, int64(offset), 60+int32(offset))
		merge(t, l)
	}
	if err := failpoint.Arm(""); err != nil {
		t.Fatal(err)
	}
	hours := rowsOf[schemas.SeriesHour](t, l, schemas.TableSeriesHours)
	if len(hours) != 1 || !slices.Equal(hours[0].Values, []int32{60, 61, 62, 63}) {
		t.Errorf("silver is %v, want one hour of 60, 61, 62, 63", hours)
	}
	files := load(t, l, schemas.TableSeriesHours).Files
	other := openLake(t, filepath.Join(t.TempDir(), "other.db"), srv.open(t, nil)) // with no local copies
	if err := failpoint.Arm("cache.fill=error@0x1"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := other.Local(t.Context(), files); !errors.Is(err, failpoint.ErrInjected) {
		t.Errorf("a copy that could not be made gives %v", err)
	}
	paths, release, err := other.Local(t.Context(), files)
	if err != nil || len(paths) != len(files) {
		t.Fatalf("a copy is not made after one failed: %v", err)
	}
	release()
}
