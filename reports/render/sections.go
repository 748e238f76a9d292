package render

import (
	"html/template"
	"strings"

	"github.com/diurna-health/diurna/reports"
	"github.com/diurna-health/diurna/reports/chart"
	"github.com/diurna-health/diurna/reports/locales"
	"github.com/diurna-health/diurna/schemas"
)

// The colours of the drawings when they stand without their page; in it the style sheet decides.
const (
	colourSleep    = "#4a559f"
	colourREM      = "#7d87c9"
	colourLight    = "#b4bbe6"
	colourHeart    = "#b8452f"
	colourMovement = "#17806b"
	colourVigorous = "#0b4f43"
	colourDay      = "#c08423"
)

func (w *words) coverage(s *reports.Snapshot) *figure {
	cells := chart.Cells{
		Head:      chart.Head{ID: "coverage", Title: w.say("coverage.title", nil)},
		Class:     "coverage",
		DayColour: colourDay, NightColour: colourSleep,
		DayName: w.say("coverage.day", nil), NightName: w.say("coverage.night", nil),
	}
	t := table{
		Caption: w.say("coverage.table", nil),
		Head: []string{w.say("table.date", nil), w.say("coverage.day", nil), w.say("coverage.worn", nil),
			w.say("coverage.night", nil)},
	}
	for _, d := range s.Coverage.Days {
		_, _, day := d.Date.Civil()
		cells.Columns = append(cells.Columns, chart.Cell{
			Label: w.shortWeekday(d.Date), Note: w.count(day),
			Day: chart.CellState(d.Day), Night: chart.CellState(d.Night),
		})
		worn := w.none()
		if d.WornMin != nil {
			worn = w.shortDuration(float64(*d.WornMin))
		}
		t.Rows = append(t.Rows, []string{w.shortDate(d.Date), w.say("coverage.state."+string(d.Day), nil), worn,
			w.say("coverage.state."+string(d.Night), nil)})
	}
	cells.Desc = w.coverageLine(s)
	return &figure{SVG: svg(cells.SVG()), Name: cells.Title, Legend: w.legend(s), Table: t}
}

func (w *words) sleep(s *reports.Snapshot) section {
	view := section{ID: "sleep", Title: w.say("sleep.title", nil)}
	mean := s.Sleep.TotalSleepTime
	switch mean.Reason {
	case reports.ReasonNotMeasured:
		view.Sentences = []string{w.say("sleep.none", nil)}
		return view
	case reports.ReasonTooFew:
		view.Sentences = []string{w.say("sleep.too_few", locales.Args{"Count": mean.N, "Of": mean.Of, "Needs": mean.Needs})}
	default:
		view.Sentences = w.sleepSentences(s)
	}
	if s.Long != nil {
		view.Figures = []figure{w.sleepParts(s)}
		return view
	}
	view.Figures = []figure{w.sleepFigure(s)}
	return view
}

func (w *words) sleepSentences(s *reports.Snapshot) []string {
	mean, bed := s.Sleep.TotalSleepTime, s.Sleep.TimeInBed
	var sentences []string
	if bed.Value != nil {
		sentences = append(sentences, w.say("sleep.mean", locales.Args{
			"Sleep": w.duration(float64(*mean.Value)), "Bed": w.duration(float64(*bed.Value)), "N": mean.N, "Of": mean.Of}))
	}
	if pct := s.Sleep.Efficiency.Value; pct != nil {
		sentences = append(sentences, w.say("sleep.efficiency", locales.Args{"Pct": w.locale.Percent(float64(*pct))}))
	}
	if deep, rem := s.Sleep.Deep, s.Sleep.REM; deep.Value != nil && rem.Value != nil {
		sentences = append(sentences, w.say("sleep.stages", locales.Args{
			"Deep": w.duration(float64(*deep.Value)), "REM": w.duration(float64(*rem.Value)), "N": deep.N, "Of": deep.Of}))
	}
	if s.Long != nil {
		return sentences // the longest night stands among the highlights
	}
	var longest *reports.Night
	for i, n := range s.Sleep.Nights {
		if n.State == reports.CellValid && n.TotalSleepTimeMin != nil &&
			(longest == nil || *n.TotalSleepTimeMin > *longest.TotalSleepTimeMin) {
			longest = &s.Sleep.Nights[i]
		}
	}
	if longest != nil {
		sentences = append(sentences, w.say("sleep.longest", locales.Args{
			"Night": w.night(longest.Date), "Sleep": w.duration(float64(*longest.TotalSleepTimeMin))}))
	}
	return sentences
}

