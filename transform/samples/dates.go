package samples

import (
	"cmp"
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
)

// Dates turns hours into dates, each with what its samples come to in lists. Beside the hours come the limits of heart rates
// and of counters, and the devices that have sentinels.
func Dates(ctx context.Context, source Source, beside array.RecordReader) (array.RecordReader, error) {
	var (
		cleaner cleaner
		rester  rester
		holder  holder
		liner   liner
		day     day
		hearts  []*Hour
	)
	in, err := newHours(source, beside, map[string]*float64{
		"lowest_bpm": &cleaner.lowestBPM, "highest_bpm": &cleaner.highestBPM, "jump_bpm_per_s": &cleaner.jumpBPMPerS,
		"counter_steps_per_min_max": &day.stepsPerMinMax,
		"hold_ms":                   &holder.holdMS, "hold_dense_ms": &holder.holdDenseMS, "dense_gap_ms": &holder.denseGapMS,
		"spot_hold_ms": &holder.spotHoldMS, "spot_own_ms": &holder.spotOwnMS,
		"flat_line_min": &liner.flatLineMin, "flat_line_samples_per_min": &liner.samplesPerMin,
	})
	if err != nil {
		return nil, err
	}
	out := newDateColumns()
	return rows.NewStream(rows.NewColumns(out.all()...), func() (bool, error) {
		if !in.nextDay(ctx) {
			return false, source.Err()
		}
		rester.rest(in.of) // of what was recorded
		worn := wornHours(in.of)
		hearts = hearts[:0]
		for i := range in.of {
			if h := &in.of[i]; h.Metric == HeartRate {
				cleaner.clean(h)
				hearts = append(hearts, h)
			}
		}
		slices.SortStableFunc(hearts, func(a, b *Hour) int { return cmp.Compare(a.HourUS, b.HourUS) })
		rates, summary := holder.hold(hearts)
		lines := liner.flat(hearts)
		day.fill(in.of)
		if !day.isMeasured() && len(rester.hours) == 0 && len(worn) == 0 {
			return true, nil
		}
		out.users.Add(in.user, 1)
		out.dates.Add(in.date)
		out.add(&day)
		out.held.add(rates, &summary)
		out.flat.add(lines)
		out.rest.add(rester.hours)
		out.worn.add(worn)
		out.seconds.add(in.date, day.oxygenSeconds(in.of))
		return true, nil
	}), nil
}

// dateColumns are the columns of the dates.
type dateColumns struct {
	users   *rows.Texts
	dates   *rows.Numbers[int32]
	lists   []metricLists
	clocks  []clock
	totals  []dateTotal
	within  []stepTotal
	held    *heldLists
	flat    *flatLists
	rest    *restLists
	worn    *wornLists
	seconds *secondLists
}

func newDateColumns() *dateColumns {
	return &dateColumns{
		users: rows.Strings("user_id"), dates: rows.Dates("local_date"), lists: newMetricLists(),
		clocks: []clock{
			{HeartRate, rows.Int32s("heart_rate_utc_offset_min"), rows.Int32Lists("heart_rate_utc_offsets_min")},
			{Steps, rows.Int32s("step_utc_offset_min"), rows.Int32Lists("step_utc_offsets_min")},
		},
		totals: []dateTotal{
			{Distance, rows.Int64s("distance_cm")}, {Floors, rows.Int64s("floor_count")},
			{ActiveEnergy, rows.Int64s("active_energy_cal")},
		},
		within: []stepTotal{
			{Distance, rows.Int64s("distance_step_count")}, {ActiveEnergy, rows.Int64s("active_energy_step_count")},
			{Intensity, rows.Int64s("intensity_step_count")},
		},
		held: newHeldLists(), flat: newFlatLists(), rest: newRestLists(), worn: newWornLists(), seconds: newSecondLists(),
	}
}

func (c *dateColumns) all() []rows.Column {
	columns := []rows.Column{c.users, c.dates}
	for _, l := range c.lists {
		columns = append(columns, l.minutes)
		for _, f := range l.figures {
			columns = append(columns, f.column)
		}
	}
	for _, k := range c.clocks {
		columns = append(columns, k.offset, k.offsets)
	}
	for _, t := range c.totals {
		columns = append(columns, t.column)
	}
	for _, t := range c.within {
		columns = append(columns, t.column)
	}
	return slices.Concat(columns, c.held.columns(), c.flat.columns(), c.rest.columns(), c.worn.columns(),
		c.seconds.columns())
}

// add adds what is told by the minute.
func (c *dateColumns) add(d *day) {
	for i := range c.lists {
		c.lists[i].add(&d.chosen[c.lists[i].metric])
	}
	for i := range c.clocks {
		c.clocks[i].add(&d.chosen[c.clocks[i].metric])
	}
	for i := range c.totals {
		c.totals[i].add(&d.chosen[c.totals[i].metric])
	}
	for i := range c.within {
		c.within[i].add(&d.chosen[c.within[i].metric], &d.chosen[Steps])
	}
}
