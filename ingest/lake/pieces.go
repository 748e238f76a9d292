package lake

import (
	"slices"

	"github.com/diurna-health/diurna/schemas"
)

// An hourKey says whose samples a row holds and of which hour. What differs in offset, date, period or source is
// resolved together, for a sample may have moved from one row to another.
type hourKey struct {
	user, metric, device uint32 // symbols
	hourAt               int64
}

// A piece is a row of series_hours, or what bronze has to say about one. It is numbers only: texts are symbols, and
// samples lie in the slices of the pieces it belongs to.
type piece struct {
	hourKey
	cut

	bucket    int32
	item      int32 // in its message; 0 in silver
	offsets   span
	values    span
	revisions span
}

// A cut is what the samples of a row have in common besides the key.
type cut struct {
	date, offsetMin, periodMS int32
	source                    uint32
}

// pieces are rows of series_hours with their samples.
type pieces struct {
	symbols   *symbols
	rows      []piece
	offsets   []int32
	values    []int32
	revisions []schemas.RevisionRun
}

func (p *pieces) reset() {
	p.rows, p.offsets, p.values, p.revisions = p.rows[:0], p.offsets[:0], p.values[:0], p.revisions[:0]
}

// grow makes room for more rows, each with one revision.
func (p *pieces) grow(rows, offsets, values int) {
	p.rows, p.revisions = slices.Grow(p.rows, rows), slices.Grow(p.revisions, rows)
	p.offsets, p.values = slices.Grow(p.offsets, offsets), slices.Grow(p.values, values)
}

// bytes returns how much memory the pieces take.
func (p *pieces) bytes() int {
	const row, run = 96, 40
	return len(p.rows)*row + (len(p.offsets)+len(p.values))*4 + len(p.revisions)*run
}

func (p *pieces) offsetsOf(row *piece) []int32 { return p.offsets[row.offsets.from:row.offsets.to] }

func (p *pieces) valuesOf(row *piece) []int32 { return p.values[row.values.from:row.values.to] }

func (p *pieces) revisionsOf(row *piece) []schemas.RevisionRun {
	return p.revisions[row.revisions.from:row.revisions.to]
}

// add appends a row; its samples are copied.
func (p *pieces) add(row piece, offsets, values []int32, revisions ...schemas.RevisionRun) {
	p.offsets, row.offsets = extend(p.offsets, offsets)
	p.values, row.values = extend(p.values, values)
	p.revisions, row.revisions = extend(p.revisions, revisions)
	p.rows = append(p.rows, row)
}

func extend[V any](all, more []V) ([]V, span) {
	from := len(all)
	all = append(all, more...)
	return all, span{uint32(from), uint32(len(all))}
}

// hour returns a row as it is stored. Its slices are those of the pieces.
func (p *pieces) hour(row *piece) schemas.SeriesHour {
	return schemas.SeriesHour{
		UserID: p.symbols.text(row.user), UserBucket: row.bucket, Metric: p.symbols.text(row.metric),
		DeviceID: p.symbols.text(row.device), HourAt: row.hourAt, LocalMonth: monthOf(row.date), LocalDate: row.date,
		UTCOffsetMin: row.offsetMin, PeriodMS: row.periodMS, Source: p.symbols.text(row.source),
		OffsetsMS: p.offsetsOf(row), Values: p.valuesOf(row), Revisions: p.revisionsOf(row),
	}
}