func (w *words) sleepFigure(s *reports.Snapshot) figure {
	hasStages, hasTimes, isFaint := true, false, false
	for _, n := range s.Sleep.Nights {
		if n.TotalSleepTimeMin != nil {
			hasStages = hasStages && n.DeepMin != nil && n.REMMin != nil && n.LightMin != nil
			hasTimes = hasTimes || n.OnsetAt != nil
		}
		isFaint = isFaint || n.State == reports.CellShort
	}
	bars := chart.Bars{
		Head:    chart.Head{ID: "sleep-chart", Title: w.say("sleep.chart", nil)},
		Class:   "sleep",
		Colours: []string{colourSleep},
		Top:     9 * 60,
	}
	t := table{
		Caption: w.say("sleep.table", nil),
		Head:    []string{w.say("table.night", nil), w.say("sleep.table.asleep", nil), w.say("sleep.table.bed", nil)},
	}
	caption := w.say("sleep.chart.caption", nil)
	if hasStages {
		bars.Colours = []string{colourSleep, colourREM, colourLight}
		caption = w.say("sleep.chart.caption_stages", nil)
		t.Head = append(t.Head, w.say("sleep.table.deep", nil), w.say("sleep.table.rem", nil), w.say("sleep.table.light", nil))
	}
	if hasTimes {
		t.Head = append(t.Head, w.say("sleep.table.from", nil), w.say("sleep.table.to", nil))
	}
	highest := bars.Top
	var heard []string
	for _, n := range s.Sleep.Nights {
		label, note := w.column(n.Date)
		bar := chart.Bar{Label: label, Note: note, Faint: n.State == reports.CellShort}
		row := []string{w.night(n.Date), w.minutes(n.TotalSleepTimeMin), w.minutes(n.TimeInBedMin)}
		if n.TotalSleepTimeMin == nil {
			bar.Missing = w.missing(n.State)
			row[1] = bar.Missing
			heard = append(heard, w.heardMissing(row[0], bar.Missing))
		} else {
			bar.Parts = []float64{float64(*n.TotalSleepTimeMin)}
			if hasStages {
				bar.Parts = []float64{float64(*n.DeepMin), float64(*n.REMMin), float64(*n.LightMin)}
			}
			bar.Frame = value(n.TimeInBedMin)
			bar.Figure = w.shortDuration(float64(*n.TotalSleepTimeMin))
			highest = max(highest, bar.Frame, float64(*n.TotalSleepTimeMin))
			heard = append(heard, w.say("sleep.point", locales.Args{"Label": row[0], "Sleep": row[1], "Bed": row[2]}))
		}
		if hasStages {
			row = append(row, w.minutes(n.DeepMin), w.minutes(n.REMMin), w.minutes(n.LightMin))
		}
		if hasTimes {
			row = append(row, w.clock(n.OnsetAt), w.clock(n.OffsetAt))
		}
		bars.Columns = append(bars.Columns, bar)
		t.Rows = append(t.Rows, row)
	}
	for _, v := range chart.Ticks(0, highest, 4, 120, 180, 240, 360) {
		bars.Ticks = append(bars.Ticks, chart.Tick{Value: v, Label: w.say("axis.hours", locales.Args{"Hours": int(v) / 60})})
	}
	if mean := s.Sleep.TotalSleepTime.Value; mean != nil {
		bars.Mean = &chart.Tick{Value: float64(*mean)}
		caption = join(caption, w.say("sleep.chart.mean", nil))
	}
	bars.Desc = heardAll(heard)
	return figure{SVG: svg(bars.SVG()), Name: bars.Title, Caption: w.faintNote(caption, isFaint), Table: t}
}

