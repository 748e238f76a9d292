package transform

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/diurna-health/diurna/ingest/lake"
)

// A spliced file has rows of changed days replaced, and all but some of its groups of rows as they were, byte for byte: a
// late batch of one person costs a group of each table, however many people share its files.
type spliced struct {
	of   holder
	path string
	rows int64
}

// spliceFiles splices those of the files for which it is worth while, and returns the others too.
func (r *run) spliceFiles(ctx context.Context, m *Model, base *lake.Snapshot, holders []holder) (done []spliced, others []holder, err error) {
	for _, h := range holders {
		s, err := r.spliceFile(ctx, m, base, h)
		if err != nil {
			return nil, nil, err
		}
		if s == nil {
			others = append(others, h)
		} else {
			done = append(done, *s)
		}
	}
	return done, others, nil
}

// spliceFile returns nil when the file is to be written anew.
func (r *run) spliceFile(ctx context.Context, m *Model, base *lake.Snapshot, h holder) (*spliced, error) {
	p := r.partOf(m, h)
	if p == nil {
		return nil, nil
	}
	s, err := r.splice(ctx, m, base, h, p)
	if errors.Is(err, lake.ErrUnlike) { // another version of DuckDB wrote it, for example
		return nil, nil
	}
	return s, err
}

// A part is the groups [from, to) of a file, which hold all rows of some people: the rows [first, behind).
type part struct {
	of            *lake.GroupedFile
	from, to      int
	first, behind int64
}

func (p *part) rows() int64 { return p.behind - p.first }

// partOf returns the part of a file in which the people of changed days are, or nil when the file is better written anew: it
// has one group, or most of it would be, or it has grown too long, or nobody knows who is in its groups.
func (r *run) partOf(m *Model, h holder) *part {
	if m.Grain[0] != "user_id" || !h.isAlone || h.file.Rows > int64(r.fileRows())*5/4 {
		return nil
	}
	file, err := lake.ReadGroups(h.path, "user_id")
	if err != nil { // a damaged file is found before it is written anew
		return nil
	}
	p := &part{of: file, from: -1}
	at := int64(0)
	for i, g := range file.Groups {
		if !g.IsBounded {
			return nil
		}
		if g.Lower <= h.last && g.Upper >= h.first {
			if p.from < 0 {
				p.from, p.first = i, at
			}
			p.to, p.behind = i+1, at+g.Rows
		}
		at += g.Rows
	}
	if p.from < 0 || p.rows() > at*3/4 {
		return nil
	}
	return p
}

// splice writes a file with the rows of its changed days replaced, of which it decodes and encodes a part.
func (r *run) splice(ctx context.Context, m *Model, base *lake.Snapshot, h holder, p *part) (*spliced, error) {
	if err := r.store.Check(ctx, h.file); err != nil { // a damaged row must not be given a fresh hash
		return nil, err
	}
	rows := fmt.Sprintf(`
		select o.*
		from (
			select %[1]s
			from read_parquet(%[2]s, hive_partitioning = false, file_row_number = true)
			where file_row_number >= %[3]d and file_row_number < %[4]d
		) as o
		anti join (select * from build.places where filename = %[2]s) as c on %[5]s
		union all
		select n.*
		from build.model_output as n
		semi join (select * from build.places where filename = %[2]s) as c on %[6]s`,
		columnNames(base.Columns), literal(h.path), p.first, p.behind, changedMatch(m, "o"), changedMatch(m, "n"))
	s := &spliced{of: h}
	return s, r.withTemp(ctx, m, func(patch string) error {
		fresh, err := r.writeRows(ctx, m, patch, rows, r.groupRowsOf(p))
		if err != nil {
			return err
		}
		s.rows = h.file.Rows - p.rows() + fresh
		return r.withTemp(ctx, m, func(tmp string) error {
			if err := p.of.Splice(tmp, patch, p.from, p.to); err != nil {
				return err
			}
			s.path, err = r.publish(ctx, m, tmp)
			return err
		})
	})
}

// groupRowsOf returns how long the new groups of a part may be: as long as the old ones and some rows more, lest these be a
// group of their own, until that is twice what it should be.
func (r *run) groupRowsOf(p *part) int64 {
	if each := p.rows() / int64(p.to-p.from); each < 2*r.mostGroupRows() {
		return each + leastGroupRows
	}
	return r.groupRows(p.rows())
}

// daysNotIn returns the changed days that the spliced files do not hold.
func (r *run) daysNotIn(ctx context.Context, changed *scope, files []spliced) (*scope, error) {
	if len(files) == 0 {
		return changed, nil
	}
	paths := make([]string, len(files))
	for i, s := range files {
		paths[i] = literal(s.of.path)
	}
	if err := r.w.exec(ctx, fmt.Sprintf(`create or replace table build.days_elsewhere as
		select c.*
		from %s as c
		anti join (select * from build.places where filename in (%s)) as p on c.user_id = p.user_id and c.local_date = p.local_date`,
		changed.table, strings.Join(paths, ", "))); err != nil {
		return nil, fmt.Errorf("list days elsewhere: %w", err)
	}
	return r.scopeOf(ctx, "build.days_elsewhere")
}
