package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/diurna-health/diurna/reports"
	"github.com/diurna-health/diurna/reports/render"
	"github.com/diurna-health/diurna/schemas"
)

// reportLanguage is the language of what commands and pages show to whoever runs them; the reports of the outbox are in the
// one their person told.
const reportLanguage = "en"

// reportFormats are the renderings of a report.
var reportFormats = []string{"html", "text", "json"}

type reportFlags struct {
	user, period, format, out string
}

func newReportCommand(a *app) *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:   "report --user USER --period PERIOD",
		Short: "Write one person's report",
		Long: `Report writes a person's weekly, monthly or annual report from the lake as it is at this moment. It always writes one:
a section with too little to say says why.`,
		Example: `  diurna report --user some-person --period 2016-W16 --format html --out week.html
  diurna report --user some-person --period 2016-04`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.report(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.user, "user", "", "`USER` the report is for")
	flags.StringVar(&f.period, "period", "", "`PERIOD` it is about: an ISO week as 2016-W16, a month as 2016-04, or a year as 2016")
	flags.StringVar(&f.format, "format", "text", "`FORMAT`: "+strings.Join(reportFormats, ", "))
	flags.StringVar(&f.out, "out", "", "write to `FILE` instead of standard output")
	for _, name := range []string{"user", "period"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // a slip in this function, found by the first test that runs
		}
	}
	return cmd
}

func (a *app) report(cmd *cobra.Command, f reportFlags) error {
	if !slices.Contains(reportFormats, f.format) {
		return invalid("--format is %q: it must be one of %s", f.format, strings.Join(reportFormats, ", "))
	}
	period, err := schemas.ParsePeriod(f.period)
	if err != nil {
		return err
	}
	if err := checkOut(f.out); err != nil {
		return err
	}
	r, err := a.openReader(cmd)
	if err != nil {
		return err
	}
	snapshot, err := composeReport(cmd.Context(), r.DB, r.newest, f.user, period)
	if err := errors.Join(err, r.Close()); err != nil {
		return err
	}
	page, err := renderReport(snapshot, f.format)
	if err != nil {
		return err
	}
	if f.out == "" {
		_, err = a.stdout.Write(page)
		return err
	}
	return writeWhole(f.out, page)
}

// composeReport composes a report as of the newest message in the lake, whoever sent it, on the person's own clock. The
// wall clock plays no part, so one lake gives one report, whenever it is asked for.
func composeReport(ctx context.Context, db *sql.DB, newest time.Time, user string, period schemas.Period) (*reports.Snapshot, error) {
	asOf := newest
	if !asOf.IsZero() {
		clock, err := lastClock(ctx, db, user)
		if err != nil {
			return nil, err
		}
		asOf = asOf.In(clock) //nolint:forbidigo // an offset, no zone
	}
	return reports.Compose(ctx, db, user, period, asOf)
}

// lastClock returns the UTC offset a person's devices recorded last, UTC when they recorded none.
func lastClock(ctx context.Context, db *sql.DB, user string) (*time.Location, error) {
	var offsetMin int
	err := db.QueryRowContext(ctx, `
		select utc_offset_min
		from (
			select hour_at as recorded_at, utc_offset_min from silver.series_hours where user_id = $1
			union all
			select end_at, end_utc_offset_min from silver.sleep_segments where user_id = $1
			union all
			select measured_at, utc_offset_min from silver.readings where user_id = $1
		) as recorded
		order by recorded_at desc, utc_offset_min desc
		limit 1`, user).Scan(&offsetMin)
	if errors.Is(err, sql.ErrNoRows) {
		return time.UTC, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up the person's clock: %w", err)
	}
	return time.FixedZone("", offsetMin*60), nil
}

func renderReport(s *reports.Snapshot, format string) ([]byte, error) {
	r, err := render.New(reportLanguage)
	if err != nil {
		return nil, err
	}
	switch format {
	case "html":
		return r.HTML(s)
	case "json":
		return r.JSON(s)
	default:
		return r.Text(s)
	}
}

// checkOut finds out before any work whether a file can be made at path; "" is standard output.
func checkOut(path string) error {
	if path == "" {
		return nil
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return invalid("--out is %s, which is a folder: name a file in it", path)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return invalid("--out is %s, and there is no folder %s: make it, or name another file", path, filepath.Dir(path))
	}
	return nil
}

// writeWhole writes a file so that whoever looks at it sees the old content or the new, never a part.
func writeWhole(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".diurna-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Unwrap(err))
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(f.Name()))
	}
	return nil
}
