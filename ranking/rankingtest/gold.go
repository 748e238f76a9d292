// Package rankingtest makes the tables that rankings are made from, with made-up people, for tests. Tests alone import it.
package rankingtest

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/ranking"
	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform/transformtest"
)

// A Gold is a DuckDB with every table and view of the project, and a ledger beside it.
type Gold struct {
	DB     *sql.DB
	Ledger *sql.DB
	tb     testing.TB
}

// Open returns empty tables.
func Open(tb testing.TB) *Gold {
	tb.Helper()
	connector, err := duckdb.NewConnector("?threads=1", nil)
	if err != nil {
		tb.Fatal(err)
	}
	g := &Gold{DB: sql.OpenDB(connector), tb: tb}
	tb.Cleanup(func() { _ = g.DB.Close() })
	g.Exec("set global TimeZone = 'UTC'")
	conn, err := g.DB.Conn(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := transformtest.Load(tb, ranking.Models).Define(tb.Context(), conn); err != nil {
		tb.Fatal(err)
	}
	if g.Ledger, err = ledger.Open(tb.Context(), filepath.Join(tb.TempDir(), "ledger.db")); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = g.Ledger.Close() })
	if err := ledger.Migrate(tb.Context(), g.Ledger); err != nil {
		tb.Fatal(err)
	}
	return g
}

// Exec runs a statement in DuckDB.
func (g *Gold) Exec(query string, args ...any) {
	g.tb.Helper()
	if _, err := g.DB.ExecContext(g.tb.Context(), query, args...); err != nil {
		g.tb.Fatalf("%v\n%s", err, query)
	}
}

// A Day is a row of ranking_days.
type Day struct {
	User      string
	Date      schemas.Date
	Counted   int64
	Over      int64 // plausible steps above the day's maximum
	OffsetMin int
	Reached   time.Time // zero = noon UTC of the date
	FastMin   int64     // minutes left out, of 250 steps each
	Reason    string    // of quarantine
	Valid     bool      // of user_days
}

// AddDay adds a row to ranking_days and one to user_days.
func (g *Gold) AddDay(d Day) {
	g.tb.Helper()
	at := d.Reached
	if at.IsZero() {
		at = time.Unix(int64(d.Date)*24*60*60, 0).UTC().Add(12 * time.Hour)
	}
	var reached any
	if d.Counted > 0 {
		reached = at
	}
	plausible := d.Counted + d.Over
	g.Exec(`insert into ranking_days by name select ? as user_id, cast(? as date) as local_date, ? as utc_offset_min,
		? as step_count, ? as plausible_step_count, ? as counted_step_count, cast(? as timestamp) as reached_at,
		? as fast_min, ? as fast_step_count, 0 as sustained_min, 0 as sustained_step_count, 0 as foreign_min,
		0 as foreign_step_count, 0 as walking_min, ? as is_quarantined, nullif(?, '') as quarantine_reason,
		cast(? as timestamp) as last_evidence_at, 'ranking_days/1' as method_version`,
		d.User, d.Date.String(), d.OffsetMin, plausible+250*d.FastMin, plausible, d.Counted, reached, d.FastMin,
		250*d.FastMin, d.Reason != "", d.Reason, at)
	g.Exec(`insert into user_days by name select ? as user_id, cast(? as date) as local_date, true as has_steps,
		false as has_heart_rate, false as has_sleep, ? as is_valid_day, false as is_valid_night`, d.User, d.Date.String(), d.Valid)
}

// Tell adds an event of the person at an instant.
func (g *Gold) Tell(user, kind, name string, at time.Time, value *int, text string) {
	g.tb.Helper()
	g.Exec(`insert into silver.events by name select ? as user_id, 'app' as device_id, ? as kind, ? as name,
		cast(? as timestamp) as start_at, cast(cast(? as timestamp) as date) as local_date, 0 as utc_offset_min,
		? as value, ? as text, 'manual' as source`, user, kind, name, at, at, value, text)
}

// OptIn says that the person takes part from the instant on.
func (g *Gold) OptIn(user string, at time.Time) {
	g.tb.Helper()
	g.Tell(user, "consent", "ranking", at, new(1), "")
}

// OptOut says that the person no longer takes part.
func (g *Gold) OptOut(user string, at time.Time) {
	g.tb.Helper()
	g.Tell(user, "consent", "ranking", at, new(0), "")
}

// Crowd adds people named prefix000 ... who take part since long ago and have walked n*1000 - i steps, person i, on the date.
func (g *Gold) Crowd(prefix string, n int, date schemas.Date, profile map[string]string) {
	g.tb.Helper()
	long := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		user := fmt.Sprintf("%s%03d", prefix, i)
		g.OptIn(user, long)
		for name, text := range profile {
			g.Tell(user, "profile", name, long, nil, text)
		}
		g.AddDay(Day{User: user, Date: date, Counted: int64(1000*n - i), Valid: true})
	}
}
