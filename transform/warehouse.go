package transform

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/transform/samples"
)

// Config limits what a DuckDB of ours may use. Every limit is explicit: DuckDB's own defaults take most of the machine.
type Config struct {
	MemoryLimit string // as DuckDB writes it: 2GB
	Threads     int
	TempDir     string // where it spills; made on first use
	MaxTempSize string // as DuckDB writes it: 20GB
	FileRows    int    // rows of a gold file, give or take a person; 0 is 65,536
	Now         func() time.Time
	Logger      *slog.Logger

	// Show names the sensitive tables that a Reader has beside the others. A Builder builds them all.
	Show []Sensitivity
}

// A warehouse is an in-memory DuckDB. One connection is pinned: temporary tables belong to a connection.
type warehouse struct {
	db   *sql.DB
	conn *sql.Conn
}

func openWarehouse(ctx context.Context, cfg Config) (*warehouse, error) {
	dsn := url.Values{
		"memory_limit":                 {cfg.MemoryLimit},
		"threads":                      {strconv.Itoa(cfg.Threads)},
		"temp_directory":               {cfg.TempDir},
		"max_temp_directory_size":      {cfg.MaxTempSize},
		"autoinstall_known_extensions": {"false"},
		"autoload_known_extensions":    {"false"},
	}
	connector, err := duckdb.NewConnector("?"+dsn.Encode(), nil)
	if err != nil {
		return nil, fmt.Errorf("open DuckDB: %w", err)
	}
	db := sql.OpenDB(connector)
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("open DuckDB: %w", errorsWith(err, db.Close()))
	}
	w := &warehouse{db: db, conn: conn}
	// Files of the lake never change, so what was read of their footers stays true.
	if err := w.exec(ctx, "set global TimeZone = 'UTC'; set global parquet_metadata_cache = true; create schema silver"); err != nil {
		return nil, fmt.Errorf("set up DuckDB: %w", errorsWith(err, w.close()))
	}
	return w, nil
}

// openEmpty opens a warehouse for models without rows.
func openEmpty(ctx context.Context) (*warehouse, error) {
	return openWarehouse(ctx, Config{MemoryLimit: "256MB", Threads: 1, TempDir: os.TempDir(), MaxTempSize: "256MB"})
}

// errorsWith returns err, with the error of the clean-up that followed it when there is one.
func errorsWith(err, cleanup error) error {
	if cleanup != nil {
		return fmt.Errorf("%w (and then: %w)", err, cleanup)
	}
	return err
}

func (w *warehouse) close() error {
	err := w.conn.Close()
	if dbErr := w.db.Close(); err == nil {
		err = dbErr
	}
	return err
}

func (w *warehouse) exec(ctx context.Context, query string) error {
	_, err := w.conn.ExecContext(ctx, query)
	return err
}

func (w *warehouse) count(ctx context.Context, query string) (n int64, err error) {
	err = w.conn.QueryRowContext(ctx, query).Scan(&n)
	return n, err
}

func describe(ctx context.Context, conn *sql.Conn, query string) ([]lake.Column, error) {
	rows, err := conn.QueryContext(ctx, "select column_name, column_type from (describe "+query+"\n)") //nolint:gosec // a model or a lake table, not what somebody typed
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var columns []lake.Column
	for rows.Next() {
		var c lake.Column
		if err := rows.Scan(&c.Name, &c.Type); err != nil {
			return nil, err
		}
		columns = append(columns, c)
	}
	return columns, rows.Err()
}

// modelColumns are the columns that models make, by model.
type modelColumns map[string][]lake.Column

// A columnCache holds what is known of a project's columns: they are facts of its models, and DuckDB takes its time to
// tell them.
type columnCache struct {
	mu    sync.Mutex
	known modelColumns
}

// with runs f on a copy of what is known, and remembers what f has found out.
func (c *columnCache) with(f func(modelColumns) error) error {
	c.mu.Lock()
	columns := maps.Clone(c.known)
	c.mu.Unlock()
	if columns == nil {
		columns = modelColumns{}
	}
	err := f(columns)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = modelColumns{}
	}
	maps.Copy(c.known, columns)
	return err
}

// A defineKind says what stands in for a table that has no rows yet.
type defineKind int

const (
	defineTables defineKind = iota // an empty table, to insert into
	defineViews                    // a view without rows, to be replaced by one over files
)

// Define makes everything the project knows as it is before the first row: silver and gold tables empty but with their
// columns and types, views as views, definitions filled. Models are tested against it.
func (p *Project) Define(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, "create schema silver"); err != nil {
		return fmt.Errorf("define silver: %w", err)
	}
	return p.columns.with(func(columns modelColumns) error { return p.define(ctx, conn, nil, columns, defineTables) })
}

// learnColumns finds out the columns of all models, unless they are known.
func (p *Project) learnColumns(ctx context.Context) error {
	return p.columns.with(func(columns modelColumns) error {
		if !slices.ContainsFunc(p.models, func(m *Model) bool { return m.fixed() && columns[m.Name] == nil }) {
			return nil
		}
		w, err := openEmpty(ctx)
		if err != nil {
			return err
		}
		defer w.close() //nolint:errcheck // nothing is kept in it
		return p.define(ctx, w.conn, nil, columns, defineTables)
	})
}

// fixed reports whether the model's rows are made once, for all that read them: its columns stand in for it until then.
func (m *Model) fixed() bool { return m.Build == BuildTable || m.Function != "" }

