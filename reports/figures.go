package reports

import "math"

// meanFigure is the mean of the valid days, or null with the reason.
func meanFigure(row figureRow, unit Unit, of, needs int) Figure {
	return figure(row.mean, unit, row.n, of, needs, row.measuredN)
}

// measuredFigure is a total or an extreme over all days that were measured: it needs one.
func measuredFigure(value *float64, row figureRow, unit Unit, of int) Figure {
	return figure(value, unit, row.measuredN, of, 1, row.measuredN)
}

func figure(value *float64, unit Unit, n, of, needs, measured int) Figure {
	fig := Figure{Unit: unit, N: n, Of: of, Needs: needs, Sufficient: n >= needs && value != nil}
	switch {
	case fig.Sufficient:
		fig.Value = number(value)
	case measured == 0:
		fig.Reason = ReasonNotMeasured
	default:
		fig.Reason = ReasonTooFew
	}
	return fig
}

// compare sets a mean against the person's own dates before the period, if both sides bear it.
func (f *frame) compare(row figureRow, fig Figure) Comparison {
	return f.compareWith(row, fig, int(f.historyLast-f.historyFirst)+1)
}

// compareWith does so with a history of so many days.
func (f *frame) compareWith(row figureRow, fig Figure, of int) Comparison {
	rules := f.rules.Comparison
	c := Comparison{
		Status: ComparisonNotComparable,
		N:      row.historyN, Of: of, Needs: rules.HistoryMinimum,
	}
	switch {
	case fig.Reason != "":
		c.Reason = fig.Reason
	case !f.period.Closed:
		c.Reason = ReasonNotOver // a part of a week is not a week: its weekend may be missing
	case row.n < rules.PeriodMinimum:
		c.Reason = ReasonTooFew
	case row.historyN < rules.HistoryMinimum || row.history == nil || row.mad == nil:
		c.Reason = ReasonNoHistory
	case row.methods > 1:
		c.Reason = ReasonMethodChanged
	}
	if c.Reason != "" {
		return c
	}
	change := *row.mean - *row.history
	c.Change, c.History, c.Noise = number(&change), number(row.history), number(row.mad)
	c.Status = ComparisonSteady
	if *row.history == 0 {
		return c // a share of nothing says nothing
	}
	pct := 100 * change / *row.history
	c.ChangePct = number(&pct)
	if math.Abs(change) > rules.NoiseMADs**row.mad && math.Abs(pct) >= rules.NoisePct {
		c.Status = ComparisonUp
		if change < 0 {
			c.Status = ComparisonDown
		}
	}
	return c
}

func (f *frame) headline(e *evidence, s *Snapshot) Headline {
	tile := func(section Section, name string, fig Figure) Tile {
		t := Tile{Section: section, Name: name, Figure: fig, Comparison: f.compare(e.figures[name], fig)}
		if f.yearFirst <= f.yearLast {
			c := f.compareWith(e.yearBefore[name], fig, int(f.yearLast-f.yearFirst)+1)
			t.YearBefore = &c
		}
		return t
	}
	h := Headline{Tiles: []Tile{
		tile(SectionSleep, "total_sleep_time_min", s.Sleep.TotalSleepTime),
		tile(SectionHeart, "heart_rate_mean_bpm", s.Heart.Mean),
		tile(SectionMovement, "step_count", s.Movement.Steps),
	}}
	if f.isLong() {
		h.Tiles = append(h.Tiles, tile(SectionMovement, "moderate_equivalent_min", s.Movement.ActiveMean))
	}
	return h
}