func (w *words) heart(s *reports.Snapshot) section {
	view := section{ID: "heart", Title: w.say("heart.title", nil)}
	mean, low, high := s.Heart.Mean, s.Heart.Lowest, s.Heart.Highest
	switch mean.Reason {
	case reports.ReasonNotMeasured:
		view.Sentences = []string{w.say("heart.none", nil)}
		return view
	case reports.ReasonTooFew:
		view.Sentences = []string{w.say("heart.too_few", locales.Args{"Count": mean.N, "Needs": mean.Needs})}
	default:
		view.Sentences = []string{w.say("heart.mean", locales.Args{"Mean": w.figure(mean.Value), "N": mean.N, "Of": mean.Of})}
	}
	if low.Value != nil && high.Value != nil {
		view.Sentences = append(view.Sentences, w.say("heart.range", locales.Args{
			"Low": w.figure(low.Value), "High": w.figure(high.Value), "Count": low.N}))
	}
	if s.Long != nil {
		view.Figures = []figure{w.heartParts(s)}
		return view
	}
	view.Figures = []figure{w.heartFigure(s)}
	return view
}

func (w *words) heartFigure(s *reports.Snapshot) figure {
	spans := chart.Spans{
		Head:   chart.Head{ID: "heart-chart", Title: w.say("heart.chart", nil)},
		Class:  "heart",
		Colour: colourHeart,
		Low:    40, High: 120,
	}
	t := table{
		Caption: w.say("heart.table", nil),
		Head: []string{w.say("table.date", nil), w.say("heart.table.lowest", nil), w.say("heart.table.mean", nil),
			w.say("heart.table.highest", nil), w.say("heart.table.measured", nil)},
	}
	isFaint := false
	var heard []string
	for _, d := range s.Heart.Days {
		label, note := w.column(d.Date)
		span := chart.Span{Label: label, Note: note, Faint: d.State == reports.CellShort}
		row := []string{w.shortDate(d.Date), w.whole(d.MinBPM), w.figure(d.MeanBPM), w.whole(d.MaxBPM), w.none()}
		if d.MinBPM == nil || d.MaxBPM == nil || d.MeanBPM == nil {
			span.Missing = w.missing(d.State)
			row[1] = span.Missing
			heard = append(heard, w.heardMissing(row[0], span.Missing))
		} else {
			span.Min, span.Mean, span.Max = float64(*d.MinBPM), float64(*d.MeanBPM), float64(*d.MaxBPM)
			span.MinFigure, span.MeanFigure, span.MaxFigure = row[1], row[2], row[3]
			spans.Low, spans.High = min(spans.Low, span.Min), max(spans.High, span.Max)
			heard = append(heard, w.say("heart.point", locales.Args{"Label": row[0], "Low": row[1], "High": row[3], "Mean": row[2]}))
		}
		if d.MeasuredMin != nil {
			row[4] = w.shortDuration(float64(*d.MeasuredMin))
		}
		isFaint = isFaint || span.Faint
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
	return figure{SVG: svg(spans.SVG()), Name: spans.Title,
		Caption: w.faintNote(w.say("heart.chart.caption", nil), isFaint), Table: t}
}

func (w *words) movement(s *reports.Snapshot) section {
	view := section{ID: "movement", Title: w.say("movement.title", nil)}
	m := s.Movement
	switch m.Steps.Reason {
	case reports.ReasonNotMeasured:
		view.Sentences = []string{w.say("movement.none", nil)}
		return view
	case reports.ReasonTooFew:
		view.Sentences = []string{w.say("movement.too_few", locales.Args{"Count": m.Steps.N, "Of": m.Steps.Of, "Needs": m.Steps.Needs})}
	default:
		view.Sentences = []string{w.say("movement.mean", locales.Args{"Mean": w.figure(m.Steps.Value), "N": m.Steps.N, "Of": m.Steps.Of})}
	}
	if m.StepsTotal.Value != nil {
		view.Sentences = append(view.Sentences, w.say("movement.total",
			locales.Args{"Total": w.figure(m.StepsTotal.Value), "Count": m.StepsTotal.N}))
	}
	if m.ActiveHours.Value != nil {
		view.Sentences = append(view.Sentences, w.say("movement.hours", locales.Args{"Hours": w.figure(m.ActiveHours.Value)}))
	}
	if m.ActiveTotal.Value != nil {
		view.Sentences = append(view.Sentences, w.say("movement.active", locales.Args{
			"Active": w.figure(m.ActiveTotal.Value), "Count": m.ActiveTotal.N, "Goal": m.ActiveGoal}))
	} else {
		view.Sentences = append(view.Sentences, w.say("movement.no_active", nil))
	}
	if s.Long != nil {
		view.Sentences = append(view.Sentences, w.movementOfWeeks(s)...)
		view.Figures = []figure{w.stepsMap(s), w.stepsParts(s), w.weekdays(s)}
		return view
	}
	view.Figures = []figure{w.stepsFigure(s)}
	if m.ActiveTotal.Value != nil {
		view.Figures = append(view.Figures, w.activeFigure(s))
		view.Ring = w.ring(m)
	}
	return view
}

func (w *words) stepsFigure(s *reports.Snapshot) figure {
	bars := chart.Bars{
		Head:    chart.Head{ID: "steps-chart", Title: w.say("movement.chart", nil)},
		Class:   "steps",
		Colours: []string{colourMovement},
		Top:     8000,
	}
	t := table{
		Caption: w.say("movement.table", nil),
		Head:    []string{w.say("table.date", nil), w.say("movement.table.steps", nil), w.say("movement.table.hours", nil)},
	}
	highest := bars.Top
	isFaint := false
	var heard []string
	for i, d := range s.Movement.Days {
		label, note := w.column(d.Date)
		bar := chart.Bar{Label: label, Note: note, Faint: d.State == reports.CellShort}
		row := []string{w.shortDate(d.Date), w.none(), w.whole(d.ActiveHourCount)}
		switch {
		case d.StepCount == nil:
			bar.Missing = w.missing(d.State)
		case *d.StepCount == 0 && isNotWorn(s.Coverage.Days[i]):
			bar.Missing = w.say("not_worn", nil)
		}
		if bar.Missing != "" {
			row[1] = bar.Missing
			heard = append(heard, w.heardMissing(row[0], bar.Missing))
		} else {
			row[1] = w.integer(float64(*d.StepCount))
			bar.Parts, bar.Figure = []float64{float64(*d.StepCount)}, row[1]
			highest = max(highest, float64(*d.StepCount))
			isFaint = isFaint || bar.Faint
			heard = append(heard, w.say("movement.point", locales.Args{"Label": row[0], "Steps": row[1]}))
		}
		bars.Columns = append(bars.Columns, bar)
		t.Rows = append(t.Rows, row)
	}
	for _, v := range chart.Ticks(0, highest, 4, 1000, 2000, 2500, 5000, 10000, 20000, 50000) {
		bars.Ticks = append(bars.Ticks, chart.Tick{Value: v, Label: w.integer(v)})
	}
	caption := ""
	if mean := s.Movement.Steps.Value; mean != nil {
		bars.Mean = &chart.Tick{Value: float64(*mean)}
		caption = w.say("movement.chart.caption", nil)
	}
	bars.Desc = heardAll(heard)
	return figure{SVG: svg(bars.SVG()), Name: bars.Title, Caption: w.faintNote(caption, isFaint), Table: t}
}

func (w *words) activeFigure(s *reports.Snapshot) figure {
	bars := chart.Bars{
		Head:    chart.Head{ID: "active-chart", Title: w.say("active.chart", nil)},
		Class:   "active",
		Colours: []string{colourMovement, colourVigorous},
		Top:     40,
	}
	t := table{
		Caption: w.say("active.table", nil),
		Head: []string{w.say("table.date", nil), w.say("active.table.moderate", nil), w.say("active.table.vigorous", nil),
			w.say("active.table.active", nil)},
	}
	highest := bars.Top
	isFaint := false
	var heard []string
	for i, d := range s.Movement.Days {
		label, note := w.column(d.Date)
		bar := chart.Bar{Label: label, Note: note, Faint: d.State == reports.CellShort}
		row := []string{w.shortDate(d.Date), w.whole(d.ModerateActivityMin), w.whole(d.VigorousActivityMin),
			w.whole(d.ModerateEquivalentMin)}
		switch {
		case d.ModerateEquivalentMin == nil || d.ModerateActivityMin == nil || d.VigorousActivityMin == nil:
			bar.Missing = w.missing(d.State)
		case *d.ModerateEquivalentMin == 0 && isNotWorn(s.Coverage.Days[i]):
			bar.Missing = w.say("not_worn", nil)
		}
		if bar.Missing != "" {
			row[1] = bar.Missing
			heard = append(heard, w.heardMissing(row[0], bar.Missing))
		} else {
			bar.Parts = []float64{float64(*d.ModerateActivityMin), float64(2 * *d.VigorousActivityMin)}
			bar.Figure = w.count(*d.ModerateEquivalentMin)
			highest = max(highest, float64(*d.ModerateEquivalentMin))
			isFaint = isFaint || bar.Faint
			heard = append(heard, w.say("active.point", locales.Args{"Label": row[0], "Active": bar.Figure}))
		}
		bars.Columns = append(bars.Columns, bar)
		t.Rows = append(t.Rows, row)
	}
	for _, v := range chart.Ticks(0, highest, 4, 10, 20, 30, 60, 120, 240) {
		bars.Ticks = append(bars.Ticks, chart.Tick{Value: v, Label: w.integer(v)})
	}
	bars.Desc = heardAll(heard)
	return figure{SVG: svg(bars.SVG()), Name: bars.Title,
		Caption: w.faintNote(w.say("active.chart.caption", nil), isFaint), Table: t}
}

func (w *words) ring(m reports.Movement) *figure {
	ring := chart.Ring{
		Head: chart.Head{ID: "active-ring", Title: w.say("active.ring", nil), Desc: w.say("active.ring.desc", locales.Args{
			"Active": w.figure(m.ActiveTotal.Value), "Goal": m.ActiveGoal, "N": m.ActiveTotal.N, "Of": m.ActiveTotal.Of})},
		Class:  "goal",
		Colour: colourMovement,
		Value:  value(m.ActiveTotal.Value), Goal: float64(m.ActiveGoal),
		Figure: w.figure(m.ActiveTotal.Value),
		Note:   w.say("active.ring.note", locales.Args{"Goal": m.ActiveGoal}),
	}
	return &figure{SVG: svg(ring.SVG()), Name: ring.Title, Caption: w.say("n_of.total", locales.Args{"Count": m.ActiveTotal.N})}
}

// column names a column of a drawing: the weekday and the day of the month.
func (w *words) column(d schemas.Date) (label, note string) {
	_, _, day := d.Civil()
	return w.shortWeekday(d), w.count(day)
}

// missing names what stands in the place of a figure that is not there.
func (w *words) missing(state reports.CellState) string {
	if state == reports.CellToCome {
		return w.say("to_come", nil)
	}
	return w.say("not_measured", nil)
}

func (w *words) heardMissing(label, missing string) string {
	return w.say("missing.point", locales.Args{"Label": label, "Missing": missing})
}

// faintNote explains the hatching where there is some.
func (w *words) faintNote(caption string, isFaint bool) string {
	if !isFaint {
		return caption
	}
	return strings.TrimSpace(join(caption, w.say("chart.faint", nil)))
}

func heardAll(points []string) string { return strings.Join(points, "; ") }

// isNotWorn says that samples came and none of them shows wear: a watch on a table counts no steps.
func isNotWorn(d reports.CoverageDay) bool { return d.WornMin != nil && *d.WornMin == 0 }

func value(n *reports.Number) float64 {
	if n == nil {
		return 0
	}
	return float64(*n)
}

// svg marks a drawing as safe: package chart escapes every word it is given.
func svg(drawing string) template.HTML { return template.HTML(drawing) } //nolint:gosec // see above
