package rest

import (
	"context"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
)

// StretchRows turns searches, each with the two dates it lies on in as many rows on end, into rows of stretches.
func StretchRows(_ context.Context, dates array.RecordReader) (array.RecordReader, error) {
	in, out := newDateReader(dates), newStretchColumns()
	return rows.NewStream(rows.NewColumns(out.all...), func() (bool, error) {
		if !in.cursor.NextGroup(in.begin, in.isOfSearch, in.add) {
			return false, in.cursor.Err()
		}
		out.add(&in.search)
		return true, in.cursor.Err()
	}), nil
}

// A dateReader reads dates of searches.
type dateReader struct {
	cursor *rows.Cursor
	search Search

	user                           *array.String
	date, local                    *array.Date32
	median, still, cut             *array.Float64
	charging                       rows.Lists
	firstSlots, offsets, heartMins rows.Lists
	heartSums, hearts              rows.Lists
	steps, walking                 rows.Lists
	epochs, motionMedians          rows.Lists
}

func newDateReader(dates array.RecordReader) *dateReader {
	r := &dateReader{}
	r.cursor = rows.NewCursor(dates, rows.Bound(nil, map[string]any{
		"user_id": &r.user, "search_date": &r.date, "local_date": &r.local, "day_cut_min": &r.cut,
		"heart_rate_median_bpm": &r.median, "motion_still_count": &r.still, "charging_slots": &r.charging,
		"rest_first_slots": &r.firstSlots, "rest_utc_offsets_min": &r.offsets, "rest_heart_rate_mins_bpm": &r.heartMins,
		"rest_slot_heart_rate_sums_bpm": &r.heartSums, "rest_slot_heart_rate_counts": &r.hearts,
		"rest_slot_step_sample_counts": &r.steps, "rest_slot_walking_sample_counts": &r.walking,
		"rest_slot_motion_epoch_counts": &r.epochs, "rest_slot_motion_medians": &r.motionMedians,
	}))
	return r
}

// begin begins the search of the present row, in the memory of the one before.
func (r *dateReader) begin() {
	row := r.cursor.Row
	r.search = Search{
		User: strings.Clone(r.user.Value(row)), Date: int32(r.date.Value(row)),
		MedianBPM: rows.Float(r.median, row), StillCount: rows.Float(r.still, row), DayCutMin: rows.Float(r.cut, row),
		Charging: append(r.search.Charging[:0], r.charging.At(row)...), slots: r.search.slots[:0],
	}
}

func (r *dateReader) isOfSearch() bool {
	return int32(r.date.Value(r.cursor.Row)) == r.search.Date && r.user.Value(r.cursor.Row) == r.search.User
}

// add adds the date of the present row to the search.
func (r *dateReader) add() {
	row := r.cursor.Row
	r.search.Add(&Day{
		FirstSlots: r.firstSlots.At(row), UTCOffsetsMin: r.offsets.At(row), HeartMinsBPM: r.heartMins.At(row),
		HeartSums: r.heartSums.At(row), Hearts: r.hearts.At(row), Steps: r.steps.At(row), Walking: r.walking.At(row),
		Epochs: r.epochs.At(row), MotionMedians: r.motionMedians.At(row),
	}, r.local.Value(row) == r.date.Value(row))
}

// stretchColumns are the columns of the table, but for its method.
type stretchColumns struct {
	all                           []rows.Column
	users                         *rows.Texts
	dates                         *rows.Numbers[int32]
	firsts, counts, kinds, clocks *rows.IntLists

	stretches []Stretch // of a search before
}

func newStretchColumns() *stretchColumns {
	c := &stretchColumns{
		users: rows.Strings("user_id"), dates: rows.Dates("search_date"),
		firsts: rows.Int32Lists("stretch_first_slots"), counts: rows.Int32Lists("stretch_slot_counts"),
		kinds: rows.Int32Lists("stretch_kinds"), clocks: rows.Int32Lists("stretch_utc_offsets_min"),
	}
	c.all = []rows.Column{c.users, c.dates, c.firsts, c.counts, c.kinds, c.clocks}
	return c
}

// add adds a search. One that was never worn has no row.
func (c *stretchColumns) add(s *Search) {
	c.stretches = s.Stretches(c.stretches[:0])
	if len(c.stretches) == 0 {
		return
	}
	c.users.Add(s.User, 1)
	c.dates.Add(s.Date)
	for _, t := range c.stretches {
		c.firsts.Append(t.First)
		c.counts.Append(t.Slots)
		c.kinds.Append(int32(t.Kind))
		c.clocks.Append(t.UTCOffsetMin)
	}
	for _, list := range []*rows.IntLists{c.firsts, c.counts, c.kinds, c.clocks} {
		list.End()
	}
}
