package ledger

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
)

// Migrations are numbered by subject: 1xxx medals, 2xxx rankings, 3xxx reports, 4xxx the lake, and below 1000 what all share.
//
//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the ledger's own tables up to date. It is safe to call at every start, by several processes at once.
func Migrate(ctx context.Context, db *sql.DB) error {
	scripts, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("find migrations: %w", err)
	}
	// A subject's next migration has a lower number than another subject's last one.
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, scripts, goose.WithAllowOutofOrder(true))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	// Several processes may start on a new ledger at once. Each step is a transaction, but which steps are due is read
	// before it: whoever comes second finds that what it makes is there already, and has to look again.
	const attempts, pause = 40, 50 * time.Millisecond
	for attempt := 1; ; attempt++ {
		if _, err = provider.Up(ctx); err == nil {
			return nil
		}
		if attempt == attempts || ctx.Err() != nil {
			return fmt.Errorf("migrate ledger: %w", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}
