package render

import (
	"github.com/diurna-health/diurna/reports"
	"github.com/diurna-health/diurna/reports/chart"
	"github.com/diurna-health/diurna/reports/locales"
	"github.com/diurna-health/diurna/schemas"
)

// coverageMap draws which days and nights of a month or a year count.
func (w *words) coverageMap(s *reports.Snapshot) *figure {
	m := chart.Map{
		Head:   chart.Head{ID: "coverage", Title: w.say("coverage.title", nil)},
		Class:  "coverage",
		Halves: true,
		Colour: colourDay, NightColour: colourSleep,
	}
	w.layOut(s, &m, func(i int, cell *chart.MapCell) {
		d := s.Coverage.Days[i]
		cell.Day, cell.Night = chart.CellState(d.Day), chart.CellState(d.Night)
	})
	t := table{
		Caption: w.say("coverage.table", nil),
		Head:    []string{w.partsName(), w.say("coverage.day", nil), w.say("coverage.night", nil)},
	}
	for _, p := range s.Long.Parts {
		t.Rows = append(t.Rows, []string{w.partName(p), w.outOf(p.ValidDays, p.OfDays), w.outOf(p.ValidNights, p.OfNights)})
	}
	m.Desc = w.coverageLine(s)
	return &figure{SVG: svg(m.SVG()), Name: m.Title, Caption: w.say("coverage.map", nil), Legend: w.legend(s), Table: t}
}

// layOut puts the dates of the period into the rows of a map: of a month its weeks, of a year its months.
func (w *words) layOut(s *reports.Snapshot, m *chart.Map, fill func(i int, cell *chart.MapCell)) {
	isYear := s.Period.Month == 0
	var row chart.MapRow
	flush := func() {
		if len(row.Cells) > 0 {
			m.Rows = append(m.Rows, row)
		}
		row = chart.MapRow{}
	}
	if isYear {
		for day := 1; day <= 31; day++ {
			label := ""
			if day == 1 || day%5 == 0 {
				label = w.count(day)
			}
			m.Columns = append(m.Columns, label)
		}
	} else {
		monday, _ := schemas.ISOWeekOf(s.Period.First).Dates()
		for d := monday; d < monday+7; d++ {
			m.Columns = append(m.Columns, w.shortWeekday(d))
		}
		row.Cells = make([]chart.MapCell, int(s.Period.First-monday))
	}
	for i, d := range s.Coverage.Days {
		_, month, day := d.Date.Civil()
		switch {
		case isYear && day == 1:
			flush()
			row.Label = w.keep(w.locale.ShortMonth(month))
		case !isYear && len(row.Cells) == 7:
			flush()
		}
		cell := chart.MapCell{IsDate: true, Note: w.count(day)}
		fill(i, &cell)
		row.Cells = append(row.Cells, cell)
	}
	flush()
}

// stepsMap draws every day's steps.
func (w *words) stepsMap(s *reports.Snapshot) figure {
	var highest int64 = 1
	for _, d := range s.Movement.Days {
		if d.StepCount != nil {
			highest = max(highest, *d.StepCount)
		}
	}
	m := chart.Map{
		Head:   chart.Head{ID: "steps-map", Title: w.say("movement.map", nil), Desc: w.say("movement.map.desc", locales.Args{"Count": s.Movement.StepsTotal.N, "Most": w.integer(float64(highest))})},
		Class:  "steps",
		Colour: colourMovement,
	}
	numbers := make([]string, len(s.Movement.Days))
	w.layOut(s, &m, func(i int, cell *chart.MapCell) {
		d := s.Movement.Days[i]
		numbers[i], cell.Day = w.none(), chart.CellState(d.State)
		switch {
		case d.State == reports.CellToCome:
		case d.StepCount == nil, *d.StepCount == 0 && isNotWorn(s.Coverage.Days[i]):
			cell.Day = chart.CellNone
		default:
			numbers[i] = w.integer(float64(*d.StepCount))
			cell.Level = float64(*d.StepCount) / float64(highest)
		}
	})
	t := table{Caption: w.say("movement.table", nil), Head: []string{w.say("map.row", nil)}}
	isYear := s.Period.Month == 0
	for i, label := range m.Columns {
		if isYear {
			label = w.count(i + 1)
		}
		t.Head = append(t.Head, label)
	}
	next := 0
	for _, r := range m.Rows {
		cells := []string{r.Label}
		for i := range m.Columns {
			if i >= len(r.Cells) || !r.Cells[i].IsDate {
				cells = append(cells, "")
				continue
			}
			if cells[0] == "" {
				cells[0] = w.keep(w.locale.DayMonth(s.Coverage.Days[next].Date))
			}
			cells = append(cells, numbers[next])
			next++
		}
		t.Rows = append(t.Rows, cells)
	}
	return figure{SVG: svg(m.SVG()), Name: m.Title, Caption: w.say("movement.map.caption", nil), Table: t, Wide: isYear}
}

