package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/diurna-health/diurna/transform"
)

// unsoundDays is a model whose rows all break its audit.
const unsoundDays = `-- unsound_days: one row per person and date, which promises what is not so.
--
-- grain:    user_id, local_date
-- inputs:   activity_days
-- build:    table
-- source:   made for a test
-- audit:    step_count < 0
-- method:   unsound_days/1

with

days as (

    select
        activity_days.user_id,      -- person
        activity_days.local_date,   -- the person's date
        activity_days.step_count,   -- steps
        'unsound_days/1'
            as method_version       -- formula and version

    from activity_days
    inner join dirty_days
        on activity_days.user_id = dirty_days.user_id
        and activity_days.local_date = dirty_days.local_date

)

select * from days
`

func TestAModelThatBreaksItsAuditsEndsNoProcessThatStays(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	cfg := DefaultConfig()
	cfg.Home = filepath.Join(t.TempDir(), "home")
	cfg.Broker.Address = "127.0.0.1:0"
	var log strings.Builder
	p, err := startPipeline(ctx, cfg, slog.New(slog.NewTextHandler(&log, nil)), role{ingests: true, stays: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.close(); err != nil {
			t.Error(err)
		}
	}()
	unsound, err := transform.Load(ctx, transform.Models, fstest.MapFS{
		"models/activity/unsound_days.sql": {Data: []byte(unsoundDays)},
	})
	if err != nil {
		t.Fatal(err)
	}
	sound := p.builder
	p.builder = transform.NewBuilder(p.lake, unsound.Of("unsound_days"), duckDB(cfg, p.log))

	receiveOf(t, p, "wearer0", 0)
	if err := p.build(ctx); err != nil {
		t.Fatal(err)
	}
	wantMetrics(t, p, "diurna_build_withheld_days_total 1", "diurna_build_failed_tables 0")
	for i := range int64(11) {
		receiveOf(t, p, fmt.Sprint("wearer", i), 1+i)
	}
	if err := p.build(ctx); err != nil {
		t.Fatal(err)
	}
	wantMetrics(t, p, "diurna_build_withheld_days_total 1", "diurna_build_failed_tables 1")
	if !strings.Contains(log.String(), "step_count < 0") || strings.Contains(log.String(), "wearer") {
		t.Errorf("the log should name the rule and nobody:\n%s", log.String())
	}
	p.role.stays = false
	if err := p.build(ctx); err == nil || !errors.As(err, new(*transform.AuditError)) {
		t.Errorf("who waits for a build is told %v, want the rule", err)
	}
	p.role.stays, p.builder = true, sound
	if err := p.build(ctx); err != nil {
		t.Fatal(err)
	}
	wantMetrics(t, p, "diurna_build_failed_tables 0")
}

func TestAFullDiskIsWaitedOutWhateverElseFailed(t *testing.T) {
	t.Parallel()
	audit := &transform.AuditError{Model: "unsound_days", Rule: "step_count < 0", Count: 11}
	for err, want := range map[error]bool{
		nil: false, errors.New("else"): false, syscall.ENOSPC: false,
		&transform.BuildError{Err: errors.Join(audit, errors.New("left as it was"))}: true,
		&transform.BuildError{Err: errors.Join(audit, syscall.ENOSPC)}:               false,
	} {
		if got := isUnsound(err); got != want {
			t.Errorf("%v is for want of sound models alone: %v, want %v", err, got, want)
		}
	}
}

func wantMetrics(t *testing.T, p *pipeline, want ...string) {
	t.Helper()
	w := httptest.NewRecorder()
	p.metrics.handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	for _, line := range want {
		if !strings.Contains(w.Body.String(), "\n"+line+"\n") {
			t.Errorf("metrics do not say %s", line)
		}
	}
}
