package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/home"
	"github.com/diurna-health/diurna/medals"
	"github.com/diurna-health/diurna/ranking"
	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform"
)

// A reader is the lake of a home, opened to be asked. It takes no lock: a pipeline may run on the home or not.
type reader struct {
	*transform.Reader
	db *sql.DB
	// newest is the broker's time of the newest message in the lake; zero when there is none.
	newest time.Time
}

// openReader opens the home's lake, with the sensitive tables that show names.
func (a *app) openReader(cmd *cobra.Command, show ...transform.Sensitivity) (*reader, error) {
	cfg, log, err := a.setUp(cmd)
	if err != nil {
		return nil, err
	}
	ctx := cmd.Context()
	h, err := home.Open(cfg.Home)
	if err != nil {
		return nil, err
	}
	project, err := loadProject(ctx)
	if err != nil {
		return nil, err
	}
	db, l, err := openLake(ctx, cfg, h, log)
	if err != nil {
		return nil, err
	}
	newest, err := newestMessage(ctx, l) // before the tables, so that it never runs ahead of them
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	duck := duckDB(cfg, log)
	duck.Show = show
	r, err := transform.OpenReader(ctx, l, project, duck)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &reader{Reader: r, db: db, newest: newest}, nil
}

// newestMessage returns the broker's time of the newest message in the lake, zero when there is none. The bounds of the
// files say it: nothing is read.
func newestMessage(ctx context.Context, l *lake.Lake) (time.Time, error) {
	s, err := l.Load(ctx, schemas.TableSyncRecords)
	if errors.Is(err, lake.ErrNoTable) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("look up the newest message: %w", err)
	}
	var newest time.Time
	for _, f := range s.Files {
		if upper, ok := f.Upper["broker_at"]; ok {
			if at := time.UnixMicro(upper.Int).UTC(); at.After(newest) {
				newest = at
			}
		}
	}
	return newest, nil
}

// Close gives the lake back.
func (r *reader) Close() error { return errors.Join(r.Reader.Close(), r.db.Close()) }

// loadProject loads the models of every package that has some.
func loadProject(ctx context.Context) (*transform.Project, error) {
	return transform.Load(ctx, transform.Models, medals.Models, ranking.Models)
}

// duckDB returns what every DuckDB this process opens is bounded by.
func duckDB(cfg Config, log *slog.Logger) transform.Config {
	threads := cfg.DuckDB.Threads
	if threads == 0 {
		threads = runtime.NumCPU()
	}
	return transform.Config{
		MemoryLimit: cfg.DuckDB.Memory.String(), Threads: threads,
		TempDir: filepath.Join(os.TempDir(), "diurna-duckdb-"+strconv.Itoa(os.Getpid())), MaxTempSize: cfg.DuckDB.Temp.String(),
		Now: time.Now, Logger: log,
	}
}
