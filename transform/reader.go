package transform

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

// goldPrefix is the namespace of the tables that models make.
const goldPrefix = "gold."

// A Reader answers questions about one moment of the lake: every table is read at the snapshot that was current when
// the Reader was opened. It never disturbs the pipeline and is safe for concurrent use.
//
// Gold tables, the analysts' views and definitions have plain names; silver tables are in the schema silver. A table
// that was not built yet is empty; a sensitive one that Config.Show does not name is not there.
type Reader struct {
	// DB is for our own queries. It can read the lake's files and no others, and its settings cannot be changed, but it
	// does not stop a COPY over one of the lake's files: queries that somebody typed go through Query.
	DB *sql.DB

	release func() // of the lake's files
	lease   *lake.Lease
}

// OpenReader opens the lake for reading. The caller closes the Reader: until then the files it reads are kept.
func OpenReader(ctx context.Context, tables Tables, project *Project, cfg Config) (*Reader, error) {
	lease, err := tables.Pin(ctx, "reader") // before anything is loaded: what is current from now on stays
	if err != nil {
		return nil, fmt.Errorf("open reader: %w", err)
	}
	r, err := openReader(ctx, tables, project, cfg)
	if err != nil {
		return nil, errorsWith(err, lease.Release())
	}
	r.lease = lease
	return r, nil
}

func openReader(ctx context.Context, tables Tables, project *Project, cfg Config) (*Reader, error) {
	w, err := openWarehouse(ctx, cfg)
	if err != nil {
		return nil, err
	}
	release, err := w.expose(ctx, tables, project.visible(cfg.Show), cfg.Show)
	if err != nil {
		return nil, errorsWith(err, w.close())
	}
	// The pinned connection goes back to the pool: settings and views are the database's, not the connection's.
	if err := w.conn.Close(); err != nil {
		release()
		return nil, errorsWith(fmt.Errorf("open reader: %w", err), w.db.Close())
	}
	return &Reader{DB: w.db, release: release}, nil
}

// Close releases the Reader.
func (r *Reader) Close() error {
	err := r.DB.Close()
	r.release()
	if leaseErr := r.lease.Release(); err == nil {
		err = leaseErr
	}
	return err
}

// expose makes a view of each table that exists, defines the rest empty, and locks the database. The views are good
// until release.
func (w *warehouse) expose(ctx context.Context, tables Tables, project *Project, shown []Sensitivity) (release func(), err error) {
	var held []func()
	letGo := func() {
		for _, r := range held {
			r()
		}
	}
	defer func() {
		if err != nil {
			letGo()
		}
	}()
	exposed := map[string]bool{}
	var allowed []string
	view := func(t tableView) error {
		table := t.table
		s, err := tables.Load(ctx, table)
		if errors.Is(err, lake.ErrNoTable) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("open %s for reading: %w", table, err)
		}
		paths, release, err := tables.Local(ctx, s.Files)
		if err != nil {
			return fmt.Errorf("open %s for reading: %w", table, err)
		}
		held = append(held, release)
		if err := w.exec(ctx, "create view "+t.name+" as "+t.narrow(selectPaths(s.Columns, paths))); err != nil {
			return fmt.Errorf("open %s for reading: %w", table, err)
		}
		exposed[t.name] = true
		allowed = append(allowed, paths...)
		return nil
	}
	for _, t := range silverTables() {
		if t.sensitivity != "" && !slices.Contains(shown, t.sensitivity) {
			exposed[t.name] = true // so that nothing of that name is made
			continue
		}
		if err := view(t); err != nil {
			return nil, err
		}
	}
	for _, m := range project.models {
		if m.Build == BuildTable {
			if err := view(tableView{name: m.Name, table: goldPrefix + m.Name}); err != nil {
				return nil, err
			}
		}
	}
	if err := project.define(ctx, w.conn, exposed, modelColumns{}, defineTables); err != nil {
		return nil, err
	}
	// Rows that are made once in a build are not there for readers; an empty table would say that there are none.
	for _, m := range project.models {
		if kind := "view"; m.Build == BuildView && (m.Keep || len(project.keptInputs(m)) > 0) {
			if m.Function != "" {
				kind = "table"
			}
			if err := w.exec(ctx, "drop "+kind+" "+m.Name); err != nil {
				return nil, fmt.Errorf("hide %s: %w", m.Name, err)
			}
		}
	}
	return letGo, w.lock(ctx, allowed)
}

