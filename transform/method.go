package transform

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

// tableMethodChanges holds the dates from which tables follow another method: what charts mark, and what no comparison
// reaches across.
const tableMethodChanges = "method_changes"

// propertyMethod holds the method of the model that made a gold table's rows.
const propertyMethod = "model.method"

// A MethodChange says from which local date on a table's rows are made by another method.
type MethodChange struct {
	Table         string
	Since         string // a date
	Method        string
	MethodBefore  string
	BeforeIsTable string // the table that goes on with the method before, for all days
}

// methodChanges lists them by table, the newest of each first.
func (p *Project) methodChanges() []MethodChange {
	var changes []MethodChange
	for _, m := range p.models {
		for newer := m; newer.Supersedes != ""; newer = p.byName[newer.Supersedes] {
			older := p.byName[newer.Supersedes]
			changes = append(changes, MethodChange{Table: m.Name, Since: newer.Since, Method: newer.Method,
				MethodBefore: older.Method, BeforeIsTable: older.Name})
		}
	}
	slices.SortFunc(changes, func(a, b MethodChange) int {
		return strings.Compare(a.Table+b.Since, b.Table+a.Since)
	})
	return changes
}

// A methodChangeColumn is a column of the table method_changes.
type methodChangeColumn struct{ name, kind, meaning string }

func methodChangeColumns() []methodChangeColumn {
	return []methodChangeColumn{
		{"table_name", "varchar", "table that follows another formula"},
		{"since_date", "date", "the first local date that does"},
		{"method_version", "varchar", "the method from that date on"},
		{"method_version_before", "varchar", "the method before it"},
		{"table_before", "varchar", "table that goes on with the method before, for all days"},
	}
}

// methodChangesSQL makes the table method_changes.
func (p *Project) methodChangesSQL() string {
	var columns []string
	for _, c := range methodChangeColumns() {
		columns = append(columns, c.name+" "+c.kind)
	}
	var b strings.Builder
	b.WriteString("create table " + tableMethodChanges + "(" + strings.Join(columns, ", ") + ")")
	for i, c := range p.methodChanges() {
		if i == 0 {
			b.WriteString(";\ninsert into " + tableMethodChanges + " values ")
		} else {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "(%s, date %s, %s, %s, %s)", literal(c.Table), literal(c.Since), literal(c.Method),
			literal(c.MethodBefore), literal(c.BeforeIsTable))
	}
	return b.String()
}

// methods are those that rows of the model's table may have: its own, and before that those it superseded.
func (p *Project) methods(m *Model) []string {
	methods := []string{m.Method}
	for older := p.byName[m.Supersedes]; older != nil; older = p.byName[older.Supersedes] {
		methods = append(methods, older.Method)
	}
	return methods
}

// withHistory selects the rows of the model's table: what its select makes, and before the change of method what the
// superseded model made.
func (p *Project) withHistory(m *Model, rows string) string {
	older := p.byName[m.Supersedes]
	if older == nil {
		return rows
	}
	return fmt.Sprintf(`select * from (%[1]s) where %[2]s >= date %[3]s
		union all by name
		select o.* from %[4]s as o where o.%[2]s < date %[3]s and exists (select 1 from %[5]s as d where %[6]s)`,
		rows, m.DateColumn(), literal(m.Since), older.Name, tableDirtyDays, m.dirtyMatch("o"))
}

// checkSuperseded checks that what is superseded is a table of the same grain, of an older version of the same method.
func (p *Project) checkSuperseded() error {
	var problems []error
	for _, m := range p.models {
		if m.Supersedes == "" {
			continue
		}
		older := p.byName[m.Supersedes]
		switch {
		case older == nil || older.Build != BuildTable:
			problems = append(problems, fmt.Errorf("model %s: there is no table %q to supersede", m.Name, m.Supersedes))
		case !slices.Equal(m.Grain, older.Grain):
			problems = append(problems, fmt.Errorf("model %s: its grain differs from that of %s, which it supersedes", m.Name, older.Name))
		case older.Method == m.Method:
			problems = append(problems, fmt.Errorf("model %s: its method is that of %s, which it supersedes", m.Name, older.Name))
		}
	}
	return errors.Join(problems...)
}

// checkMethod refuses to restate what a table says by an older method. The way out is in the models: keep the older one
// beside the new one, and say from which date on the new one counts.
func (r *run) checkMethod(m *Model, base *lake.Snapshot) error {
	if base == nil || len(base.Files) == 0 {
		return nil
	}
	if before := base.Properties[propertyMethod]; before != "" && !slices.Contains(r.project.methods(m), before) {
		return fmt.Errorf("the table's rows are of method %s and the model's method is %s: what becomes of history? "+
			"Keep the older model and name it under supersedes", before, m.Method)
	}
	return nil
}

// noteRestated says so when a model that changed, though not its method, changed what the table said before: mended, or
// made worse. history is the number of days that had rows before and have others now.
func (r *run) noteRestated(ctx context.Context, m *Model, base *lake.Snapshot, old string, state *buildState) error {
	if len(base.Files) == 0 || base.Properties[propertyModel] == m.sha || base.Properties[propertyMethod] != m.Method {
		return nil
	}
	n, err := r.w.count(ctx, fmt.Sprintf(`select count(*) from %s as c where exists (
		select 1 from (%s) as o where o.user_id = c.user_id and o.%s = c.local_date)`, state.changed, old, m.DateColumn()))
	if err != nil {
		return err
	}
	if state.result.RestatedDays = n; n > 0 {
		r.cfg.Logger.WarnContext(ctx, "the model changed, not its method, and days say other things than before",
			schemas.LogKeyModel, m.Name, schemas.LogKeyDays, n)
	}
	return nil
}
