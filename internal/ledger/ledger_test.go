package ledger_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/diurna-health/diurna/internal/ledger"
)

func TestMigrateMayBeCalledAtEveryStartAndSecretsStay(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	var secrets [][]byte
	for range 2 {
		db, err := ledger.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if err := ledger.Migrate(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "a", "b"} {
			secret, err := ledger.Secret(t.Context(), db, name)
			if err != nil {
				t.Fatal(err)
			}
			secrets = append(secrets, secret)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []int{0, 0, 2, 0, 0, 2} {
		if !bytes.Equal(secrets[i], secrets[want]) {
			t.Errorf("call %d returned another secret than call %d", i, want)
		}
	}
	if bytes.Equal(secrets[0], secrets[2]) || len(secrets[0]) != 32 {
		t.Error("secrets of two names are the same, or short")
	}
}

func TestSyncsAreFullAndJournalsWrittenAhead(t *testing.T) {
	t.Parallel()
	db, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "missing", "ledger.db"))
	if err == nil {
		defer db.Close()
		t.Fatal("a ledger in a folder that does not exist was opened")
	}
	db, err = ledger.Open(t.Context(), filepath.Join(t.TempDir(), "with space.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var mode string
	var synchronous int
	if err := db.QueryRowContext(t.Context(), "pragma journal_mode").Scan(&mode); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRowContext(t.Context(), "pragma synchronous").Scan(&synchronous); err != nil {
		t.Fatal(err)
	}
	if mode != "wal" || synchronous != 2 {
		t.Errorf("journal mode is %s and synchronous %d, want wal and 2 (full)", mode, synchronous)
	}
}