// sleepParts draws the mean sleep of each part.
func (w *words) sleepParts(s *reports.Snapshot) figure {
	bars := chart.Bars{
		Head:    chart.Head{ID: "sleep-chart", Title: w.say("sleep.chart", nil)},
		Class:   "sleep",
		Colours: []string{colourSleep},
		Top:     9 * 60,
	}
	t := table{Caption: w.say("sleep.table", nil),
		Head: []string{w.partsName(), w.say("sleep.table.asleep", nil), w.say("parts.nights", nil)}}
	w.meanBars(s, &bars, &t, func(p reports.Part) reports.Figure { return p.TotalSleepTime },
		func(v float64) string { return w.shortDuration(v) })
	for _, v := range chart.Ticks(0, bars.Top, 4, 120, 180, 240, 360) {
		bars.Ticks = append(bars.Ticks, chart.Tick{Value: v, Label: w.say("axis.hours", locales.Args{"Hours": int(v) / 60})})
	}
	caption := ""
	if mean := s.Sleep.TotalSleepTime.Value; mean != nil {
		bars.Mean = &chart.Tick{Value: float64(*mean)}
		caption = w.say("sleep.chart.mean", nil)
	}
	return figure{SVG: svg(bars.SVG()), Name: bars.Title, Caption: caption, Table: t}
}

// stepsParts draws the mean steps of each part.
func (w *words) stepsParts(s *reports.Snapshot) figure {
	bars := chart.Bars{
		Head:    chart.Head{ID: "steps-chart", Title: w.say("movement.parts", nil)},
		Class:   "steps",
		Colours: []string{colourMovement},
		Top:     8000,
	}
	t := table{Caption: w.say("movement.parts", nil),
		Head: []string{w.partsName(), w.say("movement.table.steps", nil), w.say("parts.days", nil)}}
	w.meanBars(s, &bars, &t, func(p reports.Part) reports.Figure { return p.Steps }, w.integer)
	w.stepTicks(&bars)
	caption := ""
	if mean := s.Movement.Steps.Value; mean != nil {
		bars.Mean = &chart.Tick{Value: float64(*mean)}
		caption = w.say("movement.chart.caption", nil)
	}
	return figure{SVG: svg(bars.SVG()), Name: bars.Title, Caption: caption, Table: t}
}

// meanBars fills a drawing and its table with one mean for each part.
func (w *words) meanBars(s *reports.Snapshot, bars *chart.Bars, t *table, of func(reports.Part) reports.Figure,
	write func(float64) string,
) {
	var heard []string
	for _, p := range s.Long.Parts {
		fig := of(p)
		label := w.partName(p)
		bar := chart.Bar{Label: label}
		row := []string{label, "", w.outOf(fig.N, fig.Of)}
		if fig.Value == nil {
			bar.Missing = w.missingPart(fig)
			row[1] = bar.Missing
			heard = append(heard, w.heardMissing(label, bar.Missing))
		} else {
			v := float64(*fig.Value)
			bar.Parts, row[1] = []float64{v}, write(v)
			if len(s.Long.Parts) <= 7 {
				bar.Figure = row[1] // over twelve columns figures run into each other
			}
			bars.Top = max(bars.Top, v)
			heard = append(heard, w.say("parts.point", locales.Args{"Label": label, "Value": row[1]}))
		}
		bars.Columns = append(bars.Columns, bar)
		t.Rows = append(t.Rows, row)
	}
	bars.Desc = heardAll(heard)
}

