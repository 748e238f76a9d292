//go:build duckdb_arrow

package transform

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/duckdb/duckdb-go/v2"

	"github.com/diurna-health/diurna/transform/samples"
)

// functionRows is the name under which DuckDB sees what a Go function returns.
const functionRows = "function_rows"

// runFunction runs a statement over what the model's Go function makes of its select. The rows stream: DuckDB pulls
// record batches out of the function, which pulls them out of the select on a connection of its own.
func (p *Project) runFunction(ctx context.Context, db *sql.DB, conn *sql.Conn, m *Model, hours samples.Source, statement func(rows string) string) error {
	function := p.functions[m.Function]
	return readArrow(ctx, db, m.orderedSelect(), func(rows array.RecordReader) error {
		if len(m.Series) == 0 {
			made, err := function.Run(ctx, rows)
			return p.pipeMade(ctx, conn, m, made, err, statement)
		}
		if hours != nil {
			made, err := function.RunSeries(ctx, hours, rows)
			return p.pipeMade(ctx, conn, m, made, err, statement)
		}
		return readArrow(ctx, db, m.selectHours(), func(hours array.RecordReader) error {
			made, err := function.RunSeries(ctx, samples.NewRecorded(hours), rows)
			return p.pipeMade(ctx, conn, m, made, err, statement)
		})
	})
}

// readArrow calls use with the rows of a select.
func readArrow(ctx context.Context, db *sql.DB, query string, use func(rows array.RecordReader) error) error {
	source, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer source.Close() //nolint:errcheck // it goes back to the pool
	return source.Raw(func(from any) error {
		reading, err := duckdb.NewArrowFromConn(from.(driver.Conn)) //nolint:forcetypeassert // what DuckDB's driver hands out
		if err != nil {
			return err
		}
		rows, err := reading.QueryContext(ctx, query)
		if err != nil {
			return err
		}
		defer rows.Release()
		if err := use(rows); err != nil {
			return err
		}
		if err := rows.Err(); err != nil {
			return fmt.Errorf("rows for a function: %w", err)
		}
		return nil
	})
}

// pipeMade runs a statement over what a model's function has made, or failed to.
func (p *Project) pipeMade(ctx context.Context, conn *sql.Conn, m *Model, made array.RecordReader, err error, statement func(rows string) string) error {
	if err != nil {
		return fmt.Errorf("function %s: %w", m.Function, err)
	}
	defer made.Release()
	if err := m.checkOutputs(made.Schema()); err != nil {
		return fmt.Errorf("function %s: %w", m.Function, err)
	}
	err = conn.Raw(func(to any) error {
		return pipe(ctx, to.(driver.Conn), made, statement(p.withHistory(m, m.selectOutputs(functionRows)))) //nolint:forcetypeassert // what DuckDB's driver hands out
	})
	if err := errors.Join(err, made.Err()); err != nil {
		return fmt.Errorf("function %s: %w", m.Function, err)
	}
	return nil
}

// pipe runs a statement that reads the rows under the name functionRows.
func pipe(ctx context.Context, to driver.Conn, rows array.RecordReader, statement string) error {
	writing, err := duckdb.NewArrowFromConn(to)
	if err != nil {
		return err
	}
	release, err := writing.RegisterView(rows, functionRows)
	if err != nil {
		return err
	}
	defer release()
	exec, ok := to.(driver.ExecerContext)
	if !ok {
		return fmt.Errorf("a connection of type %T executes nothing", to)
	}
	if _, err := exec.ExecContext(ctx, statement, nil); err != nil {
		return err
	}
	_, err = exec.ExecContext(ctx, "drop view "+functionRows, nil)
	return err
}

// checkOutputs compares what a function returns with what the header promises. A column that nobody asks for is not read
// past: DuckDB takes the columns of the stream for those that it asked for, and the process ends.
func (m *Model) checkOutputs(schema *arrow.Schema) error {
	var want, got []string
	for _, o := range m.Outputs {
		want = append(want, o.Name)
	}
	for _, f := range schema.Fields() {
		got = append(got, f.Name)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		return fmt.Errorf("it returns the columns %q, the header's outputs are %q", got, want)
	}
	return nil
}