// lock shuts the outside: from here on files other than the allowed ones, extensions and settings are out of reach. The
// order matters: the list of allowed paths cannot be set once access is off, and nothing once the lock is on.
func (w *warehouse) lock(ctx context.Context, allowed []string) error {
	literals := make([]string, len(allowed))
	for i, p := range allowed {
		literals[i] = literal(p)
	}
	for _, statement := range []string{
		"set allowed_paths = [" + strings.Join(literals, ", ") + "]",
		"set enable_external_access = false",
		"set lock_configuration = true",
	} {
		if err := w.exec(ctx, statement); err != nil {
			return fmt.Errorf("lock database: %w", err)
		}
	}
	return nil
}

// explainPrefix is what may stand before a select.
var explainPrefix = regexp.MustCompile(`(?i)^\s*explain\s+(analyze\s+)?`)

// Query runs a query that somebody typed. Anything but one select (or describe, summarize, show, or explain before it)
// is refused with a schemas.Error of CodeInvalid before any of it runs; so is a query that DuckDB cannot make sense of.
func (r *Reader) Query(ctx context.Context, query string) (*sql.Rows, error) {
	if err := r.check(ctx, query); err != nil {
		return nil, err
	}
	rows, err := r.DB.QueryContext(ctx, query)
	if err != nil && ctx.Err() == nil {
		return nil, invalidQuery("the query cannot be run", err)
	}
	return rows, err
}

// check looks at what DuckDB's own parser makes of a query.
func (r *Reader) check(ctx context.Context, query string) error {
	var text string
	err := r.DB.QueryRowContext(ctx, "select cast(json_serialize_sql(cast(? as varchar)) as varchar)",
		explainPrefix.ReplaceAllString(query, "")).Scan(&text)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return invalidQuery("the query cannot be parsed", err)
	}
	var parsed struct {
		Error        bool   `json:"error"`
		ErrorMessage string `json:"error_message"`
		Statements   []any  `json:"statements"`
	}
	if err := json.Unmarshal([]byte(text), &parsed); err != nil {
		return fmt.Errorf("read parsed query: %w", err)
	}
	switch {
	case parsed.Error && strings.Contains(parsed.ErrorMessage, "Only SELECT"):
		return invalidQuery("only select, describe, show and explain are possible here: the lake is open for reading", nil)
	case parsed.Error:
		return invalidQuery("the query cannot be parsed", errors.New(parsed.ErrorMessage))
	case len(parsed.Statements) != 1:
		return invalidQuery(fmt.Sprintf("one query at a time, please: these are %d", len(parsed.Statements)), nil)
	}
	if name := forbiddenFunction(parsed.Statements); name != "" {
		return invalidQuery(fmt.Sprintf("the table function %s is not possible here: the lake's tables have names", name), nil)
	}
	return nil
}

// forbiddenFunction returns a table function in a parsed query that is not known to be harmless; "" when there is none.
// Some table functions write files, change how the database works, or run text as a query.
func forbiddenFunction(node any) string {
	switch node := node.(type) {
	case []any:
		for _, child := range node {
			if name := forbiddenFunction(child); name != "" {
				return name
			}
		}
	case map[string]any:
		if node["type"] == "TABLE_FUNCTION" {
			function, _ := node["function"].(map[string]any)
			name, _ := function["function_name"].(string)
			switch strings.ToLower(name) {
			case "range", "generate_series", "unnest", "json_each", "json_tree",
				"duckdb_tables", "duckdb_views", "duckdb_columns", "duckdb_functions", "duckdb_types", "duckdb_settings",
				"pragma_table_info", "pragma_version":
			default:
				return name
			}
		}
		for _, child := range node {
			if name := forbiddenFunction(child); name != "" {
				return name
			}
		}
	}
	return ""
}

func invalidQuery(message string, err error) error {
	return &schemas.Error{Code: schemas.CodeInvalid, Message: message, Err: err}
}
