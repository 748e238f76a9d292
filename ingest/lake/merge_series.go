package lake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

const (
	msUS   int64 = 1_000
	hourUS       = 3_600_000 * msUS
)

// monthOf returns the month of a date as 201604.
func monthOf(date int32) int32 {
	t := time.Unix(int64(date)*86_400, 0).UTC()
	return int32(t.Year())*100 + int32(t.Month())
}

// mergeSeries merges the round's series: what mergeTable does for items, but by columns, because nearly all there is
// to merge is here.
func mergeSeries(ctx context.Context, r *round) error {
	const table = schemas.TableSeriesHours
	from, behind, err := r.behind(table)
	if err != nil || !behind {
		return err
	}
	fresh := &hourRun{in: &r.received.series, order: r.freshPieces(from)}
	erasing := r.freshDeletions(from)
	old := affectedFiles(r.bases[table].Files, []string{"hour_at"}, fresh.reaches(), erasing)
	if err := r.lake.Check(ctx, old...); err != nil {
		return err
	}
	m := &seriesMerge{
		symbols: r.received.symbols, hide: r.deletions, erasing: erasing,
		resolver: resolver{symbols: r.received.symbols}, left: pieces{symbols: r.received.symbols},
		out: &outputs[schemas.SeriesHour]{lake: r.lake, table: table, partition: hourPartition},
	}
	err = m.merge(ctx, r.lake, old, fresh)
	if err := errors.Join(err, m.out.close(ctx)); err != nil {
		return errors.Join(fmt.Errorf("merge %s: %w", table, err), m.out.discard(ctx))
	}
	if err := r.recordDirty(ctx, m.dirty.days(table, r.upto)); err != nil {
		return err
	}
	add, remove := exchange(old, m.out.paths)
	return r.commit(ctx, table, add, remove)
}

// freshPieces returns the places of the round's pieces that the table has not merged yet, by key.
func (r *round) freshPieces(from map[int32]int64) []uint32 {
	series := &r.received.series
	return slices.DeleteFunc(r.received.order(), func(i uint32) bool {
		rev := &series.revisionsOf(&series.rows[i])[0]
		return rev.Offset < from[rev.Partition] || rev.Offset >= r.upto[rev.Partition]
	})
}

func hourPartition(h *schemas.SeriesHour) filePartition {
	return filePartition{month: h.LocalMonth, bucket: h.UserBucket, known: true}
}

// A seriesMerge walks old files and fresh pieces side by side in order of key.
type seriesMerge struct {
	symbols  *symbols
	hide     *deletions
	erasing  []deletion
	runs     []*hourRun // the fresh one is the last
	old      []part     // of the key
	fresh    []part
	resolver resolver
	left     pieces // resolved, not yet written
	hours    []schemas.SeriesHour
	dirty    dirtySet
	out      *outputs[schemas.SeriesHour]
}

func (m *seriesMerge) merge(ctx context.Context, l *Lake, old []File, fresh *hourRun) error {
	defer func() {
		for _, run := range m.runs {
			run.close()
		}
	}()
	for _, f := range old {
		run, err := openHourRun(ctx, l, f.Path, m.symbols)
		if err != nil {
			return err
		}
		run.partition = f.Partition
		m.runs = append(m.runs, run)
	}
	m.runs = append(m.runs, fresh)
	for n := 0; ; n++ {
		if n%chunkRows == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		next := m.smallest()
		if next == nil {
			return m.flush(ctx)
		}
		passed, err := m.passGroup(ctx, next)
		if err != nil {
			return err
		}
		if passed {
			continue
		}
		if err := m.gather(next.row().hourKey); err != nil {
			return err
		}
		m.settle()
		if len(m.left.rows) >= chunkRows {
			if err := m.flush(ctx); err != nil {
				return err
			}
		}
	}
}

// smallest returns the run that stands at the smallest key, nil at the end. The runs are few, so they are just looked at
// one by one.
func (m *seriesMerge) smallest() *hourRun {
	var least *hourRun
	for _, run := range m.runs {
		if row := run.row(); row != nil && (least == nil || m.symbols.compareHours(&row.hourKey, &least.row().hourKey) < 0) {
			least = run
		}
	}
	return least
}

// passGroup copies the group of rows at whose beginning a run stands as its bytes are, when nobody else has anything to
// say about its people. The hours of one key may go on in the next group, but those are of the same person.
func (m *seriesMerge) passGroup(ctx context.Context, run *hourRun) (passed bool, err error) {
	group := run.group()
	if group == nil || group.NumRows() < smallGroup {
		return false, nil
	}
	lower, upper, known := run.file.people(group)
	if !known || m.spokenOf(run, lower, upper) {
		return false, nil
	}
	if err := m.flush(ctx); err != nil {
		return false, err
	}
	if passed, err = m.out.writeGroup(ctx, run.partition, group); err != nil || !passed {
		return false, err
	}
	return true, run.skipGroup()
}