// heartParts draws the heart rate of each part, from its lowest to its highest.
func (w *words) heartParts(s *reports.Snapshot) figure {
	spans := chart.Spans{
		Head:   chart.Head{ID: "heart-chart", Title: w.say("heart.chart", nil)},
		Class:  "heart",
		Colour: colourHeart,
		Low:    40, High: 120,
	}
	t := table{
		Caption: w.say("heart.table", nil),
		Head: []string{w.partsName(), w.say("heart.table.lowest", nil), w.say("heart.table.mean", nil),
			w.say("heart.table.highest", nil), w.say("parts.days", nil)},
	}
	var heard []string
	for _, p := range s.Long.Parts {
		label := w.partName(p)
		span := chart.Span{Label: label}
		row := []string{label, w.figure(p.HeartLowest.Value), w.figure(p.HeartMean.Value), w.figure(p.HeartHighest.Value),
			w.outOf(p.HeartMean.N, p.HeartMean.Of)}
		if p.HeartMean.Value == nil || p.HeartLowest.Value == nil || p.HeartHighest.Value == nil {
			span.Missing = w.missingPart(p.HeartMean)
			row[2] = span.Missing
			heard = append(heard, w.heardMissing(label, span.Missing))
		} else {
			span.Min, span.Mean, span.Max = value(p.HeartLowest.Value), value(p.HeartMean.Value), value(p.HeartHighest.Value)
			span.MinFigure, span.MaxFigure = row[1], row[3]
			if len(s.Long.Parts) <= 7 {
				span.MeanFigure = row[2] // beside the dot of one column of twelve lies the next column
			}
			spans.Low, spans.High = min(spans.Low, span.Min), max(spans.High, span.Max)
			heard = append(heard, w.say("heart.point", locales.Args{"Label": label, "Low": row[1], "High": row[3], "Mean": row[2]}))
		}
		spans.Columns = append(spans.Columns, span)
		t.Rows = append(t.Rows, row)
	}
	// Room for the figures written below and above the outermost spans.
	spans.Low -= 10
	spans.High += 6
	for _, v := range chart.Ticks(spans.Low, spans.High, 4, 20, 25, 50) {
		spans.Ticks = append(spans.Ticks, chart.Tick{Value: v, Label: w.integer(v)})
	}
	spans.Desc = heardAll(heard)
	return figure{SVG: svg(spans.SVG()), Name: spans.Title, Caption: w.say("heart.chart.caption", nil), Table: t}
}

// weekdays draws the mean steps of each day of the week.
func (w *words) weekdays(s *reports.Snapshot) figure {
	bars := chart.Bars{
		Head:    chart.Head{ID: "weekday-chart", Title: w.say("movement.weekdays", nil)},
		Class:   "steps",
		Colours: []string{colourMovement},
		Top:     8000,
	}
	t := table{Caption: w.say("movement.weekdays", nil),
		Head: []string{w.say("table.weekday", nil), w.say("movement.table.steps", nil), w.say("parts.days", nil)}}
	monday, _ := schemas.ISOWeekOf(s.Period.First).Dates()
	var heard []string
	for i, d := range s.Long.Weekdays {
		date := monday + schemas.Date(i)
		label := w.shortWeekday(date)
		bar := chart.Bar{Label: label}
		row := []string{w.keep(w.locale.Weekday(date)), "", w.outOf(d.Steps.N, d.Steps.Of)}
		if d.Steps.Value == nil {
			bar.Missing = w.missingPart(d.Steps)
			row[1] = bar.Missing
			heard = append(heard, w.heardMissing(label, bar.Missing))
		} else {
			v := float64(*d.Steps.Value)
			row[1] = w.integer(v)
			bar.Parts, bar.Figure = []float64{v}, row[1]
			bars.Top = max(bars.Top, v)
			heard = append(heard, w.say("movement.point", locales.Args{"Label": label, "Steps": row[1]}))
		}
		bars.Columns = append(bars.Columns, bar)
		t.Rows = append(t.Rows, row)
	}
	w.stepTicks(&bars)
	bars.Desc = heardAll(heard)
	return figure{SVG: svg(bars.SVG()), Name: bars.Title, Caption: w.say("movement.weekdays.caption", nil), Table: t}
}

