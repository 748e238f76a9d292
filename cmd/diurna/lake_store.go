package main

import (
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/ingest/lake/s3"
	"github.com/diurna-health/diurna/internal/home"
)

// copiesDir is the folder of the home with the local copies of a lake in a bucket.
const copiesDir = "copies"

// lakeConfig says where the lake of a home is, and opens the bucket when it is in one.
func lakeConfig(ctx context.Context, cfg Config, h *home.Home, db *sql.DB, log *slog.Logger) (lake.Config, error) {
	c := lake.Config{Dir: h.LakeDir(), Catalog: db, UserBuckets: h.UserBuckets(), Now: time.Now, Logger: log}
	if cfg.Lake.Location == "" {
		return c, nil
	}
	store, err := s3.Open(ctx, s3.Config{
		Location: cfg.Lake.Location, Endpoint: cfg.S3.Endpoint, Region: cfg.S3.Region,
		AccessKey: cfg.S3.AccessKey, SecretKey: cfg.S3.SecretKey.Reveal(), PathStyle: cfg.S3.PathStyle,
		CacheDir: filepath.Join(h.Dir(), copiesDir), CacheBytes: int64(cfg.S3.Cache), Now: time.Now, Logger: log,
	})
	if err != nil {
		return c, err
	}
	c.Store = store
	return c, nil
}
