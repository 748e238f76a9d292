package vitals

import (
	"context"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
	"github.com/diurna-health/diurna/transform/samples"
)

// NightRows turns nights, each with the minutes of its dates and what the source told in as many rows on end, into their
// vitals.
func NightRows(_ context.Context, dates array.RecordReader) (array.RecordReader, error) {
	var (
		rules                limits
		user                 *array.String
		date                 *array.Date32
		first, end           *array.Int32
		told                 *array.Int32
		oxygen, breath, skin minuteColumns
		lowest               rows.Lists // sample of each minute
		of                   night
		out                  = newNightColumns()
	)
	in := rows.NewCursor(dates, rows.Bound(map[string]*float64{
		"oxygen_min": &rules.oxygenMin, "oxygen_low": &rules.oxygenLow, "oxygen_valid_min": &rules.oxygenValidMin,
		"oxygen_percentile": &rules.oxygenPercentile, "measured_min": &rules.measuredMin,
	}, oxygen.columns("oxygen_saturation", "permille"), breath.columns("respiratory_rate", "milli_per_min"),
		skin.columns("skin_temperature", "mcel"), map[string]any{
			"oxygen_saturation_mins_permille": &lowest,
			"user_id":                         &user, "night_date": &date, "first_minute": &first, "end_minute": &end, "told_milli_per_min": &told,
		}))
	return rows.NewStream(rows.NewColumns(out.all()...), func() (bool, error) {
		if !in.Next() {
			out.add(&of, &rules)
			return false, in.Err()
		}
		if who, when := user.Value(in.Row), int32(date.Value(in.Row)); who != of.user || when != of.date {
			out.add(&of, &rules)
			of.begin(strings.Clone(who), when)
		}
		if !told.IsNull(in.Row) {
			of.toldBreath, of.isBreathTold = told.Value(in.Row), true
			return true, nil
		}
		sleep := samples.Span{From: first.Value(in.Row), Until: end.Value(in.Row)}
		saturations, lowestOf := oxygen.at(in.Row), lowest.At(in.Row)
		of.oxygen.add(saturations, sleep, func(i int) bool {
			return float64(at(lowestOf, i, saturations.sums[i])) >= rules.oxygenMin // without a list each is of one sample
		})
		of.breath.add(breath.at(in.Row), sleep, nil)
		of.skin.add(skin.at(in.Row), sleep, nil)
		return true, nil
	}), nil
}

// nightColumns are the columns of the table.
type nightColumns struct {
	users                                         *rows.Texts
	dates                                         *rows.Numbers[int32]
	oxygenValid                                   *rows.Numbers[int32]
	oxygenMean, oxygenMin, oxygenP5, oxygenMiddle *rows.Numbers[float64]
	oxygenBelow                                   *rows.Numbers[float64]
	breathMeasured                                *rows.Numbers[int32]
	breath                                        *rows.Numbers[float64]
	breathSource                                  *rows.Texts
	skinMeasured                                  *rows.Numbers[int32]
	skin                                          *rows.Numbers[float64]
}

func newNightColumns() *nightColumns {
	return &nightColumns{
		users: rows.Strings("user_id"), dates: rows.Dates("night_date"),
		oxygenValid: rows.Int32s("oxygen_saturation_valid_min"),
		oxygenMean:  rows.Float64s("oxygen_saturation_mean_pct"), oxygenMin: rows.Float64s("oxygen_saturation_min_pct"),
		oxygenP5: rows.Float64s("oxygen_saturation_p5_pct"), oxygenMiddle: rows.Float64s("oxygen_saturation_median_pct"),
		oxygenBelow:    rows.Float64s("oxygen_saturation_below_90_pct"),
		breathMeasured: rows.Int32s("respiratory_rate_measured_min"), breath: rows.Float64s("respiratory_rate_per_min"),
		breathSource: rows.Strings("respiratory_rate_source"),
		skinMeasured: rows.Int32s("skin_temperature_measured_min"), skin: rows.Float64s("skin_temperature_mean_c"),
	}
}

func (c *nightColumns) all() []rows.Column {
	return []rows.Column{
		c.users, c.dates, c.oxygenValid, c.oxygenMean, c.oxygenMin, c.oxygenP5, c.oxygenMiddle, c.oxygenBelow,
		c.breathMeasured, c.breath, c.breathSource, c.skinMeasured, c.skin,
	}
}

// add adds a night, if there is anything to tell.
func (c *nightColumns) add(n *night, rules *limits) {
	if !n.isThere() {
		return
	}
	c.users.Add(n.user, 1)
	c.dates.Add(n.date)
	c.addOxygen(&n.oxygen, rules)
	c.addBreath(n, rules)
	c.skinMeasured.AddIf(n.skin.isThere(), int32(n.skin.coveredMin))
	if n.skin.isThere() && float64(n.skin.coveredMin) >= rules.measuredMin {
		c.skin.Add(n.skin.mean() / 1000)
	} else {
		c.skin.Skip(1)
	}
}

func (c *nightColumns) addOxygen(r *record, rules *limits) {
	c.oxygenValid.AddIf(r.isThere(), int32(r.coveredMin))
	if !r.isThere() || float64(r.coveredMin) < rules.oxygenValidMin {
		for _, column := range []*rows.Numbers[float64]{c.oxygenMean, c.oxygenMin, c.oxygenP5, c.oxygenMiddle, c.oxygenBelow} {
			column.Skip(1)
		}
		return
	}
	r.sort()
	c.oxygenMean.Add(r.mean() / 10)
	c.oxygenMin.Add(float64(r.values[0].of) / 10)
	c.oxygenP5.Add(float64(r.percentile(rules.oxygenPercentile)) / 10)
	c.oxygenMiddle.Add(r.median() / 10)
	c.oxygenBelow.Add(100 * (float64(r.below(rules.oxygenLow)) / float64(r.coveredMin)))
}

// addBreath adds the median of the minutes, else the source's own figure.
func (c *nightColumns) addBreath(n *night, rules *limits) {
	c.breathMeasured.AddIf(n.breath.isThere(), int32(n.breath.coveredMin))
	switch {
	case n.breath.isThere() && float64(n.breath.coveredMin) >= rules.measuredMin:
		n.breath.sort()
		c.breath.Add(n.breath.median() / 1000)
		c.breathSource.Add("minutes", 1)
	case n.isBreathTold:
		c.breath.Add(float64(n.toldBreath) / 1000)
		c.breathSource.Add("summary", 1)
	default:
		c.breath.Skip(1)
		c.breathSource.AddIf(false, "")
	}
}
