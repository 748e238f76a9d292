package medals_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/medals"
	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform/transformtest"
)

// A gold is what the gold tables know of one date. Zero fields are nulls; a date without steps, sleep and wear has no row
// in the tables but a row in the spine.
type gold struct {
	steps   int64 // 0 = no step sample
	active  int   // active minutes + 1; 0 = the device tells none
	asleep  float64
	worn    int
	invalid bool // of the day
	offset  int  // min east of UTC
	shift   int  // range of offsets within the date
	method  string
}

// A fact is a gold of a person's date.
type fact struct {
	user string
	date schemas.Date
	gold gold
}

type personDate struct {
	user string
	date schemas.Date
}

// A world is a set of gold tables that facts arrive in, the model medal_days over them, and a ledger.
type world struct {
	t       *testing.T
	db      *sql.DB
	conn    *sql.Conn
	ledgers *sql.DB
	ledger  *medals.SQLLedger
	selects []modelSelect
	facts   map[personDate]gold
	events  []string
	now     time.Time
	opts    medals.Options
}

// A modelSelect makes the rows of a table of transform.
type modelSelect struct{ name, sql string }

func newWorld(t *testing.T) *world {
	t.Helper()
	connector, err := duckdb.NewConnector("?threads=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sqlite, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); db.Close(); sqlite.Close() })
	if err := ledger.Migrate(t.Context(), sqlite); err != nil {
		t.Fatal(err)
	}
	project := transformtest.Load(t, medals.Models)
	if err := project.Define(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, db: db, conn: conn, ledgers: sqlite, ledger: medals.NewSQLLedger(sqlite),
		facts: map[personDate]gold{}, now: time.Date(2030, time.January, 1, 12, 0, 0, 0, time.UTC),
	}
	for _, model := range []string{"profile_days", "medal_days"} {
		w.selects = append(w.selects, modelSelect{model, project.Model(model).SQL})
	}
	for _, view := range []string{"events", "stg_night_sources", "stg_illness_days"} {
		w.exec("create table given_rows as select * from " + view + " limit 0; drop view " + view + "; alter table given_rows rename to " + view)
	}
	return w
}

func (w *world) exec(query string) {
	w.t.Helper()
	if _, err := w.conn.ExecContext(w.t.Context(), query); err != nil {
		w.t.Fatalf("%v\n%s", err, query)
	}
}

// put makes facts known, in place of what was known of the same dates.
func (w *world) put(facts ...fact) {
	for _, f := range facts {
		w.facts[personDate{f.user, f.date}] = f.gold
	}
}

// erase makes dates unknown.
func (w *world) erase(user string, dates ...schemas.Date) {
	for _, d := range dates {
		delete(w.facts, personDate{user, d})
	}
}

func (w *world) goal(user string, from schemas.Date, steps int) {
	w.events = append(w.events, fmt.Sprintf("('%s', 'app', 'goal', 'steps', timestamptz '%s 09:00:00+00', date '%s', %d)", user, from, from, steps))
}

// evaluate builds the tables from what is known and evaluates, a day after the last evaluation.
func (w *world) evaluate() medals.Result {
	w.t.Helper()
	w.build()
	w.now = w.now.Add(24 * time.Hour)
	result, err := medals.Evaluate(w.t.Context(), w.db, w.ledger, func() time.Time { return w.now }, w.opts)
	if err != nil {
		w.t.Fatal(err)
	}
	return result
}

func (w *world) build() {
	w.t.Helper()
	for _, table := range []string{"user_days", "activity_days", "sleep_nights", "wear_days", "device_days", "stg_night_sources", "events", "dirty_days", "profile_days", "medal_days"} {
		w.exec("delete from " + table)
	}
	first, last := map[string]schemas.Date{}, map[string]schemas.Date{}
	for key := range w.facts {
		if d, ok := first[key.user]; !ok || key.date < d {
			first[key.user] = key.date
		}
		if d, ok := last[key.user]; !ok || key.date > d {
			last[key.user] = key.date
		}
	}
	rows := map[string][]string{}
	add := func(table, format string, args ...any) {
		rows[table] = append(rows[table], fmt.Sprintf(format, args...))
	}
	for _, user := range slices.Sorted(maps.Keys(first)) {
		for d := first[user]; d <= last[user]; d++ {
			g, isKnown := w.facts[personDate{user, d}]
			method := g.method
			if method == "" {
				method = "1"
			}
			add("user_days (user_id, local_date, is_valid_day, is_valid_night)", "('%s', date '%s', %t, %t)", user, d,
				isKnown && g.steps > 0 && !g.invalid, g.asleep > 0)
			add("dirty_days (user_id, local_date)", "('%s', date '%s')", user, d)
			if g.steps > 0 {
				active := "null"
				if g.active > 0 {
					active = fmt.Sprint(g.active - 1)
				}
				add("activity_days (user_id, local_date, step_count, moderate_equivalent_min, method_version)",
					"('%s', date '%s', %d, %s, 'activity_days/%s')", user, d, g.steps, active, method)
				add("device_days (user_id, local_date, device_id, first_utc_offset_min, last_utc_offset_min, utc_offset_range_min, has_other_steps, has_other_intensity, has_other_heart_rate)",
					"('%s', date '%s', 'watch', %d, %d, %d, %t, %t, %t)", user, d, g.offset, g.offset, g.shift, false, false, false)
			}
			if g.steps > 0 || g.worn > 0 {
				add("wear_days (user_id, local_date, worn_min, wear_source, method_version)",
					"('%s', date '%s', %d, 'heart_rate', 'wear_days/%s')", user, d, g.worn, method)
			}
			if g.asleep > 0 {
				add("sleep_nights (user_id, night_date, source, total_sleep_time_min, method_version)",
					"('%s', date '%s', 'segments', %g, 'sleep_nights/%s')", user, d, g.asleep, method)
				add("stg_night_sources (user_id, local_date, night_source, is_native)", "('%s', date '%s', 'segments', true)", user, d)
			}
		}
	}
	for _, table := range slices.Sorted(maps.Keys(rows)) {
		w.exec("insert into " + table + " values " + strings.Join(rows[table], ", "))
	}
	if len(w.events) > 0 {
		w.exec("insert into events (user_id, device_id, kind, name, start_at, local_date, value) values " + strings.Join(w.events, ", "))
	}
	for _, m := range w.selects {
		w.exec("insert into " + m.name + " by name\n" + m.sql)
	}
}

// wall returns a person's wall.
func (w *world) wall(user string) *medals.Wall {
	w.t.Helper()
	wall, err := medals.ReadWall(w.t.Context(), w.db, w.ledger, user, "en")
	if err != nil {
		w.t.Fatal(err)
	}
	return wall
}

// standing says, a line each and sorted, what a person has: everything but when it was awarded.
func (w *world) standing(user string) []string {
	w.t.Helper()
	standings, err := w.ledger.Standings(w.t.Context(), []string{user})
	if err != nil {
		w.t.Fatal(err)
	}
	lines := []string{}
	for _, s := range standings[user] {
		if !s.Stands() {
			continue
		}
		var evidence bytes.Buffer
		if err := json.NewEncoder(&evidence).Encode(s.Evidence); err != nil {
			w.t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%s %d %s v%d on %s id %s %s", s.Medal, s.Level, s.Period, s.RuleVersion, s.EarnedOn, s.AwardID, evidence.String()))
	}
	slices.Sort(lines)
	return lines
}

// earned returns "medal level period date" of what a person has of one medal, sorted.
func (w *world) earned(user, medal string) []string {
	w.t.Helper()
	lines := []string{}
	for _, a := range w.wall(user).Awards {
		if a.Medal == medal {
			lines = append(lines, strings.Join(strings.Fields(fmt.Sprintf("%d %s %s", a.Level, a.Period, a.EarnedOn)), " "))
		}
	}
	slices.Sort(lines)
	return lines
}

// actions returns how often each action stands in the ledger.
func (w *world) actions() map[string]int {
	w.t.Helper()
	rows, err := w.ledgers.QueryContext(w.t.Context(), "select action || case reason when '' then '' else ' ' || reason end, count(*) from medal_entries group by 1")
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	counts := map[string]int{}
	for rows.Next() {
		var action string
		var n int
		if err := rows.Scan(&action, &n); err != nil {
			w.t.Fatal(err)
		}
		counts[action] = n
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return counts
}

// walk returns a fact for each date from first on.
func walk(user string, first schemas.Date, golds ...gold) []fact {
	facts := make([]fact, len(golds))
	for i, g := range golds {
		facts[i] = fact{user, first.AddDays(i), g}
	}
	return facts
}

// times repeats a gold.
func times(n int, g gold) []gold { return slices.Repeat([]gold{g}, n) }

func date(text string) schemas.Date {
	d, err := schemas.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// clock returns the world's time as it stands.
func (w *world) clock() func() time.Time { return func() time.Time { return w.now } }
