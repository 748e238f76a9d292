package transform

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// kept is a view whose rows were made once, for all models of the build that read it. They lie in a file: they are too
// many for memory, and of a file only the columns that a model names are read. It is one of the lake's temporary files,
// so that what a killed build leaves is swept away as any other.
type kept struct {
	path string
	full bool   // every day is in it
	days string // otherwise the table of those that are
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
	have := r.kept[view.Name]
	wanted := "build.wanted_" + view.Name
	if !full {
		lookback := r.project.widestLookback(view)
		days := "select distinct user_id, local_date from dirty_days"
		switch {
		case lookback.Unit == SpanPerson:
			days = fmt.Sprintf("select user_id, local_date from (%s) as k semi join dirty_days as d on k.user_id = d.user_id", r.silverDays(view))
		case lookback.Days > 0:
			days = widenBack("select user_id, local_date from dirty_days", lookback)
		}
		if have != nil && !have.full {
			days += " union select user_id, local_date from " + have.days
		}
		if err := r.w.exec(ctx, "create or replace table "+wanted+" as "+days); err != nil {
			return err
		}
	}
	switch {
	case have == nil:
	case have.full:
		return nil
	case !full:
		missing, err := r.w.count(ctx, fmt.Sprintf("select (select count(*) from %s) - (select count(*) from %s)", wanted, have.days))
		if err != nil || missing == 0 {
			return err
		}
	}
	return r.makeKept(ctx, view, wanted, full)
}

// silverDays selects the person-days of the silver tables below a kept view.
func (r *run) silverDays(view *Model) string {
	silver, _ := r.project.reads(view)
	days := []string{"select null::varchar as user_id, null::date as local_date where false"}
	for _, name := range silver {
		t := silverTableOf(name)
		days = append(days, "select user_id, local_date from ("+t.narrow(selectPaths(t.columns, filePaths(r.silver[t.table].Files)))+")")
	}
	return strings.Join(days, " union ")
}

func (r *run) makeKept(ctx context.Context, view *Model, wanted string, full bool) error {
	var sc *scope
	if !full {
		if err := r.w.exec(ctx, "create or replace table build.readable_days as select * from "+wanted); err != nil {
			return err
		}
		var err error
		if sc, err = r.scopeOf(ctx, "build.readable_days", false); err != nil {
			return err
		}
	}
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
	k := &kept{path: path, full: full, days: "build.days_of_" + view.Name}
	if old := r.kept[view.Name]; old != nil {
		if err := os.Remove(old.path); err != nil {
			return err
		}
	}
	r.kept[view.Name] = k
	if err := r.project.put(ctx, r.w.db, r.w.conn, view, func(rows string) string {
		return "copy (" + rows + ") to " + literal(k.path) + " (format parquet, compression snappy, use_tmp_file false)"
	}); err != nil {
		return err
	}
	if full {
		return nil
	}
	return r.w.exec(ctx, "create or replace table "+k.days+" as select * from "+wanted)
}

// exposeKept lets a model see those rows of a kept view that are in its scope.
func (r *run) exposeKept(ctx context.Context, view *Model, sc *scope) error {
	k := r.kept[view.Name]
	// A sweep takes temporary files that nobody has written for long, and a build may take longer.
	if now := r.cfg.Now(); os.Chtimes(k.path, now, now) != nil {
		return fmt.Errorf("rows of %s are gone", view.Name)
	}
	if sc != nil && !sc.wholePeople && !k.full {
		more, err := r.w.count(ctx, "select (select count(*) from "+k.days+") - (select count(*) from build.readable_days)")
		if err != nil {
			return err
		}
		if more == 0 { // what was kept is what may be read
			sc = nil
		}
	}
	return r.exposeRows(ctx, view.Name, "select * from read_parquet("+literal(k.path)+")", silverDateColumn, sc)
}

// dropKept removes the files of a build that is over.
func (r *run) dropKept() error {
	for _, k := range r.kept {
		if err := os.Remove(k.path); err != nil {
			return fmt.Errorf("remove rows of the build: %w", err)
		}
	}
	return nil
}
