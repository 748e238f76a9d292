package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/bench/mix"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// A silverSize is what a sample of compacted silver takes on disk.
type silverSize struct {
	HeartRate, All float64 // bytes per sample
}

func (s *silverSize) writeRatios(w io.Writer) {
	fmt.Fprintf(w, "\n| path | bytes per sample | goal | bar |\n|---|---|---|---|\n")
	fmt.Fprintf(w, "| compacted silver, heart rate | %.2f | 0.6 | 0.8 |\n", s.HeartRate)
	fmt.Fprintf(w, "| compacted silver, all series | %.2f | 1.2 | 1.6 |\n", s.All)
}

// measureSilver makes silver twice: of everything, and of heart rate alone, for the two share files otherwise.
func measureSilver(ctx context.Context, f ingestFlags, dir string) (*silverSize, error) {
	say("measuring compacted silver")
	perSample := func(metric string) (float64, error) {
		r, err := runJob(ctx, job{
			Stage: stageSilver, Dir: filepath.Join(dir, "silver-"+metric), Cores: 1, People: f.people, Seed: f.seed, Metric: metric,
		})
		if err != nil {
			return 0, err
		}
		samples, err := count(ctx, countLists, r.Files)
		if err != nil {
			return 0, err
		}
		return float64(r.Bytes) / float64(samples), nil
	}
	all, err := perSample("")
	if err != nil {
		return nil, err
	}
	heartRate, err := perSample(schemas.HeartRate)
	if err != nil {
		return nil, err
	}
	return &silverSize{HeartRate: heartRate, All: all}, nil
}

// silverStage fills bronze with a day in messages of hours, merges it, and compacts the series in full.
func silverStage(ctx context.Context, j job) (result, error) {
	h, err := openHome(ctx, j.Dir)
	if err != nil {
		return result{}, err
	}
	defer h.close() //nolint:errcheck // what was measured is in r
	keep := func(b *syncv1.Batch) {
		if j.Metric != "" {
			b.Series = slices.DeleteFunc(b.Series, func(s syncv1.Series) bool { return s.Metric != j.Metric })
		}
	}
	if err := fillBronze(ctx, h.lake, mix.Config{Seed: j.Seed, People: j.People, Date: mixDate}, keep); err != nil {
		return result{}, fmt.Errorf("fill bronze: %w", err)
	}
	r, err := measured(j, func() error {
		if _, err := lake.NewMerger(h.lake).Run(ctx); err != nil {
			return err
		}
		_, err := h.lake.Compact(ctx, schemas.TableSeriesHours, lake.Compaction{Full: true})
		return err
	})
	if err != nil {
		return result{}, err
	}
	r.Files, r.Bytes, err = h.files(ctx, schemas.TableSeriesHours)
	return r, err
}
