package ledger_test

import (
	"errors"
	"path/filepath"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/diurna-health/diurna/internal/ledger"
)

func TestSeveralProcessesMayStartOnANewLedgerAtOnce(t *testing.T) {
	t.Parallel()
	for range 5 {
		path := filepath.Join(t.TempDir(), "ledger.db")
		var group errgroup.Group
		for range 6 {
			group.Go(func() error {
				db, err := ledger.Open(t.Context(), path)
				if err != nil {
					return err
				}
				return errors.Join(ledger.Migrate(t.Context(), db), db.Close())
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
	}
}
