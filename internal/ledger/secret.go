package ledger

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
)

// secretBytes is the length of a secret.
const secretBytes = 32

// Secret returns the installation's secret of that name, the same bytes at every call. The first call makes it.
func Secret(ctx context.Context, db *sql.DB, name string) ([]byte, error) {
	fresh := make([]byte, secretBytes)
	if _, err := rand.Read(fresh); err != nil {
		return nil, fmt.Errorf("make secret: %w", err)
	}
	// Whoever comes second finds the first one's.
	if _, err := db.ExecContext(ctx, "insert into secrets (name, value) values (?, ?) on conflict do nothing", name, fresh); err != nil {
		return nil, fmt.Errorf("keep secret: %w", err)
	}
	var kept []byte
	if err := db.QueryRowContext(ctx, "select value from secrets where name = ?", name).Scan(&kept); err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	return kept, nil
}
