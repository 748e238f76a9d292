package rest

import (
	"context"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
)

const slotUS = slotMin * 60_000_000

// WindowRows turns searches, each with the two dates it lies on in as many rows on end, into rests.
func WindowRows(_ context.Context, dates array.RecordReader) (array.RecordReader, error) {
	in, out := newReader(dates), newWindowColumns()
	finder := finder{tell: out.add}
	return rows.NewStream(rows.NewColumns(out.all...), func() (bool, error) {
		if !in.cursor.Next() {
			finder.end()
			return false, in.cursor.Err()
		}
		finder.rules = in.rules
		if user, date := in.user.Value(in.cursor.Row), int32(in.date.Value(in.cursor.Row)); !finder.isAt(user, date) {
			finder.begin(in.search())
		}
		finder.present.Add(in.day())
		return true, nil
	}), nil
}

// A finder looks at one search after the other, and tells the rests of a night when it has both that the night lies in.
type finder struct {
	rules   Rules
	before  *Search // the one before the present
	present *Search
	tell    func([]Window)
}

func (f *finder) isAt(user string, date int32) bool {
	return f.present != nil && f.present.User == user && f.present.Date == date
}

func (f *finder) begin(s *Search) {
	f.close()
	if s != nil && f.before != nil {
		s.slots = f.before.slots[:0] // nobody looks at it again
	}
	f.before, f.present = f.present, s
}

// close tells what the present search, which is complete, tells of its own night and of the one before.
func (f *finder) close() {
	s, before := f.present, f.before
	isNext := s != nil && before != nil && before.User == s.User && before.Date == s.Date-1
	if before != nil && before.IsNight && !isNext {
		f.tell(f.rules.WindowsOf(before.Date, before))
	}
	switch {
	case isNext && before.IsNight:
		f.tell(f.rules.WindowsOf(before.Date, before, s))
	case s != nil && !isNext && s.IsNightBefore:
		f.tell(f.rules.WindowsOf(s.Date-1, s))
	}
}

func (f *finder) end() {
	f.begin(nil) // complete the last
	f.close()    // and its own night
	f.before = nil
}

// A reader reads dates of searches.
type reader struct {
	cursor *rows.Cursor
	rules  Rules

	user                           *array.String
	date, local                    *array.Date32
	isNight, isNightBefore         *array.Boolean
	median, still, cut             *array.Float64
	charging                       rows.Lists
	firstSlots, offsets, heartMins rows.Lists
	heartSums, hearts              rows.Lists
	steps, walking                 rows.Lists
	epochs, motions                rows.Lists
}

func newReader(dates array.RecordReader) *reader {
	r := &reader{}
	r.cursor = rows.NewCursor(dates, rows.Bound(map[string]*float64{
		"run_min": &r.rules.RunMin, "bridge_min": &r.rules.BridgeMin,
	}, map[string]any{
		"user_id": &r.user, "search_date": &r.date, "local_date": &r.local,
		"is_night": &r.isNight, "is_night_before": &r.isNightBefore, "day_cut_min": &r.cut,
		"heart_rate_median_bpm": &r.median, "motion_still_count": &r.still, "charging_slots": &r.charging,
		"rest_first_slots": &r.firstSlots, "rest_utc_offsets_min": &r.offsets, "rest_heart_rate_mins_bpm": &r.heartMins,
		"rest_slot_heart_rate_sums_bpm": &r.heartSums, "rest_slot_heart_rate_counts": &r.hearts,
		"rest_slot_step_sample_counts": &r.steps, "rest_slot_walking_sample_counts": &r.walking,
		"rest_slot_motion_epoch_counts": &r.epochs, "rest_motion_counts": &r.motions,
	}))
	return r
}

// search returns the search of the present row, without hours.
func (r *reader) search() *Search {
	row := r.cursor.Row
	return &Search{
		User: strings.Clone(r.user.Value(row)), Date: int32(r.date.Value(row)),
		MedianBPM: rows.Float(r.median, row), StillCount: rows.Float(r.still, row), DayCutMin: rows.Float(r.cut, row),
		IsNight: r.isNight.Value(row), IsNightBefore: r.isNightBefore.Value(row),
		Charging: slices.Clone(r.charging.At(row)),
	}
}

// day returns the date of the present row, and whether it is the one in which the search ends.
func (r *reader) day() (d *Day, isOwn bool) {
	row := r.cursor.Row
	return &Day{
		FirstSlots: r.firstSlots.At(row), UTCOffsetsMin: r.offsets.At(row), HeartMinsBPM: r.heartMins.At(row),
		HeartSums: r.heartSums.At(row), Hearts: r.hearts.At(row), Steps: r.steps.At(row), Walking: r.walking.At(row),
		Epochs: r.epochs.At(row), Motions: r.motions.At(row),
	}, r.local.Value(row) == r.date.Value(row)
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

func (c *windowColumns) add(windows []Window) {
	for i := range windows {
		w := &windows[i]
		c.users.Add(w.User, 1)
		c.dates.Add(w.NightDate)
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
