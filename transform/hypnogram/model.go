package hypnogram

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
)

const (
	dayMS = 86_400_000
	// deviceSource is the source that knows when the person went to bed.
	deviceSource = "device"
)

// NightRows turns nights, each with the stretches that one source tells, into what they come to.
func NightRows(_ context.Context, nights array.RecordReader) (array.RecordReader, error) {
	var (
		rules        Rules
		user, source *array.String
		date         *array.Date32
		period       *array.Timestamp
		from, to     rows.Lists
		stages       rows.Lists
		stretches    []Stretch
		out          = newNightColumns()
	)
	in := rows.NewCursor(nights, rows.Bound(map[string]*float64{
		"onset_run_ms": &rules.OnsetRunMS, "long_awakening_min": &rules.LongAwakeningMin,
		"observed_share_min": &rules.ObservedShareMin, "gap_max_min": &rules.GapMaxMin,
	}, map[string]any{
		"user_id": &user, "night_date": &date, "source": &source, "period_started_at": &period,
		"starts_ms": &from, "ends_ms": &to, "stage_numbers": &stages,
	}))
	return rows.NewStream(rows.NewColumns(out.all()...), func() (bool, error) {
		if !in.Next() {
			return false, in.Err()
		}
		ends, stagesOfNight := to.At(in.Row), stages.At(in.Row)
		stretches = stretches[:0]
		for i, ms := range from.At(in.Row) {
			stretches = append(stretches, Stretch{int64(ms), int64(ends[i]), Stage(stagesOfNight[i])})
		}
		if n, ok := Measure(&rules, stretches); ok {
			out.users.Add(user.Value(in.Row), 1)
			out.sources.Add(source.Value(in.Row), 1)
			out.periods.Add(int64(period.Value(in.Row)))
			out.add(&n, int32(date.Value(in.Row)), source.Value(in.Row) == deviceSource)
		}
		return true, nil
	}), nil
}

// nightColumns are the columns of the table.
type nightColumns struct {
	users, sources, reasons                *rows.Texts
	dates                                  *rows.Numbers[int32]
	periods, onsets, offsets               *rows.Numbers[int64]
	inBed, period, beforeOnset, asleep     *rows.Numbers[float64]
	latency, awake, terminalWake, unscored *rows.Numbers[float64]
	efficiency, maintenance                *rows.Numbers[float64]
	awakenings, longAwakenings             *rows.Numbers[int32]
	longestSleep                           *rows.Numbers[float64]
	light, deep, rem                       *rows.Numbers[float64]
	lightShare, deepShare, remShare        *rows.Numbers[float64]
	remLatency, observedShare, longestGap  *rows.Numbers[float64]
}

func newNightColumns() *nightColumns {
	return &nightColumns{
		users: rows.Strings("user_id"), dates: rows.Dates("night_date"), sources: rows.Strings("source"),
		periods: rows.Instants("period_started_at"),
		onsets:  rows.Instants("sleep_onset_at"), offsets: rows.Instants("sleep_offset_at"),
		inBed: rows.Float64s("time_in_bed_min"), period: rows.Float64s("sleep_period_min"),
		beforeOnset: rows.Float64s("before_onset_min"), asleep: rows.Float64s("total_sleep_time_min"),
		latency: rows.Float64s("sleep_onset_latency_min"), awake: rows.Float64s("wake_after_sleep_onset_min"),
		terminalWake: rows.Float64s("terminal_wake_min"), unscored: rows.Float64s("unscored_min"),
		efficiency: rows.Float64s("sleep_efficiency_pct"), maintenance: rows.Float64s("sleep_maintenance_efficiency_pct"),
		awakenings: rows.Int32s("awakening_count"), longAwakenings: rows.Int32s("long_awakening_count"),
		longestSleep: rows.Float64s("longest_sleep_min"),
		light:        rows.Float64s("light_min"), deep: rows.Float64s("deep_min"), rem: rows.Float64s("rem_min"),
		lightShare: rows.Float64s("light_pct"), deepShare: rows.Float64s("deep_pct"), remShare: rows.Float64s("rem_pct"),
		remLatency: rows.Float64s("rem_latency_min"), observedShare: rows.Float64s("observed_share_pct"),
		longestGap: rows.Float64s("longest_gap_min"), reasons: rows.Strings("invalid_reason"),
	}
}

func (c *nightColumns) all() []rows.Column {
	return []rows.Column{
		c.users, c.dates, c.sources, c.periods, c.onsets, c.offsets, c.inBed, c.period, c.beforeOnset, c.asleep, c.latency,
		c.awake, c.terminalWake, c.unscored, c.efficiency, c.maintenance, c.awakenings, c.longAwakenings, c.longestSleep,
		c.light, c.deep, c.rem, c.lightShare, c.deepShare, c.remShare, c.remLatency, c.observedShare, c.longestGap, c.reasons,
	}
}

// add adds the figures of a night. An estimate knows neither when the person went to bed nor, so, the latency.
func (c *nightColumns) add(n *Night, date int32, isTold bool) {
	midnightMS := int64(date) * dayMS
	c.dates.Add(date)
	c.onsets.Add((midnightMS + n.OnsetMS) * 1000)
	c.offsets.Add((midnightMS + n.OffsetMS) * 1000)
	c.inBed.Add(minutes(n.InBedMS))
	c.period.Add(minutes(n.PeriodMS()))
	c.beforeOnset.Add(minutes(n.BeforeOnsetMS))
	c.latency.AddIf(isTold && n.BeginsAwake, minutes(n.BeforeOnsetMS))
	c.terminalWake.Add(minutes(n.TerminalWakeMS))
	c.unscored.Add(minutes(n.UnscoredMS))
	c.observedShare.Add(share(n.ObservedMS(), n.PeriodMS()))
	c.longestGap.Add(minutes(n.LongestGapMS))

	isMeasured := n.InvalidReason == ""
	c.asleep.AddIf(isMeasured, minutes(n.AsleepMS))
	c.awake.AddIf(isMeasured, minutes(n.AwakeMS))
	c.efficiency.AddIf(isMeasured && isTold, share(n.AsleepMS, n.ScoredMS()))
	c.maintenance.AddIf(isMeasured, share(n.AsleepMS, n.ObservedMS()))
	c.awakenings.AddIf(isMeasured, int32(n.AwakeningCount))
	c.longAwakenings.AddIf(isMeasured, int32(n.LongAwakeningCount))
	c.longestSleep.AddIf(isMeasured, minutes(n.LongestSleepMS))
	c.remLatency.AddIf(isMeasured && n.HasREM, minutes(n.FirstREMMS-n.OnsetMS))
	c.reasons.AddIf(!isMeasured, n.InvalidReason)

	isStaged := isMeasured && n.IsStaged
	c.light.AddIf(isStaged, minutes(n.LightMS))
	c.deep.AddIf(isStaged, minutes(n.DeepMS))
	c.rem.AddIf(isStaged, minutes(n.REMMS))
	c.lightShare.AddIf(isStaged, share(n.LightMS, n.AsleepMS))
	c.deepShare.AddIf(isStaged, share(n.DeepMS, n.AsleepMS))
	c.remShare.AddIf(isStaged, share(n.REMMS, n.AsleepMS))
}

func minutes(ms int64) float64 { return float64(ms) / 60_000 }

// share is a part of a whole in %.
func share(part, whole int64) float64 { return 100 * float64(part) / float64(whole) }
