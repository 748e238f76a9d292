package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/diurna-health/diurna/ingest"
	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/schemas"
)

// A home is a lake with its ledger.
type home struct {
	db   *sql.DB
	lake *lake.Lake
}

func openHome(ctx context.Context, dir string) (*home, error) {
	db, err := ledger.Open(ctx, filepath.Join(dir, "ledger.db"))
	if err != nil {
		return nil, err
	}
	l, err := lake.Open(ctx, lake.Config{
		Dir: filepath.Join(dir, "lake"), Catalog: db, UserBuckets: 1, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err == nil {
		err = l.CreateIngestTables(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &home{db: db, lake: l}, nil
}

func (h *home) close() error { return h.db.Close() }

// files lists the data files of a table.
func (h *home) files(ctx context.Context, table string) (paths []string, bytes int64, err error) {
	s, err := h.lake.Load(ctx, table)
	if err != nil {
		return nil, 0, err
	}
	for _, f := range s.Files {
		paths = append(paths, f.Path)
		bytes += f.Bytes
	}
	return paths, bytes, nil
}

// ingestStage reads the messages from Kafka until the commit that holds the last of them.
func ingestStage(ctx context.Context, j job) (result, error) {
	h, err := openHome(ctx, j.Dir)
	if err != nil {
		return result{}, err
	}
	defer h.close() //nolint:errcheck // what was measured is in r
	topic, err := kafka.Open(ctx, kafka.Config{Brokers: []string{j.Broker}, Topic: topicName})
	if err != nil {
		return result{}, err
	}
	defer topic.Close()

	r, err := measured(j, func() error { return ingestAll(ctx, h, topic, j) })
	if err != nil {
		return result{}, err
	}
	r.Files, r.Bytes, err = h.files(ctx, schemas.TableSyncRecords)
	return r, err
}

func ingestAll(ctx context.Context, h *home, topic *kafka.Topic, j job) error {
	ctx, done := context.WithCancel(ctx)
	defer done()
	messages := 0
	cfg := ingest.Config{
		Lake: h.lake, Topic: topic, UserBuckets: 1, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		Committed: func(c ingest.Commit) {
			if messages += c.Messages; messages >= j.Messages {
				done()
			}
		},
	}
	if j.FlushSamples > 0 {
		cfg.FlushSamples, cfg.FlushBytes, cfg.FlushAge = j.FlushSamples, 1<<30, time.Hour
	}
	if err := ingest.New(cfg).Run(ctx); err != nil {
		return err
	}
	if messages != j.Messages {
		return fmt.Errorf("%d messages of %d were committed", messages, j.Messages)
	}
	return nil
}

// warm reads a file, so that it lies in the page cache for whoever reads it next.
func warm(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(io.Discard, f)
	return err
}
