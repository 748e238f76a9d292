package transform

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// audit checks the rows in model_output against what the model's header promises, and against the days it was asked
// for: rows of other days would be added a second time by the build that is asked for those.
func (w *warehouse) audit(ctx context.Context, p *Project, m *Model) error {
	type rule struct{ name, query string }
	grain := strings.Join(m.Grain, ", ")
	rules := []rule{
		{"grain is unique: " + grain, fmt.Sprintf(
			"select coalesce(sum(n - 1), 0)::bigint from (select count(*) as n from build.model_output group by %s having count(*) > 1)", grain)},
		{"grain is not null: " + grain, fmt.Sprintf(
			"select count(*) from build.model_output where %s is null", strings.Join(m.Grain, " is null or "))},
		{"rows are of dirty days", fmt.Sprintf(
			"select count(*) from build.model_output as o where not exists (select 1 from dirty_days as d where %s)", m.dirtyMatch("o"))},
	}
	methods := p.methods(m)
	for i, method := range methods {
		methods[i] = literal(method)
	}
	for _, predicate := range append([]string{"method_version in (" + strings.Join(methods, ", ") + ")"}, m.Audits...) {
		rules = append(rules, rule{predicate, "select count(*) from build.model_output where not (" + predicate + ")"})
	}
	var broken []error
	for _, r := range rules {
		n, err := w.count(ctx, r.query)
		if err != nil {
			return fmt.Errorf("audit %s: run rule %q: %w", m.Name, r.name, err)
		}
		if n > 0 {
			broken = append(broken, &AuditError{Model: m.Name, Rule: r.name, Count: n})
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