// spokenOf reports whether any of these people is spoken of elsewhere: in a run, which all stand at lower or after it,
// or in a deletion.
func (m *seriesMerge) spokenOf(but *hourRun, lower, upper string) bool {
	for _, run := range m.runs {
		if row := run.row(); run != but && row != nil && m.symbols.text(row.user) <= upper {
			return true
		}
	}
	return slices.ContainsFunc(m.erasing, func(d deletion) bool { return d.row.UserID >= lower && d.row.UserID <= upper })
}

// compareHours orders by person, metric, hour and device.
func (s *symbols) compareHours(a, b *hourKey) int {
	switch {
	case a.user != b.user:
		return s.compare(a.user, b.user)
	case a.metric != b.metric:
		return s.compare(a.metric, b.metric)
	case a.hourAt < b.hourAt:
		return -1
	case a.hourAt > b.hourAt:
		return 1
	default:
		return s.compare(a.device, b.device)
	}
}

// gather takes the parts of a key off all runs.
func (m *seriesMerge) gather(key hourKey) error {
	m.old, m.fresh = m.old[:0], m.fresh[:0]
	for i, run := range m.runs {
		to := &m.old
		if i == len(m.runs)-1 {
			to = &m.fresh
		}
		run.recycle()
		for row := run.row(); row != nil && row.hourKey == key; row = run.row() {
			*to = append(*to, part{row, run.in})
			if err := run.next(); err != nil {
				return err
			}
		}
	}
	return nil
}

// settle resolves the parts of a key. Most hours exist once and pass untouched.
func (m *seriesMerge) settle() {
	reasons := m.reasons()
	user := m.key().user
	hiding := m.hide.of(m.symbols.text(user))
	first := len(m.left.rows)
	switch {
	case len(m.fresh) == 0 && len(reasons) == 0:
		m.pass(m.old)
		return
	case len(m.old) == 0 && len(m.fresh) == 1 && len(hiding) == 0:
		m.pass(m.fresh)
	default:
		m.old = append(m.old, m.fresh...)
		m.resolver.resolve(m.old, hiding, &m.left)
		m.old = m.old[:len(m.old)-len(m.fresh)]
	}
	if left := m.left.rows[first:]; !sameSamples(m.old, left, &m.left) {
		m.note(left, reasons)
	}
}

func (m *seriesMerge) key() hourKey {
	if len(m.old) > 0 {
		return m.old[0].hourKey
	}
	return m.fresh[0].hourKey
}

// pass takes parts over as they are.
func (m *seriesMerge) pass(parts []part) {
	for i := range parts {
		p := &parts[i]
		row := *p.piece
		row.item = 0
		m.left.add(row, p.in.offsetsOf(p.piece), p.in.valuesOf(p.piece), p.in.revisionsOf(p.piece)...)
	}
}

// reasons returns the deletions that may hide something of what was stored.
func (m *seriesMerge) reasons() []deletion {
	if len(m.old) == 0 || len(m.erasing) == 0 {
		return nil
	}
	return touching(m.erasing, m.about(m.old[0].piece))
}

func (m *seriesMerge) about(row *piece) about {
	return about{
		user: m.symbols.text(row.user), bucket: row.bucket, device: m.symbols.text(row.device),
		metric: m.symbols.text(row.metric), from: row.hourAt, to: row.hourAt + hourUS - 1, date: row.date,
	}
}

// note marks the days of an hour that changed: those it lay on, and those it lies on now.
func (m *seriesMerge) note(left []piece, reasons []deletion) {
	mark := func(row *piece) {
		place := dirtyPlace{user: m.symbols.text(row.user), bucket: row.bucket, date: row.date}
		for i := range m.fresh {
			came := &m.fresh[i]
			m.dirty.add(came.in.revisionsOf(came.piece)[0].Partition, place, dirtyByData)
		}
		for i := range reasons {
			m.dirty.add(reasons[i].row.Revision.Partition, place, dirtyByDeletion)
		}
	}
	for i := range m.old {
		mark(m.old[i].piece)
	}
	for i := range left {
		mark(&left[i])
	}
}

// flush writes what is resolved.
func (m *seriesMerge) flush(ctx context.Context) error {
	m.hours = m.hours[:0]
	for i := range m.left.rows {
		m.hours = append(m.hours, m.left.hour(&m.left.rows[i]))
	}
	if err := m.out.write(ctx, m.hours); err != nil {
		return err
	}
	m.left.reset()
	return nil
}
