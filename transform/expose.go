package transform

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/diurna-health/diurna/ingest/lake"
)

// exposeInputs lets the model see its inputs: all of them in a full build, else the rows of dirty days widened by
// lookback. The cut is made here and not in the model, so that a model cannot depend on what happens to lie in the same
// file.
func (r *run) exposeInputs(ctx context.Context, m *Model, dirty *scope, full bool) error {
	var sc *scope
	if !full {
		var err error
		if sc, err = r.readableScope(ctx, m, dirty); err != nil {
			return fmt.Errorf("find readable days: %w", err)
		}
	}
	readable := func(in *Model) *scope {
		if !full && m.lookbackTo(in.Name) == (Span{}) {
			return dirty
		}
		return sc
	}
	silver, tables := r.project.reads(m)
	for _, in := range tables {
		s := r.gold[in.Name]
		gold := tableView{name: in.Name, columns: s.Columns}
		if err := r.exposeTable(ctx, input{gold, s.Files, in.DateColumn()}, readable(in)); err != nil {
			return err
		}
	}
	views := r.project.keptInputs(m)
	if dates := r.project.byName[m.Dates]; dates != nil { // it is asked which of them to make
		listed, _ := r.project.reads(dates)
		if err := r.exposeSilver(ctx, listed, sc); err != nil {
			return err
		}
	}
	for _, view := range views { // which reads silver of other dates
		if err := r.keep(ctx, m, view, full); err != nil {
			return fmt.Errorf("make %s: %w", view.Name, err)
		}
	}
	if err := r.exposeSilver(ctx, silver, sc); err != nil {
		return err
	}
	for _, view := range views {
		if err := r.exposeKept(ctx, view, readable(view)); err != nil {
			return err
		}
	}
	return nil
}

// exposeSilver makes the views of silver tables.
func (r *run) exposeSilver(ctx context.Context, names []string, sc *scope) error {
	for _, name := range names {
		t := silverTableOf(name)
		if err := r.exposeTable(ctx, input{t, r.silver[t.table].Files, silverDateColumn}, sc); err != nil {
			return err
		}
	}
	return nil
}

// An input is a table as a model reads it.
type input struct {
	tableView
	files      []lake.File
	dateColumn string
}

// exposeTable makes the view of one table over the files that may hold rows of the scope; nil is every row.
func (r *run) exposeTable(ctx context.Context, in input, sc *scope) error {
	files := in.files
	if sc != nil {
		files = sc.choose(files, in.dateColumn)
	}
	rows, err := r.selectFiles(ctx, in.columns, files)
	if err != nil {
		return fmt.Errorf("open %s for the model: %w", in.name, err)
	}
	return r.exposeRows(ctx, in.name, in.narrow(rows), in.dateColumn, sc)
}

// exposeRows makes a view of those rows that are in the scope. Models that read the same days find it made.
func (r *run) exposeRows(ctx context.Context, name, rows, dateColumn string, sc *scope) error {
	query := rows
	if sc != nil {
		query = fmt.Sprintf("select t.* from (%s) as t semi join %s as d on t.user_id = d.user_id", rows, sc.table)
		if !sc.wholePeople {
			within := "= d.local_date"
			if sc.hasSpans {
				within = "between d.first_date and d.last_date"
			}
			query += fmt.Sprintf(" and t.%[1]s %[2]s where t.%[1]s between %[3]s and %[4]s", quoted(dateColumn), within,
				dateLiteral(sc.first), dateLiteral(sc.last))
		}
	}
	if r.shown[name] == query {
		return nil
	}
	if err := r.w.exec(ctx, "create or replace view "+name+" as "+query); err != nil {
		return fmt.Errorf("open %s for the model: %w", name, err)
	}
	r.shown[name] = query
	return nil
}

// A scope is a set of person-days, coarse enough to ask files about it.
type scope struct {
	table       string        // lists them
	hasSpans    bool          // by their first and last dates: a table of a year for each person is long
	days        int64         // how many they are
	wholePeople bool          // all days of its people, whatever the list says
	people      []personScope // by user
	first, last int64         // of all people's dates
}

