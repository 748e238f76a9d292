package transform

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

// loadDirty reads the list of dirty days, as far as some table has not seen it and silver is complete.
func (r *run) loadDirty(ctx context.Context) error {
	s, err := r.store.Load(ctx, schemas.TableDirtyDays)
	if err != nil {
		if r.silver[schemas.TableSeriesHours].ID != 0 {
			return fmt.Errorf("load %s: %w", schemas.TableDirtyDays, err)
		}
		s = &lake.Snapshot{Table: schemas.TableDirtyDays} // nothing was ever merged
	}
	seen, err := r.slowest()
	if err != nil {
		return err
	}
	lowest := int64(0)
	if len(seen) > 0 {
		lowest = slices.Min(slices.Collect(maps.Values(seen)))
	}
	files := slices.DeleteFunc(slices.Clone(s.Files), func(f lake.File) bool {
		upper, ok := f.Upper["offset"]
		return ok && upper.Int <= lowest
	})
	rows, err := r.selectFiles(ctx, lake.ColumnsOf[schemas.DirtyDay](), files)
	if err != nil {
		return fmt.Errorf("read %s: %w", schemas.TableDirtyDays, err)
	}
	query := fmt.Sprintf(`create table build.dirty_input as
		select distinct d."partition", d."offset", d.user_id, d.local_date, d.domain
		from (%s) as d
		semi join (%s) as s on d."partition" = s."partition" and d."offset" > s.after and d."offset" <= s.upto`,
		rows, r.since(seen))
	if err := r.w.exec(ctx, query); err != nil {
		return fmt.Errorf("read %s: %w", schemas.TableDirtyDays, err)
	}
	return r.noteDirtyTables(ctx)
}

func (r *run) noteDirtyTables(ctx context.Context) error {
	r.dirty = map[string]bool{}
	rows, err := r.w.conn.QueryContext(ctx, "select distinct domain from build.dirty_input")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			return err
		}
		r.dirty[table] = true
	}
	return rows.Err()
}

// isUntouched reports whether nothing that the model reads can have changed since the given watermarks. Most models of
// a build are, and need no query to be told so.
func (r *run) isUntouched(m *Model, from map[int32]int64) bool {
	silver, tables := r.project.reads(m)
	return !slices.ContainsFunc(silver, func(t string) bool { return r.dirty[silverTableOf(t).table] }) &&
		!slices.ContainsFunc(tables, func(in *Model) bool {
			above := r.built[in.Name]
			return above.result.ChangedDays > 0 || !r.sameMarks(above.from, from)
		})
}

// slowest returns, by partition, the watermark of the table that is furthest behind.
func (r *run) slowest() (map[int32]int64, error) {
	slowest := maps.Clone(r.bound)
	for _, s := range r.gold {
		if s == nil {
			continue // built in full, which needs no list
		}
		marks, err := s.Watermarks(lake.BuildWatermark)
		if err != nil {
			return nil, err
		}
		for p, offset := range slowest {
			slowest[p] = min(offset, marks[p])
		}
	}
	return slowest, nil
}

// since selects, by partition, the offsets that came after the given ones and are complete in silver.
func (r *run) since(after map[int32]int64) string {
	rows := []string{}
	for _, p := range slices.Sorted(maps.Keys(r.bound)) {
		rows = append(rows, fmt.Sprintf(`select %d as "partition", %d::bigint as after, %d::bigint as upto`,
			p, after[p], r.bound[p]))
	}
	if len(rows) == 0 {
		return `select 0 as "partition", 0::bigint as after, 0::bigint as upto where false`
	}
	return strings.Join(rows, " union all ")
}

// findDirtyDays fills dirty_days for a model, and describes them.
func (r *run) findDirtyDays(ctx context.Context, m *Model, state buildState) (*scope, error) {
	fill := r.closure
	if state.result.Full {
		fill = r.everyDay
	}
	if err := fill(ctx, m, state.from, tableDirtyDays); err != nil {
		return nil, err
	}
	return r.scopeOf(ctx, tableDirtyDays)
}