func (w *words) stepTicks(bars *chart.Bars) {
	for _, v := range chart.Ticks(0, bars.Top, 4, 1000, 2000, 2500, 5000, 10000, 20000, 50000) {
		bars.Ticks = append(bars.Ticks, chart.Tick{Value: v, Label: w.integer(v)})
	}
}

// movementOfWeeks says how often the week's goal was reached and which weekday has the fewest steps.
func (w *words) movementOfWeeks(s *reports.Snapshot) []string {
	var sentences []string
	g := s.Long.GoalWeeks
	if g.Judged > 0 {
		sentences = append(sentences, w.say("movement.goal_weeks",
			locales.Args{"Count": g.Judged, "Reached": g.Reached, "Goal": g.GoalMin}))
		if unknown := len(g.Weeks) - g.Judged; unknown > 0 {
			sentences = append(sentences, w.say("movement.goal_unknown", locales.Args{"Count": unknown}))
		}
	}
	lowest, isKnown := 0, true
	for i, d := range s.Long.Weekdays {
		if d.Steps.Value == nil {
			isKnown = false
			break
		}
		if *d.Steps.Value < *s.Long.Weekdays[lowest].Steps.Value {
			lowest = i
		}
	}
	if isKnown {
		monday, _ := schemas.ISOWeekOf(s.Period.First).Dates()
		sentences = append(sentences, w.say("movement.weekday_lowest", locales.Args{
			"Weekday": w.keep(w.locale.Weekday(monday + schemas.Date(lowest))), "Steps": w.figure(s.Long.Weekdays[lowest].Steps.Value)}))
	}
	return sentences
}

// highlights writes what stands out.
func (w *words) highlights(s *reports.Snapshot) []string {
	lines := make([]string, 0, len(s.Long.Highlights))
	for _, h := range s.Long.Highlights {
		size := w.integer(float64(h.Value))
		if h.Unit == reports.UnitMinutes {
			size = w.duration(float64(h.Value))
		}
		lines = append(lines, w.say("highlights."+string(h.Kind), locales.Args{
			"Value": size, "Count": h.Of, "Day": w.keep(w.locale.WeekdayDayMonth(h.First)),
			"First": w.keep(w.locale.DayMonth(h.First)), "Last": w.keep(w.locale.DayMonth(h.Last)),
			"Evening": w.keep(w.locale.WeekdayDayMonth(h.First - 1)),
		}))
	}
	return lines
}

// partsName is what the parts of the period are: weeks or months.
func (w *words) partsName() string { return w.say("parts.name", nil) }

// partName names a part: the days of the month that a week has in it, or the month.
func (w *words) partName(p reports.Part) string {
	_, month, first := p.First.Civil()
	if w.kind == string(schemas.PeriodYear) {
		return w.keep(w.locale.ShortMonth(month))
	}
	_, _, last := p.Last.Civil()
	if first == last {
		return w.count(first)
	}
	return w.say("parts.days_of_month", locales.Args{"First": first, "Last": last})
}

func (w *words) outOf(n, of int) string { return w.say("parts.n_of", locales.Args{"N": n, "Of": of}) }

// missingPart names what stands in the place of a part's figure.
func (w *words) missingPart(f reports.Figure) string {
	switch {
	case f.Of == 0:
		return w.say("to_come", nil)
	case f.Reason == reports.ReasonTooFew:
		return w.say("parts.too_few", nil)
	default:
		return w.say("not_measured", nil)
	}
}
