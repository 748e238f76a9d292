package regularity

import (
	"context"
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
)

// NightRows turns nights and pairs of dates, in order of person and date, into how regular each night that is asked for and
// those before it were. Of a date the pair comes first.
func NightRows(_ context.Context, dates array.RecordReader) (array.RecordReader, error) {
	var (
		rules                nightRules
		user                 *array.String
		date                 *array.Date32
		isDirty              *array.Boolean
		times                timeColumns
		midpoint, periodMin  *array.Float64
		kind                 *array.String
		isAlarm              *array.Boolean
		observed, agreed     *array.Int64
		users, days          = rows.Strings("user_id"), rows.Dates("night_date")
		timed                = rows.Int32s("timed_night_count")
		bedtimes, bedtimeSDs = rows.Float64s("bedtime_median_minute"), rows.Float64s("bedtime_sd_min")
		wakings, wakeSDs     = rows.Float64s("wake_median_minute"), rows.Float64s("wake_sd_min")
		midpoints            = rows.Float64s("midpoint_mean_minute")
		indices, pairs       = rows.Float64s("sri"), rows.Int32s("sri_day_pair_count")
		free, work           = rows.Int32s("free_night_count"), rows.Int32s("work_night_count")
		msfs, msws           = rows.Float64s("msf_minute"), rows.Float64s("msw_minute")
		jetlags              = rows.Float64s("social_jetlag_min")
		msfSCs               = rows.Float64s("msf_sc_minute")
		of                   past
	)
	in := rows.NewCursor(dates, rows.Bound(map[string]*float64{
		"night_count": &rules.nightCount, "night_count_min": &rules.nightCountMin,
		"sri_day_count": &rules.pairDayCount, "sri_pair_count_min": &rules.pairCountMin,
		"chronotype_day_count": &rules.chronotypeDayCount, "chronotype_span_day_min": &rules.chronotypeSpanMin,
		"chronotype_free_count_min": &rules.chronotypeFreeMin, "chronotype_work_count_min": &rules.chronotypeWorkMin,
		"jetlag_free_count_min": &rules.jetlagFreeMin, "jetlag_work_count_min": &rules.jetlagWorkMin,
	}, times.columns(), map[string]any{
		"user_id": &user, "night_date": &date, "is_dirty": &isDirty, "midpoint_minute": &midpoint,
		"sleep_period_min": &periodMin, "day_kind": &kind, "is_alarm": &isAlarm, "observed_ms": &observed, "agreed_ms": &agreed,
	}))
	add := func(row int, when int32) {
		if observed.IsValid(row) {
			of.pairs = append(of.pairs, datePair{when, observed.Value(row), agreed.Value(row)})
			return
		}
		if !times.isKnown(row) {
			return
		}
		n := times.night(row, when)
		n.midpoint = directionOf(midpoint.Value(row))
		of.nights = append(of.nights, n)
		if kind.IsValid(row) {
			of.declared = append(of.declared, declaredNight{
				date: when, midpoint: n.midpoint, period: int64(math.Round(periodMin.Value(row) * periodUnit)),
				isFree: kind.Value(row) == "free", isAlarm: isAlarm.Value(row),
			})
		}
	}
	tell := func(when int32) {
		r := of.on(&rules, when)
		users.Add(of.user, 1)
		days.Add(when)
		timed.Add(int32(r.timedCount))
		pairs.Add(int32(r.pairCount))
		free.Add(int32(r.freeCount))
		work.Add(int32(r.workCount))
		for _, f := range []struct {
			column *rows.Numbers[float64]
			figure float64
		}{
			{bedtimes, r.bedtimeMedianMinute}, {bedtimeSDs, r.bedtimeSDMin}, {wakings, r.wakeMedianMinute}, {wakeSDs, r.wakeSDMin},
			{midpoints, r.midpointMeanMinute}, {indices, r.sri}, {msfs, r.msfMinute}, {msws, r.mswMinute},
			{jetlags, r.socialJetlagMin}, {msfSCs, r.msfSCMinute},
		} {
			f.column.AddIf(!math.IsNaN(f.figure), f.figure)
		}
	}
	columns := rows.NewColumns(users, days, timed, bedtimes, bedtimeSDs, wakings, wakeSDs, midpoints, indices, pairs, free, work,
		msfs, msws, jetlags, msfSCs)
	return rows.NewStream(columns, func() (bool, error) {
		if !in.Next() {
			return false, in.Err()
		}
		if who := user.Value(in.Row); who != of.user {
			of.begin(strings.Clone(who))
		}
		when := int32(date.Value(in.Row))
		add(in.Row, when)
		if isDirty.Value(in.Row) {
			tell(when)
		}
		return true, nil
	}), nil
}