// define makes what is not in the set of defined names. Columns that are not known yet it finds out and notes.
func (p *Project) define(ctx context.Context, conn *sql.Conn, defined map[string]bool, columns modelColumns, kind defineKind) error {
	run := func(name, query string) error {
		if defined[name] {
			return nil
		}
		if _, err := conn.ExecContext(ctx, query); err != nil {
			return fmt.Errorf("define %s: %w", name, err)
		}
		return nil
	}
	for _, t := range silverTables() {
		if err := run(t.name, "create table "+t.name+" as "+selectNothing(t.columns)); err != nil {
			return err
		}
	}
	if err := run(tableDirtyDays, "create table dirty_days(user_id varchar, local_date date)"); err != nil {
		return err
	}
	if err := run(tableDefinitions, p.definitionsSQL()); err != nil {
		return err
	}
	if err := run(tableMethodChanges, p.methodChangesSQL()); err != nil {
		return err
	}
	for _, m := range p.models {
		query := "create view " + m.Name + " as\n" + m.SQL
		if (m.fixed() || m.Keep) && !defined[m.Name] && columns[m.Name] == nil {
			described, err := m.describeRows(ctx, conn)
			if err != nil {
				return fmt.Errorf("define %s: %w", m.Name, err)
			}
			columns[m.Name] = described
		}
		if m.fixed() {
			query = "create table " + m.Name + " as " + selectNothing(columns[m.Name])
			if kind == defineViews {
				query = "create view " + m.Name + " as " + selectNothing(columns[m.Name])
			}
		}
		if err := run(m.Name, query); err != nil {
			return err
		}
	}
	return nil
}

// describeRows describes the rows that the model makes. The select of one with a Go function is described too: it must
// make sense before there is anything to read.
func (m *Model) describeRows(ctx context.Context, conn *sql.Conn) ([]lake.Column, error) {
	columns, err := describe(ctx, conn, m.SQL)
	if err != nil || m.Function == "" {
		return columns, err
	}
	columns = make([]lake.Column, len(m.Outputs), len(m.Outputs)+1)
	for i, o := range m.Outputs {
		columns[i] = lake.Column{Name: o.Name, Type: o.Type}
	}
	if m.Build == BuildTable {
		columns = append(columns, lake.Column{Name: columnMethodVersion, Type: "VARCHAR"})
	}
	return columns, nil
}

// Fill fills a table with the rows that the model makes of what its inputs hold.
func (p *Project) Fill(ctx context.Context, db *sql.DB, conn *sql.Conn, m *Model, table string) error {
	return p.put(ctx, db, conn, m, nil, func(rows string) string { return "create or replace table " + table + " as " + rows })
}

// put runs a statement over the rows that the model makes; statement makes it of a select of them. The hours are those of a
// model that reads series; nil = those in the table silver.series_hours.
func (p *Project) put(ctx context.Context, db *sql.DB, conn *sql.Conn, m *Model, hours samples.Source, statement func(rows string) string) error {
	if m.Function != "" {
		return p.runFunction(ctx, db, conn, m, hours, statement)
	}
	_, err := conn.ExecContext(ctx, statement(p.withHistory(m, "select * from (\n"+m.SQL+"\n)")))
	return err
}

// definitionsSQL makes the table definitions.
func (p *Project) definitionsSQL() string {
	var b strings.Builder
	b.WriteString("create table definitions(name varchar, value double, unit varchar, version integer, source varchar)")
	for i, d := range p.definitions {
		if i == 0 {
			b.WriteString(";\ninsert into definitions values ")
		} else {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "(%s, %s, %s, %d, %s)", literal(d.Name), strconv.FormatFloat(d.Value, 'g', -1, 64),
			literal(d.Unit), d.Version, literal(d.Source))
	}
	return b.String()
}

// selectNothing selects no rows of the given columns.
func selectNothing(columns []lake.Column) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = fmt.Sprintf("cast(null as %s) as %s", quotedType(c.Type), quoted(c.Name))
	}
	return "select " + strings.Join(parts, ", ") + " where false"
}

// selectPaths selects the given columns of Parquet files. The paths are those a snapshot lists: a folder may hold files
// that were never committed, or no longer count.
func selectPaths(columns []lake.Column, paths []string) string {
	if len(paths) == 0 {
		return selectNothing(columns)
	}
	return fmt.Sprintf("select %s from read_parquet(%s, hive_partitioning = false)", columnNames(columns), literals(paths))
}

func columnNames(columns []lake.Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = quoted(c.Name)
	}
	return strings.Join(names, ", ")
}

// literals writes a list of texts.
func literals(texts []string) string {
	all := make([]string, len(texts))
	for i, t := range texts {
		all[i] = literal(t)
	}
	return "[" + strings.Join(all, ", ") + "]"
}

func filePaths(files []lake.File) []string {
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.Path
	}
	return paths
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// quotedType writes a type so that DuckDB reads it back: field names of structs may be keywords.
func quotedType(t string) string {
	inner, ok := strings.CutPrefix(t, "STRUCT(")
	if !ok {
		return t
	}
	end := strings.LastIndexByte(inner, ')')
	fields := strings.Split(inner[:end], ", ")
	for i, f := range fields {
		if name, typ, ok := strings.Cut(f, " "); ok {
			fields[i] = quoted(strings.Trim(name, `"`)) + " " + typ
		}
	}
	return "STRUCT(" + strings.Join(fields, ", ") + inner[end:]
}
