package reports

import "time"

func (f *frame) sleep(e *evidence, c Coverage) Sleep {
	of, needs := c.OfNights, f.rules.Minimum.SleepNights
	s := Sleep{
		TotalSleepTime: meanFigure(e.figures["total_sleep_time_min"], UnitMinutes, of, needs),
		TimeInBed:      meanFigure(e.figures["time_in_bed_min"], UnitMinutes, of, needs),
		Efficiency:     meanFigure(e.figures["sleep_efficiency_pct"], UnitPercent, of, needs),
		Deep:           meanFigure(e.figures["deep_min"], UnitMinutes, of, needs),
		REM:            meanFigure(e.figures["rem_min"], UnitMinutes, of, needs),
	}
	for _, day := range c.Days {
		n, isMeasured := e.nights[day.Date]
		night := Night{Date: day.Date, State: state(day.Night, isMeasured)}
		if isMeasured && day.Night != CellToCome {
			night.Source = n.source
			night.TotalSleepTimeMin, night.TimeInBedMin = number(n.totalSleep), number(n.timeInBed)
			night.EfficiencyPct, night.AwakeMin = number(n.efficiency), number(n.awake)
			night.LightMin, night.DeepMin, night.REMMin = number(n.light), number(n.deep), number(n.rem)
			night.Awakenings = n.awakenings
			night.OnsetAt = localTime(n.onsetMS, n.onsetOffsetMin)
			night.OffsetAt = localTime(n.offsetMS, n.offsetOffsetMin)
		}
		s.Nights = append(s.Nights, night)
	}
	return s
}

func (f *frame) heart(e *evidence, c Coverage) Heart {
	lowest, highest := e.figures["heart_rate_min_bpm"], e.figures["heart_rate_max_bpm"]
	h := Heart{
		Mean:    meanFigure(e.figures["heart_rate_mean_bpm"], UnitBeatsPerMinute, c.OfDays, f.rules.Minimum.HeartRateDays),
		Lowest:  measuredFigure(lowest.lowest, lowest, UnitBeatsPerMinute, c.OfDays),
		Highest: measuredFigure(highest.highest, highest, UnitBeatsPerMinute, c.OfDays),
	}
	for _, day := range c.Days {
		row, isMeasured := e.hearts[day.Date]
		d := HeartDay{Date: day.Date, State: state(day.Day, isMeasured)}
		if isMeasured && day.Day != CellToCome {
			d.MinBPM, d.MeanBPM, d.MaxBPM, d.MeasuredMin = row.minBPM, number(row.meanBPM), row.maxBPM, row.measured
		}
		h.Days = append(h.Days, d)
	}
	return h
}

func (f *frame) movement(e *evidence, c Coverage) Movement {
	steps, active := e.figures["step_count"], e.figures["moderate_equivalent_min"]
	needs := f.rules.Minimum.MovementDays
	m := Movement{
		Steps:       meanFigure(steps, UnitSteps, c.OfDays, needs),
		StepsTotal:  measuredFigure(steps.total, steps, UnitSteps, c.OfDays),
		ActiveHours: meanFigure(e.figures["active_hour_count"], UnitHours, c.OfDays, needs),
		ActiveTotal: measuredFigure(active.total, active, UnitMinutes, c.OfDays),
		ActiveMean:  meanFigure(active, UnitMinutes, c.OfDays, needs),
		ActiveGoal:  f.rules.Goal.ModerateEquivalentMin,
	}
	for _, day := range c.Days {
		row, isMeasured := e.movements[day.Date]
		d := MovementDay{Date: day.Date, State: state(day.Day, isMeasured)}
		if isMeasured && day.Day != CellToCome {
			d.StepCount, d.ActiveHourCount = row.steps, row.activeHours
			d.ModerateActivityMin, d.VigorousActivityMin = row.moderate, row.vigorous
			d.ModerateEquivalentMin = row.moderateEquivalent
		}
		m.Days = append(m.Days, d)
	}
	return m
}

// localTime writes an instant at the offset recorded with it; nil without both.
func localTime(ms *int64, offsetMin *int) *string {
	if ms == nil || offsetMin == nil {
		return nil
	}
	recorded := time.FixedZone("", *offsetMin*60)
	s := time.UnixMilli(*ms).In(recorded).Truncate(time.Second).Format(time.RFC3339) //nolint:forbidigo // an offset, no zone
	return &s
}
