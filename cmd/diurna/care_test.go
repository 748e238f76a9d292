package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

// receive commits one message of a person to bronze and merges it.
func receive(t *testing.T, p *pipeline, offset int64) {
	t.Helper()
	receiveOf(t, p, "ann", offset)
}

func receiveOf(t *testing.T, p *pipeline, user string, offset int64) {
	t.Helper()
	ctx := t.Context()
	hour, date, value := int64(17_000)*24*3_600_000_000, int32(17_000+offset), int32(7)
	hour += offset * 24 * 3_600_000_000
	record := schemas.SyncRecord{
		Partition: 0, Offset: offset, Kind: schemas.KindSeries, IngestDate: 20_000, UserID: user, DeviceID: "w", Seq: offset,
		Source: "native", Metric: schemas.Steps, HourAt: &hour, StartAt: &hour, LocalDate: &date, PeriodMS: 60_000,
		OffsetsMS: []int32{0}, Values: []int32{value},
	}
	name := lake.BronzeName{Start: offset, End: offset + 1}
	path, err := lake.WriteRows(ctx, p.lake, schemas.TableSyncRecords, name.String(), map[string]int64{"ingest_date": 20_000}, nil,
		[]schemas.SyncRecord{record})
	if err != nil {
		t.Fatal(err)
	}
	base, err := p.lake.Load(ctx, schemas.TableSyncRecords)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.lake.Commit(ctx, lake.Commit{Base: base, ID: fmt.Sprint("offset ", offset), Add: []string{path},
		Properties: lake.WatermarkProperties(lake.IngestWatermark, map[int32]int64{0: offset + 1})}); err != nil {
		t.Fatal(err)
	}
	if _, err := lake.NewMerger(p.lake).Run(ctx); err != nil {
		t.Fatal(err)
	}
}

func fileCount(t *testing.T, p *pipeline, table string) int {
	t.Helper()
	s, err := p.lake.Load(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	return len(s.Files)
}

func dirtyRows(t *testing.T, p *pipeline) (n int64) {
	t.Helper()
	s, err := p.lake.Load(t.Context(), schemas.TableDirtyDays)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range s.Files {
		n += f.Rows
	}
	return n
}

func TestARunningPipelineLooksAfterItsLake(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	cfg := DefaultConfig()
	cfg.Home = filepath.Join(t.TempDir(), "home")
	cfg.Broker.Address = "127.0.0.1:0"
	p, err := startPipeline(ctx, cfg, slog.New(slog.DiscardHandler), role{ingests: true})
	if err != nil {
		t.Fatal(err)
	}
	live := newLiveReader(p)
	defer func() {
		live.changed()
		if err := p.close(); err != nil {
			t.Error(err)
		}
	}()
	const messages = 10
	for offset := range int64(messages) {
		receive(t, p, offset)
	}
	if err := p.build(ctx); err != nil {
		t.Fatal(err)
	}
	if err := p.careOnce(ctx); err != nil {
		t.Fatal(err)
	}
	if n := fileCount(t, p, schemas.TableSyncRecords); n != 1 {
		t.Errorf("%d files of received rows are left of %d, want 1", n, messages)
	}
	if n := dirtyRows(t, p); n != messages {
		t.Errorf("%d dirty days are listed, want all %d: no process has marked reports for them", n, messages)
	}

	scheduler, err := newScheduler(ctx, p, live)
	if err != nil {
		t.Fatal(err)
	}
	p.settler = &settler{p: p, scheduler: scheduler}
	if marks, err := readSettled(ctx, p.db, p.lake, p.project); err != nil || marks != nil {
		t.Errorf("before reports are marked, %v is settled, %v", marks, err)
	}
	for offset := int64(messages); offset < 2*messages; offset++ {
		receive(t, p, offset)
	}
	if err := p.build(ctx); err != nil {
		t.Fatal(err)
	}
	if marks, err := readSettled(ctx, p.db, p.lake, p.project); err != nil || marks[0] != 2*messages {
		t.Errorf("settled is %v, %v, want partition 0 up to %d", marks, err, 2*messages)
	}
	if err := p.careOnce(ctx); err != nil {
		t.Fatal(err)
	}
	if n := dirtyRows(t, p); n != 0 {
		t.Errorf("%d dirty days are left though everybody is done with them", n)
	}

	// A model that changes has rows that no dirty day speaks of: what was settled by the old one counts no more.
	if _, err := p.db.ExecContext(ctx, "update lake_settled set models_sha256 = 'of other models'"); err != nil {
		t.Fatal(err)
	}
	if marks, err := readSettled(ctx, p.db, p.lake, p.project); err != nil || marks != nil {
		t.Errorf("with other models, %v is settled, %v", marks, err)
	}
}

func TestCareGoesOnWithTheOtherTablesWhenOneIsDamaged(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	cfg := DefaultConfig()
	cfg.Home = filepath.Join(t.TempDir(), "home")
	cfg.Broker.Address = "127.0.0.1:0"
	p, err := startPipeline(ctx, cfg, slog.New(slog.DiscardHandler), role{ingests: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.close(); err != nil {
			t.Error(err)
		}
	}()
	for offset := range int64(10) {
		receive(t, p, offset)
	}
	s, err := p.lake.Load(ctx, schemas.TableSyncRecords)
	if err != nil {
		t.Fatal(err)
	}
	cutShort(t, s.Files[0].Path)
	before := fileCount(t, p, schemas.TableDirtyDays)
	if err := p.careOnce(ctx); !errors.Is(err, lake.ErrDamaged) {
		t.Errorf("care says %v, want that a file is damaged", err)
	}
	if after := fileCount(t, p, schemas.TableDirtyDays); after != 1 || before == 1 {
		t.Errorf("%d files of dirty days became %d, want 1 in spite of the damage elsewhere", before, after)
	}
}

// cutShort takes the last byte off a file.
func cutShort(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()-1); err != nil {
		t.Fatal(err)
	}
}