// everyDay fills target with every day the model's inputs have, widened by its reach, and every day its table has: rows
// of days that are no more must go.
func (r *run) everyDay(ctx context.Context, m *Model, _ map[int32]int64, target string) error {
	silver, tables := r.project.reads(m)
	var parts []string
	for _, name := range silver {
		t := silverTableOf(name)
		rows, err := r.selectFiles(ctx, t.columns, r.silver[t.table].Files)
		if err != nil {
			return err
		}
		parts = append(parts, fmt.Sprintf("select user_id, local_date from (%s)", t.narrow(rows)))
	}
	for _, in := range append(slices.Clone(tables), m) {
		keys, err := r.selectKeys(ctx, in, r.gold[in.Name])
		if err != nil {
			return err
		}
		parts = append(parts, keys)
	}
	return r.fill(ctx, target, parts, nil, m)
}

// selectKeys selects the person-days a gold table has.
func (r *run) selectKeys(ctx context.Context, m *Model, s *lake.Snapshot) (string, error) {
	if s == nil {
		s = &lake.Snapshot{}
	}
	columns := []lake.Column{{Name: "user_id", Type: "VARCHAR"}, {Name: m.DateColumn(), Type: "DATE"}}
	rows, err := r.selectFiles(ctx, columns, s.Files)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("select user_id, %s as local_date from (%s)", m.DateColumn(), rows), nil
}

// selectNoDays selects no person-days: what a union begins with that may have no other part.
const selectNoDays = "select null::varchar as user_id, null::date as local_date where false"

// closure fills target with the days that may have changed in a model since the given watermarks: those that changed in
// silver and in the tables it reads, widened by its reach unless a row needs no day of them but its own.
func (r *run) closure(ctx context.Context, m *Model, from map[int32]int64, target string) error {
	silver, tables := r.project.reads(m)
	wideSilver, wideTables := r.project.readsWidely(m)
	daily := r.dirtySince(from, slices.DeleteFunc(silver, func(name string) bool { return slices.Contains(wideSilver, name) }))
	wide := r.dirtySince(from, wideSilver)
	part := func(isWide bool, days string) {
		if isWide {
			wide = append(wide, days)
		} else {
			daily = append(daily, days)
		}
	}
	for _, in := range tables {
		above, isWide := r.built[in.Name], slices.Contains(wideTables, in)
		if r.sameMarks(above.from, from) {
			if above.result.ChangedDays > 0 {
				part(isWide, "select user_id, local_date from "+above.changed)
			}
			continue
		}
		// The table above was built before without this one: what changed in it then is not known any more, so its
		// dirty days are followed again.
		days := target + "_above_" + in.Name
		if target == tableDirtyDays {
			days = "build.above_" + in.Name
		}
		if err := r.closure(ctx, in, from, days); err != nil {
			return err
		}
		part(isWide, "select user_id, local_date from "+days)
		if in.Reach.Unit == SpanPerson {
			whole, err := r.selectDaysOfPeople(ctx, days, in, m)
			if err != nil {
				return err
			}
			part(isWide, whole)
		}
	}
	return r.fill(ctx, target, wide, daily, m)
}

// dirtySince selects the days of silver tables that came after the given watermarks; there may be none.
func (r *run) dirtySince(from map[int32]int64, silver []string) []string {
	var domains []string
	for _, name := range silver {
		if table := silverTableOf(name).table; r.dirty[table] {
			domains = append(domains, literal(table))
		}
	}
	if len(domains) == 0 {
		return nil
	}
	return []string{fmt.Sprintf(`
		select d.user_id, d.local_date
		from build.dirty_input as d
		semi join (%s) as s on d."partition" = s."partition" and d."offset" > s.after and d."offset" <= s.upto
		where d.domain in (%s)`, r.since(from), strings.Join(domains, ", "))}
}

