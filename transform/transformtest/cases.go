package transformtest

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/diurna-health/diurna/transform"
)

// RunModels runs the cases of every model that has a .txtar file below dir. With update it rewrites the wanted rows to
// those that come out.
func RunModels(t *testing.T, project *transform.Project, dir string, update bool) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases below the folder: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		m := project.Model(name)
		if m == nil {
			t.Errorf("%s: there is no model of that name", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			cases, err := splitCases(archive)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range cases {
				t.Run(c.name, func(t *testing.T) { runCase(t, project, m, c, update) })
			}
			if update {
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// A testCase is what the archive says about one case.
type testCase struct {
	name  string
	given []*entry
	wants []*entry
}

// An entry is a table of a case: rows given to it, or wanted of it.
type entry struct {
	table string // of want: "" for the model, else one of its CTEs
	file  *txtar.File
}

func splitCases(archive *txtar.Archive) ([]*testCase, error) {
	var cases []*testCase
	for i := range archive.Files {
		f := &archive.Files[i]
		parts := strings.SplitN(f.Name, "/", 3)
		if len(cases) == 0 || cases[len(cases)-1].name != parts[0] {
			if slices.ContainsFunc(cases, func(c *testCase) bool { return c.name == parts[0] }) {
				return nil, fmt.Errorf("the files of case %q do not stand together", parts[0])
			}
			cases = append(cases, &testCase{name: parts[0]})
		}
		c := cases[len(cases)-1]
		switch {
		case len(parts) == 3 && parts[1] == "given":
			c.given = append(c.given, &entry{parts[2], f})
		case len(parts) == 2 && parts[1] == "want":
			c.wants = append(c.wants, &entry{"", f})
		case len(parts) == 3 && parts[1] == "want":
			c.wants = append(c.wants, &entry{parts[2], f})
		default:
			return nil, fmt.Errorf("file %q is neither <case>/given/<table>, <case>/want nor <case>/want/<CTE>", f.Name)
		}
	}
	for _, c := range cases {
		if len(c.given) == 0 || len(c.wants) == 0 {
			return nil, fmt.Errorf("case %q has no given or no want", c.name)
		}
	}
	return cases, nil
}

func runCase(t *testing.T, project *transform.Project, m *transform.Model, c *testCase, update bool) {
	t.Helper()
	names := []string{m.Name}
	for _, g := range c.given {
		names = append(names, g.table)
	}
	project, err := project.Near(t.Context(), names...) // the others are not asked for, and cost time
	if err != nil {
		t.Fatal(err)
	}
	db, conn := OpenDuckDB(t)
	if err := project.Define(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	b := bench{t: t, ctx: t.Context(), project: project, db: db, conn: conn, dir: t.TempDir()}
	dirtyGiven := false
	for _, g := range c.given {
		b.give(project, g)
		dirtyGiven = dirtyGiven || g.table == "dirty_days"
	}
	if !dirtyGiven {
		b.dirtyEveryGivenDay(project, c.given)
	}
	b.keep(m, c.given)
	for _, w := range c.wants {
		b.compare(m, w, update)
	}
}

// keep makes the rows of kept views, as a build would before any model reads them.
func (b bench) keep(m *transform.Model, given []*entry) {
	b.t.Helper()
	for _, view := range b.project.Models() {
		if !view.Keep || view == m || slices.ContainsFunc(given, func(g *entry) bool { return g.table == view.Name }) {
			continue
		}
		if err := b.project.Fill(b.ctx, b.db, b.conn, view, view.Name); err != nil {
			b.t.Fatal(err)
		}
	}
}

// OpenDuckDB returns an empty database in memory and a connection to it, for as long as the test runs.
func OpenDuckDB(t *testing.T) (*sql.DB, *sql.Conn) {
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
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := conn.ExecContext(t.Context(), "set global TimeZone = 'UTC'"); err != nil {
		t.Fatal(err)
	}
	return db, conn
}

// A bench is the database of one case.
type bench struct {
	t       *testing.T
	ctx     context.Context //nolint:containedctx // lives as long as the test
	project *transform.Project
	db      *sql.DB
	conn    *sql.Conn
	dir     string
}

func (b bench) exec(query string) {
	b.t.Helper()
	if _, err := b.conn.ExecContext(b.ctx, query); err != nil {
		b.t.Fatalf("%v\n%s", err, query)
	}
}

// give inserts rows into a table; a view first becomes a table with its columns.
func (b bench) give(project *transform.Project, g *entry) {
	b.t.Helper()
	if m := project.Model(g.table); m != nil && m.Build == transform.BuildView && m.Function == "" {
		b.exec(fmt.Sprintf("create table given_rows as select * from %s limit 0; drop view %[1]s; alter table given_rows rename to %[1]s", g.table))
	}
	b.exec(fmt.Sprintf("insert into %s by name select * from (%s)", g.table, b.gather(g)))
}

// gather selects the given rows. Lists may be given an element a row: rows that are otherwise the same become one.
func (b bench) gather(g *entry) string {
	b.t.Helper()
	given := "from " + b.csv(g.file.Data)
	header, values, _ := bytes.Cut(g.file.Data, []byte("\n"))
	lists := b.listsOf(g.table)
	if len(lists) == 0 || bytes.ContainsAny(values, "[") {
		return given
	}
	columns := strings.Split(string(header), ",")
	for i, name := range columns {
		if slices.Contains(lists, name) {
			columns[i] = fmt.Sprintf("list(%[1]s) filter (where %[1]s is not null) as %[1]s", name)
		}
	}
	return "select " + strings.Join(columns, ", ") + " " + given + " group by all"
}

// listsOf returns the columns of a table that hold lists.
func (b bench) listsOf(table string) (lists []string) {
	b.t.Helper()
	rows, err := b.conn.QueryContext(b.ctx, "select column_name from (describe "+table+") where column_type like '%[]'") //nolint:gosec // a table of the test
	if err != nil {
		b.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			b.t.Fatal(err)
		}
		lists = append(lists, name)
	}
	if err := rows.Err(); err != nil {
		b.t.Fatal(err)
	}
	return lists
}

// csv returns a table function that reads the rows as text.
func (b bench) csv(data []byte) string {
	b.t.Helper()
	f, err := os.CreateTemp(b.dir, "rows-*.csv")
	if err == nil {
		_, err = f.Write(data)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return fmt.Sprintf("read_csv('%s', header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"')", f.Name())
}

// dirtyEveryGivenDay makes every person and day of the given rows dirty.
func (b bench) dirtyEveryGivenDay(project *transform.Project, given []*entry) {
	b.t.Helper()
	for _, g := range given {
		date := "local_date"
		if m := project.Model(g.table); m != nil && m.Build == transform.BuildTable {
			date = m.DateColumn()
		}
		header, _, _ := bytes.Cut(g.file.Data, []byte("\n"))
		if columns := strings.Split(string(header), ","); !slices.Contains(columns, date) || !slices.Contains(columns, "user_id") {
			continue
		}
		b.exec(fmt.Sprintf("insert into dirty_days select distinct user_id, %s from %s except select * from dirty_days", date, g.table))
	}
}

// compare sets the rows that come out beside those wanted, in no particular order.
func (b bench) compare(m *transform.Model, w *entry, update bool) {
	b.t.Helper()
	if w.table == "" {
		if err := b.project.Fill(b.ctx, b.db, b.conn, m, "got_rows"); err != nil {
			b.t.Fatal(err)
		}
	} else {
		lines := strings.Split(strings.TrimRight(m.SQL, "\n"), "\n")
		lines[len(lines)-1] = "select * from " + w.table
		b.exec("create or replace table got_rows as select * from (\n" + strings.Join(lines, "\n") + "\n)")
	}
	header, _, _ := bytes.Cut(w.file.Data, []byte("\n"))
	columns := string(header)

	b.exec("create or replace table want_rows as select * from got_rows limit 0")
	if !update {
		b.exec("insert into want_rows by name select * from " + b.csv(w.file.Data))
	}
	got, want := b.text("got_rows", columns), b.text("want_rows", columns)
	if update {
		w.file.Data = []byte(columns + "\n" + strings.Join(append(got, ""), "\n"))
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.t.Errorf("%s: rows differ (-want +got), columns %s:\n%s", w.file.Name, columns, diff)
	}
}

// text returns the rows of a table as CSV, sorted.
func (b bench) text(table, columns string) []string {
	b.t.Helper()
	rows, err := b.conn.QueryContext(b.ctx, fmt.Sprintf("select %s from (select cast(columns(*) as varchar) from (select %[1]s from %s)) order by all",
		columns, table))
	if err != nil {
		b.t.Fatal(err)
	}
	defer rows.Close()
	n := len(strings.Split(columns, ","))
	lines := []string{}
	for rows.Next() {
		values := make([]sql.NullString, n)
		targets := make([]any, n)
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			b.t.Fatal(err)
		}
		record := make([]string, n)
		for i, v := range values {
			record[i] = v.String
		}
		var line bytes.Buffer
		out := csv.NewWriter(&line)
		if err := out.Write(record); err != nil {
			b.t.Fatal(err)
		}
		out.Flush()
		lines = append(lines, strings.TrimRight(line.String(), "\n"))
	}
	if err := rows.Err(); err != nil {
		b.t.Fatal(err)
	}
	return lines
}
