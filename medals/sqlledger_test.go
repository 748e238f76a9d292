package medals_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/medals"
)

func TestADamagedEntryIsNamedByWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	db, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := ledger.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	const sound = "2026-03-02T12:00:00Z"
	for _, tt := range []struct{ user, earnedOn, evidence, recordedAt, awardedAt, says string }{
		{"date", "yesterday", "{}", sound, sound, "earned_on"},
		{"evidence", "2026-03-01", "{", sound, sound, "evidence"},
		{"recorded", "2026-03-01", "{}", "noon", sound, "recorded_at"},
		{"awarded", "2026-03-01", "{}", sound, "noon", "awarded_at"},
	} {
		if _, err := db.ExecContext(t.Context(), `insert into medal_entries
			values (?1, 1, ?1, 'm', 1, '', 1, 'award', '', ?2, ?3, ?4), (?1, 2, ?1, 'm', 1, '', 1, 'amend', '', ?2, ?3, ?5)`,
			tt.user, tt.earnedOn, tt.evidence, tt.awardedAt, tt.recordedAt); err != nil {
			t.Fatal(err)
		}
		_, err := medals.NewSQLLedger(db).Standings(t.Context(), []string{tt.user})
		if err == nil || !strings.Contains(err.Error(), ": "+tt.says) {
			t.Errorf("%s: error is %v, want one about %s", tt.user, err, tt.says)
		}
	}
}