// selectDaysOfPeople selects every day the tables of two models have for the people of a list: where a whole person was
// built anew, any of them may have changed, and one that is gone above is still below.
func (r *run) selectDaysOfPeople(ctx context.Context, days string, models ...*Model) (string, error) {
	keys := make([]string, len(models))
	for i, m := range models {
		var err error
		if keys[i], err = r.selectKeys(ctx, m, r.gold[m.Name]); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("select k.user_id, k.local_date from (%s) as k semi join %s as d on k.user_id = d.user_id",
		strings.Join(keys, " union all "), days), nil
}

func (r *run) sameMarks(a, b map[int32]int64) bool {
	for p := range r.bound {
		if a[p] != b[p] {
			return false
		}
	}
	return true
}

// fill makes a table of the distinct person-days of selects that may have rows of the model: those of the wide ones widened
// by its reach, those of the daily ones as they are. Reach person stays as it is: whoever is in the list is built whole.
func (r *run) fill(ctx context.Context, target string, wide, daily []string, m *Model) error {
	var parts []string
	if len(wide) > 0 {
		parts = append(parts, widen(distinctDays(wide), m.Reach, r.horizon()))
	}
	if len(daily) > 0 {
		parts = append(parts, distinctDays(daily))
	}
	days := strings.Join(parts, " union ")
	if len(parts) == 0 {
		days = selectNoDays
	}
	query := fmt.Sprintf("create or replace table %s as %s", target, closing(m.Closes, days))
	if err := r.w.exec(ctx, query); err != nil {
		return fmt.Errorf("list days: %w", err)
	}
	if m.Reach.Unit == SpanHoles {
		if err := r.addHoles(ctx, target, m); err != nil {
			return fmt.Errorf("look for holes: %w", err)
		}
	}
	return nil
}

// addHoles adds to a list, for each person, all days from the first to the last, and before and behind them those up to the
// next that one of the inputs has. What an input has before or behind has not changed; so a day that is within what a person
// has now, or was, and not both, lies between days of the list or in a hole beside them.
func (r *run) addHoles(ctx context.Context, target string, m *Model) error {
	sc, err := r.scopeOf(ctx, target)
	if err != nil || sc.days == 0 {
		return err
	}
	earliestLast := sc.last // most people's last day is the last of all: hardly a file has later ones
	for _, p := range sc.people {
		earliestLast = min(earliestLast, p.last)
	}
	days := make([]string, len(m.HolesOf))
	for i, name := range m.HolesOf {
		if days[i], err = r.selectKeys(ctx, r.project.byName[name], r.gold[name]); err != nil {
			return err
		}
	}
	return r.w.exec(ctx, fmt.Sprintf(`create or replace table build.around_holes as
		with spans as (
			select user_id, min(local_date) as first_date, max(local_date) as last_date from %[1]s group by user_id
		),
		there as (select t.* from (%[2]s) as t semi join spans as s on t.user_id = s.user_id),
		closed as (
			select distinct t.user_id from there as t
			inner join spans as s on t.user_id = s.user_id and t.local_date = s.first_date - 1
		),
		before as (
			select t.user_id, max(t.local_date) + 1 as first_date from there as t
			inner join (select * from spans anti join closed using (user_id)) as s
				on t.user_id = s.user_id and t.local_date < s.first_date
			group by t.user_id
		),
		behind as (
			select t.user_id, min(t.local_date) - 1 as last_date from there as t
			inner join spans as s on t.user_id = s.user_id and t.local_date > s.last_date
			where t.local_date > %[3]s
			group by t.user_id
		)
		select s.user_id, coalesce(before.first_date, s.first_date) as first_date, coalesce(behind.last_date, s.last_date) as last_date
		from spans as s
		left join before on s.user_id = before.user_id
		left join behind on s.user_id = behind.user_id;
		create or replace table %[1]s as
		select user_id, cast(unnest(generate_series(cast(first_date as timestamp), cast(last_date as timestamp), interval 1 day))
			as date) as local_date
		from build.around_holes`, target, strings.Join(days, " union all "), dateLiteral(earliestLast)))
}

func distinctDays(selects []string) string {
	return "select distinct user_id, local_date from (" + strings.Join(selects, " union all ") + ")"
}

// closing selects those of the days of a select that are the last of a period.
func closing(period SpanUnit, days string) string {
	if period == "" {
		return days
	}
	return fmt.Sprintf("select * from (%s) where date_trunc(%s, local_date + 1) = local_date + 1", days, literal(string(period)))
}

// widen selects the days that a span puts around the days of a select. Forward and recorded days end at the later of the
// horizon and the last of the days.
func widen(days string, span Span, horizon string) string {
	each := func(first, last string) string {
		return fmt.Sprintf(`select distinct user_id, cast(unnest(generate_series(cast(%s as timestamp), cast(%s as timestamp),
			interval 1 day)) as date) as local_date from (%s)`, first, last, days)
	}
	// Days on end are widened together: a span of a year around each day of a year would be a hundred thousand days.
	around := func(first, last string) string {
		return fmt.Sprintf(`select distinct user_id, cast(unnest(generate_series(cast(%s as timestamp), cast(%s as timestamp),
			interval 1 day)) as date) as local_date
			from (
				select user_id, min(local_date) as first_date, max(local_date) as last_date
				from (
					select user_id, local_date, local_date - cast(dense_rank() over (partition by user_id order by local_date)
						as integer) as stretch
					from (%s)
				)
				group by user_id, stretch
			)`, first, last, days)
	}
	switch span.Unit { //nolint:exhaustive // days come after it
	case SpanPerson, SpanHoles: // holes are looked for later
		return days
	case SpanWeek:
		return each("date_trunc('week', local_date)", "date_trunc('week', local_date) + interval 6 day")
	case SpanMonth:
		return each("date_trunc('month', local_date)", "last_day(local_date)")
	case SpanForward:
		return fmt.Sprintf(`select user_id, cast(unnest(generate_series(cast(min(local_date) as timestamp),
			cast(greatest(max(local_date), %s) as timestamp), interval 1 day)) as date) as local_date
			from (%s) group by user_id`, horizon, days)
	}
	if span.Days == 0 {
		return days
	}
	if span.Around {
		return around(fmt.Sprintf("first_date - %d", span.Days), fmt.Sprintf("last_date + %d", span.Days))
	}
	if span.Recorded {
		return around("first_date", fmt.Sprintf("greatest(last_date, least(last_date + %d, %s))", span.Days, horizon))
	}
	return around("first_date", fmt.Sprintf("last_date + %d", span.Days))
}

// widenBack selects the days that a lookback lets a model read for the days of a select.
func widenBack(days string, lookback Span) string {
	if lookback.Around || lookback.Days == 0 {
		return widen(days, lookback, "")
	}
	shifted := fmt.Sprintf("select user_id, local_date - %d as local_date from (%s)", lookback.Days, days)
	return widen(shifted, Span{Days: lookback.Days}, "")
}

// spansBack selects the same days as spans: the first and the last dates of days on end.
func spansBack(days string, lookback Span) string {
	after := 0
	if lookback.Around {
		after = lookback.Days
	}
	return fmt.Sprintf(`select user_id, min(local_date) - %[1]d as first_date, max(local_date) + %[2]d as last_date
		from (
			select user_id, local_date, count(*) filter (starts) over (partition by user_id order by local_date) as span
			from (
				select user_id, local_date, coalesce(local_date - lag(local_date) over (partition by user_id order by local_date)
					> %[1]d + %[2]d + 1, true) as starts
				from (%[3]s)
			)
		)
		group by user_id, span`, lookback.Days, after, days)
}

// horizon is the last date any table has, as SQL.
func (r *run) horizon() string {
	last := int64(0)
	note := func(files []lake.File, column string) {
		for _, f := range files {
			last = max(last, f.Upper[column].Int)
		}
	}
	for _, s := range r.silver {
		note(s.Files, silverDateColumn)
	}
	for name, s := range r.gold {
		if s != nil {
			note(s.Files, r.project.byName[name].DateColumn())
		}
	}
	return dateLiteral(last)
}

func dateLiteral(day int64) string {
	return "date '" + time.Unix(day*86400, 0).UTC().Format(time.DateOnly) + "'"
}
