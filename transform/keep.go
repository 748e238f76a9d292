package transform

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform/samples"
)

// kept is a view whose rows are made once, for all models of the build that read it: a row of minutes, say, is a person's
// date, its lists being a hundred times what else it holds. They are in tables of the build; what does not fit into memory
// DuckDB puts into its folder for that.
type kept struct {
	rows []string // tables, one for each time that days were added: DuckDB would copy what is added to one that has rows
	days string   // table of the days that are in them
	full bool     // every day is
}

// keptInputs are the kept views that a model reads, itself or through others.
func (p *Project) keptInputs(m *Model) []*Model {
	var views []*Model
	seen := map[string]bool{}
	var follow func(m *Model)
	follow = func(m *Model) {
		for _, in := range m.Inputs {
			im := p.byName[in]
			if im == nil || im.Build != BuildView || seen[in] {
				continue
			}
			seen[in] = true
			if im.Keep {
				views = append(views, im)
			}
			follow(im)
		}
	}
	follow(m)
	return views
}

// keep makes the rows of a kept view for the dirty days of a model, as far back as it reads them. Days that no model had
// asked for before are added to those there are.
func (r *run) keep(ctx context.Context, m, view *Model, full bool) error {
	err := r.tryKeep(ctx, m, view, full)
	if err != nil {
		delete(r.kept, view.Name) // nobody knows what is in them
	}
	return err
}

func (r *run) tryKeep(ctx context.Context, m, view *Model, full bool) error {
	k := r.kept[view.Name]
	if k == nil || full && !k.full {
		k = &kept{days: "build.days_of_" + view.Name, full: full}
		if err := r.w.exec(ctx, "create or replace table "+k.days+"(user_id varchar, local_date date)"); err != nil {
			return err
		}
		r.kept[view.Name] = k
	} else if k.full {
		return nil
	}
	days, err := r.daysToKeep(ctx, m, view, full)
	if err != nil {
		return err
	}
	missing := "build.missing_" + view.Name
	if err := r.w.exec(ctx, fmt.Sprintf("create or replace table %s as %s except select user_id, local_date from %s",
		missing, days, k.days)); err != nil {
		return err
	}
	if err := r.addKept(ctx, view, k, missing); err != nil {
		return err
	}
	return r.w.exec(ctx, "insert into "+k.days+" select * from "+missing)
}

// daysToKeep selects the days of a kept view that are read when the dirty days of a model are built.
func (r *run) daysToKeep(ctx context.Context, m, view *Model, full bool) (string, error) {
	lookback := m.lookbackTo(view.Name)
	if lookback.Unit != SpanPerson && len(r.kept[view.Name].rows) == 0 { // silver is read once for all
		if of := r.project.neighbours(view); of.Days > lookback.Days {
			lookback = of
		}
	}
	switch {
	case full:
		return r.silverDays(ctx, view)
	case lookback.Unit == SpanPerson:
		days, err := r.silverDays(ctx, view)
		return fmt.Sprintf("select user_id, local_date from (%s) as k semi join dirty_days as d on k.user_id = d.user_id", days), err
	case lookback.Days > 0 && m.Dates != "":
		return fmt.Sprintf("select distinct v.user_id, v.local_date from %s as v semi join dirty_days as d on v.user_id = d.user_id and v.%s = d.local_date",
			m.Dates, quoted(r.project.byName[m.Dates].DateColumn())), nil
	case lookback.Days > 0:
		return widenBack("select user_id, local_date from dirty_days", lookback), nil
	}
	return "select distinct user_id, local_date from dirty_days", nil
}

// neighbours returns how far around a changed day the models that read a kept view of it will ask for it, but for those that
// list dates of their own.
func (p *Project) neighbours(view *Model) Span {
	days := 0
	for _, m := range p.models {
		if m.Build == BuildTable && m.Dates == "" && m.Reach.Days > 0 && slices.Contains(p.keptInputs(m), view) {
			days = max(days, m.lookbackTo(view.Name).Days)
		}
	}
	if days == 0 {
		return Span{}
	}
	return Span{Unit: SpanDays, Days: days, Around: true}
}

// silverDays selects the person-days of the silver tables below a kept view.
func (r *run) silverDays(ctx context.Context, view *Model) (string, error) {
	silver, _ := r.project.reads(view)
	days := []string{selectNoDays}
	for _, name := range silver {
		t := silverTableOf(name)
		rows, err := r.selectFiles(ctx, t.columns, r.silver[t.table].Files)
		if err != nil {
			return "", err
		}
		days = append(days, "select user_id, local_date from ("+t.narrow(rows)+")")
	}
	return strings.Join(days, " union "), nil
}

// addKept adds the rows of the days of a list.
func (r *run) addKept(ctx context.Context, view *Model, k *kept, days string) error {
	sc, err := r.scopeOf(ctx, days)
	if err != nil || sc.days == 0 {
		return err
	}
	silver, _ := r.project.reads(view)
	if err := r.exposeSilver(ctx, silver, sc); err != nil {
		return err
	}
	var hours samples.Source // of a view that reads none
	if len(view.Series) > 0 {
		scan, err := r.scanHours(ctx, view.Series, sc)
		if err != nil {
			return err
		}
		defer scan.Close()
		hours = scan
	}
	table := fmt.Sprintf("build.rows_of_%s_%d", view.Name, len(k.rows)+1)
	if err := r.project.put(ctx, r.w.db, r.w.conn, view, hours, func(rows string) string {
		return "create or replace table " + table + " as " + rows
	}); err != nil {
		return err
	}
	k.rows = append(k.rows, table)
	return nil
}

// scanHours reads the hours of the days of a scope by ourselves: DuckDB takes five times as long for lists, and would hold
// those of all people before it hands out the first.
func (r *run) scanHours(ctx context.Context, metrics []string, sc *scope) (*lake.HourScan, error) {
	people, err := r.datesOfPeople(ctx, sc)
	if err != nil {
		return nil, err
	}
	files := sc.choose(r.silver[schemas.TableSeriesHours].Files, silverDateColumn)
	paths, release, err := r.store.Local(ctx, files)
	if err != nil {
		return nil, err
	}
	r.held = append(r.held, release)
	return lake.ScanHours(files, paths, metrics, people), nil
}

// datesOfPeople lists the days of a scope person by person.
func (r *run) datesOfPeople(ctx context.Context, sc *scope) ([]lake.PersonDates, error) {
	rows, err := r.w.conn.QueryContext(ctx, fmt.Sprintf(
		"select user_id, local_date - date '1970-01-01' from %s order by user_id, local_date", sc.table))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	people, dates := make([]lake.PersonDates, 0, len(sc.people)), make([]int32, 0, sc.days)
	for rows.Next() {
		var user string
		var date int32
		if err := rows.Scan(&user, &date); err != nil {
			return nil, err
		}
		dates = append(dates, date) // never grows: the days of a person stay beside each other
		if n := len(people); n > 0 && people[n-1].UserID == user {
			people[n-1].Dates = people[n-1].Dates[:len(people[n-1].Dates)+1]
		} else {
			people = append(people, lake.PersonDates{UserID: user, Dates: dates[len(dates)-1:]})
		}
	}
	return people, rows.Err()
}

// exposeKept lets a model see those rows of a kept view that are in its scope.
func (r *run) exposeKept(ctx context.Context, view *Model, sc *scope) error {
	rows := selectNothing(r.columns[view.Name])
	if tables := r.kept[view.Name].rows; len(tables) > 0 {
		rows = "select * from " + strings.Join(tables, " union all select * from ")
	}
	return r.exposeRows(ctx, view.Name, rows, silverDateColumn, sc)
}
