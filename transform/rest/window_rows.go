package rest

import (
	"context"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
)

const slotUS = slotMin * 60_000_000

// WindowRows turns nights, each with the stretches of its two searches in as many rows on end, into rests.
func WindowRows(_ context.Context, searches array.RecordReader) (array.RecordReader, error) {
	in, out := newSearchReader(searches), newWindowColumns()
	return rows.NewStream(rows.NewColumns(out.all...), func() (bool, error) {
		if !in.cursor.NextGroup(in.begin, in.isOfNight, in.add) {
			return false, in.cursor.Err()
		}
		out.add(in.of, in.on, in.rules.WindowsOf(in.on, in.stretches))
		return true, in.cursor.Err()
	}), nil
}

// A searchReader reads the searches of nights.
type searchReader struct {
	cursor *rows.Cursor
	rules  Rules

	of        string // the person
	on        int32  // the night's date
	stretches []Stretch

	user                         *array.String
	night                        *array.Date32
	firsts, slots, kinds, clocks rows.Lists
}

func newSearchReader(searches array.RecordReader) *searchReader {
	r := &searchReader{}
	r.cursor = rows.NewCursor(searches, rows.Bound(map[string]*float64{
		"run_min": &r.rules.RunMin, "bridge_min": &r.rules.BridgeMin,
	}, map[string]any{
		"user_id": &r.user, "night_date": &r.night, "stretch_first_slots": &r.firsts, "stretch_slot_counts": &r.slots,
		"stretch_kinds": &r.kinds, "stretch_utc_offsets_min": &r.clocks,
	}))
	return r
}

// begin begins the night of the present row.
func (r *searchReader) begin() {
	row := r.cursor.Row
	r.of, r.on, r.stretches = strings.Clone(r.user.Value(row)), int32(r.night.Value(row)), r.stretches[:0]
}

func (r *searchReader) isOfNight() bool {
	return int32(r.night.Value(r.cursor.Row)) == r.on && r.user.Value(r.cursor.Row) == r.of
}

// add adds the stretches of the present row to the night.
func (r *searchReader) add() {
	row := r.cursor.Row
	slots, kinds, clocks := r.slots.At(row), r.kinds.At(row), r.clocks.At(row)
	for i, first := range r.firsts.At(row) {
		r.stretches = append(r.stretches, Stretch{first, slots[i], Kind(kinds[i]), clocks[i]})
	}
}

// windowColumns are the columns of the table, but for its method.
type windowColumns struct {
	all                      []rows.Column
	users, basis             *rows.Texts
	dates                    *rows.Numbers[int32]
	starts, ends             *rows.Numbers[int64]
	startOffsets, endOffsets *rows.Numbers[int32]
	durations, observed      *rows.Numbers[int32]
	still, ranks             *rows.Numbers[int32]
}

func newWindowColumns() *windowColumns {
	c := &windowColumns{
		users: rows.Strings("user_id"), dates: rows.Dates("night_date"), basis: rows.Strings("basis"),
		starts: rows.Instants("started_at"), ends: rows.Instants("ended_at"),
		startOffsets: rows.Int32s("start_utc_offset_min"), endOffsets: rows.Int32s("end_utc_offset_min"),
		durations: rows.Int32s("duration_min"), observed: rows.Int32s("observed_min"), still: rows.Int32s("still_min"),
		ranks: rows.Int32s("length_rank"),
	}
	c.all = []rows.Column{
		c.users, c.dates, c.starts, c.ends, c.startOffsets, c.endOffsets, c.durations, c.observed, c.still, c.basis, c.ranks,
	}
	return c
}

// add adds the rests of a night.
func (c *windowColumns) add(user string, date int32, windows []Window) {
	for i := range windows {
		w := &windows[i]
		c.users.Add(user, 1)
		c.dates.Add(date)
		c.starts.Add(w.First * slotUS)
		c.ends.Add((w.Last + 1) * slotUS)
		c.startOffsets.Add(w.StartOffsetMin)
		c.endOffsets.Add(w.EndOffsetMin)
		c.durations.Add(w.DurationMin())
		c.observed.Add(w.ObservedMin)
		c.still.Add(w.StillMin)
		c.basis.Add(w.basis(), 1)
		c.ranks.Add(w.LengthRank)
	}
}

func (w *Window) basis() string {
	if w.ByMotion {
		return "motion"
	}
	return "steps"
}