// ofWholePeople is the scope of all days of the people of a scope.
func (sc *scope) ofWholePeople() *scope {
	whole := &scope{table: sc.table, wholePeople: true, people: slices.Clone(sc.people)}
	for i := range whole.people {
		whole.people[i].first, whole.people[i].last = math.MinInt64, math.MaxInt64
	}
	return whole
}

type personScope struct {
	user        string
	first, last int64
}

// readableScope is the scope of the days that a model may read when it builds the dirty days.
func (r *run) readableScope(ctx context.Context, m *Model, dirty *scope) (*scope, error) {
	switch {
	case m.Lookback.Unit == SpanPerson:
		return dirty.ofWholePeople(), nil
	case m.Lookback.Days == 0:
		return dirty, nil
	}
	if err := r.w.exec(ctx, "create or replace table build.readable_spans as "+
		spansBack("select user_id, local_date from dirty_days", m.Lookback)); err != nil {
		return nil, err
	}
	sc := &scope{table: "build.readable_spans", hasSpans: true}
	return sc, r.describeScope(ctx, sc, "first_date", "last_date", "sum(last_date - first_date + 1)")
}

// scopeOf reads a list of distinct person-days.
func (r *run) scopeOf(ctx context.Context, table string) (*scope, error) {
	sc := &scope{table: table}
	return sc, r.describeScope(ctx, sc, "local_date", "local_date", "count(*)")
}

// describeScope fills a scope with what its table has of each person, whose dates lie between two of its columns.
func (r *run) describeScope(ctx context.Context, sc *scope, first, last, days string) error {
	rows, err := r.w.conn.QueryContext(ctx, fmt.Sprintf(`select user_id,
			min(%s) - date '1970-01-01', max(%s) - date '1970-01-01', cast(%s as bigint)
		from %s group by user_id order by user_id`, first, last, days, sc.table))
	if err != nil {
		return err
	}
	defer rows.Close()
	sc.first, sc.last = math.MaxInt64, math.MinInt64
	for rows.Next() {
		var p personScope
		var days int64
		if err := rows.Scan(&p.user, &p.first, &p.last, &days); err != nil {
			return err
		}
		sc.days += days
		sc.first, sc.last = min(sc.first, p.first), max(sc.last, p.last)
		sc.people = append(sc.people, p)
	}
	return rows.Err()
}

// ranges returns conditions that part all people, in the list or not, into about so many groups of those in it, in order of
// their ids: files and groups of rows of other people are passed over.
func (sc *scope) ranges(n int) []string {
	n = max(1, min(n, len(sc.people)))
	ranges := make([]string, n)
	for i := range ranges {
		ranges[i] = "true"
		if i > 0 {
			ranges[i] += " and user_id >= " + literal(sc.people[i*len(sc.people)/n].user)
		}
		if i < n-1 {
			ranges[i] += " and user_id < " + literal(sc.people[(i+1)*len(sc.people)/n].user)
		}
	}
	return ranges
}

// choose returns the files whose bounds leave room for a row of the scope. A file without bounds may hold anything.
func (sc *scope) choose(files []lake.File, dateColumn string) []lake.File {
	var chosen []lake.File
	for _, f := range files {
		people := sc.peopleWithin(f)
		lower, ok := f.Lower[dateColumn]
		upper, okUpper := f.Upper[dateColumn]
		if slices.ContainsFunc(people, func(p personScope) bool {
			return !ok || !okUpper || (p.last >= lower.Int && p.first <= upper.Int)
		}) {
			chosen = append(chosen, f)
		}
	}
	return chosen
}

// peopleWithin returns the people of the scope that the file's bounds leave room for.
func (sc *scope) peopleWithin(f lake.File) []personScope {
	lower, ok := f.Lower["user_id"]
	upper, okUpper := f.Upper["user_id"]
	if !ok || !okUpper {
		return sc.people
	}
	byUser := func(p personScope, user string) int { return strings.Compare(p.user, user) }
	from, _ := slices.BinarySearchFunc(sc.people, lower.Text, byUser)
	to, found := slices.BinarySearchFunc(sc.people, upper.Text, byUser)
	if found {
		to++
	}
	return sc.people[from:max(from, to)]
}
