package transform

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// kept is a view whose rows are made once, for all models of the build that read it. They lie in files: they are too many
// for memory, and of a file only the columns that a model names are read. Each file has the days that no model had asked
// for before. They are among the lake's temporary files, so that what a killed build leaves is swept away as any other.
type kept struct {
	files []keptFile
	full  bool   // every day is in them
	days  string // otherwise the table of those that are
}

// A keptFile has the days of a scope; those of a full build are not counted.
type keptFile struct {
	path        string
	first, last int64 // dates
	days        int64
}

// A scope is cut into files by date when it has many days on few dates: what most models read is then a file as it lies.
const (
	cutAboveDays = 500
	cutUpToDates = 7
)

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

// widestLookback is how far back any model reads the kept view.
func (p *Project) widestLookback(view *Model) Span {
	var widest Span
	for _, m := range p.models {
		for _, v := range p.keptInputs(m) {
			if v != view || m.Build != BuildTable {
				continue
			}
			switch l := m.Lookback; {
			case l.Unit == SpanPerson || widest.Unit == SpanPerson:
				widest = Span{Unit: SpanPerson}
			default:
				widest.Days, widest.Around = max(widest.Days, l.Days), widest.Around || l.Around
			}
		}
	}
	return widest
}

// keep makes the rows of a kept view for the dirty days of a model, as far back as any model reads it.
func (r *run) keep(ctx context.Context, view *Model, full bool) error {
	k := r.kept[view.Name]
	if k != nil && !k.touch(r.cfg.Now()) {
		if err := k.drop(); err != nil {
			return err
		}
		k = nil
	}
	if k == nil {
		k = &kept{days: "build.days_of_" + view.Name}
		if err := r.w.exec(ctx, "create or replace table "+k.days+"(user_id varchar, local_date date)"); err != nil {
			return err
		}
		r.kept[view.Name] = k
	}
	switch {
	case k.full:
		return nil
	case full:
		if err := k.drop(); err != nil {
			return err
		}
		k.full = true
		return r.makeKept(ctx, view, k, nil)
	}
	missing := "build.missing_" + view.Name
	if err := r.w.exec(ctx, fmt.Sprintf("create or replace table %s as %s except select user_id, local_date from %s",
		missing, r.daysToKeep(view), k.days)); err != nil {
		return err
	}
	sc, err := r.scopeOf(ctx, missing)
	if err != nil || sc.days == 0 {
		return err
	}
	parts, err := r.cutByDate(ctx, sc)
	if err != nil {
		return err
	}
	for _, part := range parts {
		if err := r.makeKept(ctx, view, k, part); err != nil {
			return err
		}
	}
	return r.w.exec(ctx, "insert into "+k.days+" select * from "+missing)
}

// daysToKeep selects the days of a kept view that models may read when they build the dirty days.
func (r *run) daysToKeep(view *Model) string {
	switch lookback := r.project.widestLookback(view); {
	case lookback.Unit == SpanPerson:
		return fmt.Sprintf("select user_id, local_date from (%s) as k semi join dirty_days as d on k.user_id = d.user_id", r.silverDays(view))
	case lookback.Days > 0:
		return widenBack("select user_id, local_date from dirty_days", lookback)
	}
	return "select distinct user_id, local_date from dirty_days"
}

// silverDays selects the person-days of the silver tables below a kept view.
func (r *run) silverDays(view *Model) string {
	silver, _ := r.project.reads(view)
	days := []string{selectNoDays}
	for _, name := range silver {
		t := silverTableOf(name)
		days = append(days, "select user_id, local_date from ("+t.narrow(selectPaths(t.columns, filePaths(r.silver[t.table].Files)))+")")
	}
	return strings.Join(days, " union ")
}

// cutByDate returns the scopes whose rows go into a file each.
func (r *run) cutByDate(ctx context.Context, sc *scope) ([]*scope, error) {
	if sc.days <= cutAboveDays || sc.last-sc.first >= cutUpToDates {
		return []*scope{sc}, nil
	}
	rows, err := r.w.conn.QueryContext(ctx, fmt.Sprintf(
		"select local_date - date '1970-01-01', count(*) from %s group by local_date order by local_date", sc.table))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var parts []*scope
	for rows.Next() {
		var date, days int64
		if err := rows.Scan(&date, &days); err != nil {
			return nil, err
		}
		parts = append(parts, sc.on(date, days))
	}
	return parts, rows.Err()
}

// makeKept makes one more file of rows, of the days of a scope; nil is every day.
func (r *run) makeKept(ctx context.Context, view *Model, k *kept, sc *scope) error {
	silver, _ := r.project.reads(view)
	for _, name := range silver {
		t := silverTableOf(name)
		if err := r.exposeTable(ctx, input{t, r.silver[t.table].Files, silverDateColumn}, sc); err != nil {
			return err
		}
	}
	path, err := r.store.TempPath(ctx, silver[0])
	if err != nil {
		return err
	}
	file := keptFile{path: path}
	if sc != nil {
		file.first, file.last, file.days = sc.first, sc.last, sc.days
	}
	k.files = append(k.files, file)
	return r.project.writeFunction(ctx, r.w.db, view, path)
}

// exposeKept lets a model see those rows of a kept view that are in its scope.
func (r *run) exposeKept(ctx context.Context, view *Model, sc *scope) error {
	k := r.kept[view.Name]
	var paths []string
	var days int64
	for _, f := range k.files {
		if k.full || sc == nil || sc.wholePeople || f.first <= sc.last && f.last >= sc.first {
			paths = append(paths, f.path)
			days += f.days
		}
	}
	if sc != nil && !sc.wholePeople && !k.full && days == sc.days {
		sc = nil // every day that may be read is in these files, and there are no others
	}
	return r.exposeRows(ctx, view.Name, selectPaths(r.columns[view.Name], paths), silverDateColumn, sc)
}

// dropKept removes the files of a build that is over.
func (r *run) dropKept() error {
	for _, k := range r.kept {
		if err := k.drop(); err != nil {
			return err
		}
	}
	return nil
}

// touch keeps the files from sweeps, which take temporary files that nobody has written for long: a build may take
// longer. It reports whether they are all still there.
func (k *kept) touch(now time.Time) bool {
	for _, f := range k.files {
		if os.Chtimes(f.path, now, now) != nil {
			return false
		}
	}
	return true
}

func (k *kept) drop() error {
	for _, f := range k.files {
		if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove rows of the build: %w", err)
		}
	}
	k.files = nil
	return nil
}
