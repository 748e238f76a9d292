package main

import (
	"cmp"
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	_ "github.com/duckdb/duckdb-go/v2" // the driver
)

// The shapes in which DuckDB writes the samples of the messages.
var (
	//go:embed duckdb/pieces.sql
	duckDBPieces string
	//go:embed duckdb/hours.sql
	duckDBHours string
	//go:embed duckdb/samples.sql
	duckDBSamples string
)

// defaultMemory is what DuckDB may take unless more is asked for.
const defaultMemory = "6GB"

// openDuckDB opens one in memory that works with one thread.
func openDuckDB(ctx context.Context, tempDir, memory string) (*sql.DB, error) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return nil, err
	}
	for _, setting := range []string{
		"set threads = 1", "set memory_limit = " + literal(memory), "set TimeZone = 'UTC'",
		"set temp_directory = " + literal(tempDir),
	} {
		if _, err := db.ExecContext(ctx, setting); err != nil {
			return nil, errors.Join(fmt.Errorf("set up DuckDB: %w", err), db.Close())
		}
	}
	return db, nil
}

// duckDBStage runs one statement; {{out}} in it is the file it writes.
func duckDBStage(ctx context.Context, j job) (result, error) {
	db, err := openDuckDB(ctx, j.Dir, cmp.Or(j.Memory, defaultMemory))
	if err != nil {
		return result{}, err
	}
	defer db.Close()
	out := filepath.Join(j.Dir, "out.parquet")
	statement := strings.ReplaceAll(j.SQL, "{{out}}", literal(out))
	r, err := measured(j, func() error {
		_, err := db.ExecContext(ctx, statement)
		return err
	})
	if err != nil {
		return result{}, err
	}
	info, err := os.Stat(out)
	if err != nil {
		return result{}, err
	}
	r.Files, r.Bytes = []string{out}, info.Size()
	return r, nil
}

// count returns the number a query of the files gives; {{files}} in it is their list.
func count(ctx context.Context, query string, files []string) (int, error) {
	db, err := openDuckDB(ctx, os.TempDir(), defaultMemory)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	var n int
	err = db.QueryRowContext(ctx, strings.ReplaceAll(query, "{{files}}", list(files))).Scan(&n)
	return n, err
}

func list(paths []string) string {
	quoted := make([]string, len(paths))
	for i, p := range paths {
		quoted[i] = literal(p)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
