package transform

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/diurna-health/diurna/schemas"
)

// Days whose rows break an audit are withheld, as long as they are of so many people or such a share of those whose rows
// were made. What is wrong with more people's days is the model.
const (
	withheldPeople = 10
	withheldShare  = 0.01
)

// A rule is something that rows in model_output must not break.
type rule struct {
	name   string
	broken string // how many rows break it, in SQL
}

// audit checks the rows in model_output against what the model's header promises, and against the days it was asked
// for: rows of other days would be added a second time by the build that is asked for those. One query counts for all
// rules, since a model has many and most builds have few rows. It returns of how many days the rows were taken out,
// because they break an audit.
func (r *run) audit(ctx context.Context, m *Model) (withheld int64, err error) {
	promises, audits := r.project.promises(m), m.auditRules()
	counts, err := r.w.countBroken(ctx, slices.Concat(promises, audits))
	if err != nil {
		return 0, fmt.Errorf("audit %s: %w", m.Name, err)
	}
	if err := broken(m, promises, counts); err != nil {
		return 0, err
	}
	unsound := broken(m, audits, counts[len(promises):])
	if unsound == nil {
		return 0, nil
	}
	if withheld, err = r.withhold(ctx, m); err != nil {
		return 0, fmt.Errorf("withhold days of %s: %w", m.Name, err)
	}
	if withheld == 0 {
		return 0, unsound
	}
	r.cfg.Logger.WarnContext(ctx, "days withheld, their rows break an audit",
		schemas.LogKeyModel, m.Name, schemas.LogKeyDays, withheld, schemas.LogKeyError, unsound)
	return withheld, nil
}

// promises are what no row may break, or the table would not be what its header says.
func (p *Project) promises(m *Model) []rule {
	grain := strings.Join(m.Grain, ", ")
	methods := p.methods(m)
	for i, method := range methods {
		methods[i] = literal(method)
	}
	return []rule{
		{"grain is unique: " + grain, "count(*) - (select count(*) from (select distinct " + grain + " from build.model_output))"},
		{"grain is not null: " + grain, "count(*) filter (where " + strings.Join(m.Grain, " is null or ") + " is null)"},
		{"rows are of dirty days", "(select count(*) from build.model_output as o where not exists (select 1 from dirty_days as d where " +
			m.dirtyMatch("o") + "))"},
		auditRule("method_version in (" + strings.Join(methods, ", ") + ")"),
	}
}

func (m *Model) auditRules() []rule {
	rules := make([]rule, len(m.Audits))
	for i, predicate := range m.Audits {
		rules[i] = auditRule(predicate)
	}
	return rules
}

func auditRule(predicate string) rule {
	return rule{predicate, "count(*) filter (where not (" + predicate + "))"}
}

// countBroken returns how many rows break each of the rules.
func (w *warehouse) countBroken(ctx context.Context, rules []rule) ([]int64, error) {
	counts, targets, selects := make([]int64, len(rules)), make([]any, len(rules)), make([]string, len(rules))
	for i, r := range rules {
		targets[i], selects[i] = &counts[i], "cast("+r.broken+" as bigint)"
	}
	query := "select " + strings.Join(selects, ",\n") + " from build.model_output"
	return counts, w.conn.QueryRowContext(ctx, query).Scan(targets...)
}

// broken returns an AuditError for each of the rules that rows break.
func broken(m *Model, rules []rule, counts []int64) error {
	var errs []error
	for i, r := range rules {
		if counts[i] > 0 {
			errs = append(errs, &AuditError{Model: m.Name, Rule: r.name, Count: counts[i]})
		}
	}
	return errors.Join(errs...)
}

// withhold takes out the rows of days on which a row breaks an audit, and returns of how many days. Of too many people's
// days it takes out none.
func (r *run) withhold(ctx context.Context, m *Model) (days int64, err error) {
	if err := r.w.exec(ctx, fmt.Sprintf(`create or replace table build.withheld as
		select distinct user_id, %s as local_date from build.model_output where not (%s)`,
		quoted(m.DateColumn()), strings.Join(m.Audits, ") or not ("))); err != nil {
		return 0, err
	}
	var people, all int64
	if err := r.w.conn.QueryRowContext(ctx, `select count(*), count(distinct user_id),
		(select count(distinct user_id) from build.model_output) from build.withheld`).Scan(&days, &people, &all); err != nil {
		return 0, err
	}
	if people > max(withheldPeople, int64(withheldShare*float64(all))) {
		return 0, nil
	}
	return days, r.w.exec(ctx, "delete from build.model_output as o using build.withheld as c where "+changedMatch(m, "o"))
}

// dirtyMatch is the condition under which a row of the model, known by the given alias, belongs to a row d of
// dirty_days.
func (m *Model) dirtyMatch(alias string) string {
	if m.Reach.Unit == SpanPerson {
		return fmt.Sprintf("%s.user_id = d.user_id", alias)
	}
	return fmt.Sprintf("%[1]s.user_id = d.user_id and %[1]s.%[2]s = d.local_date", alias, m.DateColumn())
}
