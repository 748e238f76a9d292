package transform

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// audit checks the rows in model_output against what the model's header promises, and against the days it was asked
// for: rows of other days would be added a second time by the build that is asked for those. One query counts for all
// rules, since a model has many and most builds have few rows.
func (w *warehouse) audit(ctx context.Context, p *Project, m *Model) error {
	type rule struct{ name, broken string }
	grain := strings.Join(m.Grain, ", ")
	rules := []rule{
		{"grain is unique: " + grain, "count(*) - (select count(*) from (select distinct " + grain + " from build.model_output))"},
		{"grain is not null: " + grain, "count(*) filter (where " + strings.Join(m.Grain, " is null or ") + " is null)"},
		{"rows are of dirty days", "(select count(*) from build.model_output as o where not exists (select 1 from dirty_days as d where " +
			m.dirtyMatch("o") + "))"},
	}
	methods := p.methods(m)
	for i, method := range methods {
		methods[i] = literal(method)
	}
	for _, predicate := range append([]string{"method_version in (" + strings.Join(methods, ", ") + ")"}, m.Audits...) {
		rules = append(rules, rule{predicate, "count(*) filter (where not (" + predicate + "))"})
	}
	counts, targets, selects := make([]int64, len(rules)), make([]any, len(rules)), make([]string, len(rules))
	for i, r := range rules {
		targets[i], selects[i] = &counts[i], "cast("+r.broken+" as bigint)"
	}
	query := "select " + strings.Join(selects, ",\n") + " from build.model_output"
	if err := w.conn.QueryRowContext(ctx, query).Scan(targets...); err != nil {
		return fmt.Errorf("audit %s: %w", m.Name, err)
	}
	var broken []error
	for i, r := range rules {
		if counts[i] > 0 {
			broken = append(broken, &AuditError{Model: m.Name, Rule: r.name, Count: counts[i]})
		}
	}
	return errors.Join(broken...)
}

// dirtyMatch is the condition under which a row of the model, known by the given alias, belongs to a row d of
// dirty_days.
func (m *Model) dirtyMatch(alias string) string {
	if m.Reach.Unit == SpanPerson {
		return fmt.Sprintf("%s.user_id = d.user_id", alias)
	}
	return fmt.Sprintf("%[1]s.user_id = d.user_id and %[1]s.%[2]s = d.local_date", alias, m.DateColumn())
}
