// Package ledger opens the SQL database of what the system has promised and done: the Iceberg catalog, and whatever
// else must not be forgotten that is not known about people. The lake is the other store; nothing else remembers.
//
// # Decisions
//
// SQLite in WAL mode with full syncs: a commit of the catalog is the moment at which a commit of the lake becomes
// true, so it must survive a power cut. Readers in other processes do not wait for the writer, nor it for them.
package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"syscall"

	_ "modernc.org/sqlite" // the driver, in pure Go: DuckDB is the only C in the binary
)

// Open opens the SQLite ledger at path, making it when it is missing. One on a disk that is mounted read-only is opened
// for reading.
func Open(ctx context.Context, path string) (*sql.DB, error) {
	db, err := open(ctx, path, url.Values{"_pragma": {
		"journal_mode(wal)", "synchronous(full)", "busy_timeout(10000)", "foreign_keys(1)",
	}, "_txlock": {"immediate"}})
	if err != nil && onReadOnlyDisk(path) {
		// Nobody can change it, so there is nothing to lock, and no place for the files that locks are kept in.
		return open(ctx, path, url.Values{"mode": {"ro"}, "immutable": {"1"}})
	}
	return db, err
}

func open(ctx context.Context, path string, options url.Values) (*sql.DB, error) {
	// Escaped, for SQLite reads the name of a file as a URI: a "#" or "%" in a folder's name is not ours to interpret.
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: options.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open ledger: %w", err), db.Close())
	}
	return db, nil
}

func onReadOnlyDisk(path string) bool {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err == nil {
		_ = f.Close() // it was only tried
	}
	return errors.Is(err, syscall.EROFS)
}
