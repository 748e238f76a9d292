package reports_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/reports/reportstest"
	"github.com/diurna-health/diurna/schemas"
)

// told is what a snapshot's JSON says, read by its field names as a stranger's program would.
type told struct {
	Coverage struct {
		ValidDays   int `json:"valid_days"`
		OfDays      int `json:"of_days"`
		ValidNights int `json:"valid_nights"`
		OfNights    int `json:"of_nights"`
	} `json:"coverage"`
	Headline struct {
		Tiles []struct {
			Name       string `json:"name"`
			Comparison struct {
				Status    string   `json:"status"`
				Change    *float64 `json:"change"`
				ChangePct *float64 `json:"change_pct"`
				History   *float64 `json:"history_mean"`
				Noise     *float64 `json:"history_mad"`
				N         int      `json:"history_n"`
			} `json:"comparison"`
		} `json:"tiles"`
	} `json:"headline"`
	Sleep struct {
		TotalSleepTime toldFigure `json:"total_sleep_time"`
		TimeInBed      toldFigure `json:"time_in_bed"`
		Efficiency     toldFigure `json:"sleep_efficiency"`
		Deep           toldFigure `json:"deep"`
		REM            toldFigure `json:"rem"`
		Nights         []struct {
			Date   string   `json:"date"`
			Asleep *float64 `json:"total_sleep_time_min"`
			InBed  *float64 `json:"time_in_bed_min"`
		} `json:"nights"`
	} `json:"sleep"`
	Heart struct {
		Mean    toldFigure `json:"heart_rate_mean"`
		Lowest  toldFigure `json:"heart_rate_min"`
		Highest toldFigure `json:"heart_rate_max"`
		Days    []struct {
			Date string   `json:"date"`
			Min  *int     `json:"heart_rate_min_bpm"`
			Mean *float64 `json:"heart_rate_mean_bpm"`
			Max  *int     `json:"heart_rate_max_bpm"`
		} `json:"days"`
	} `json:"heart"`
	Movement struct {
		Steps       toldFigure `json:"step_count_mean"`
		StepsTotal  toldFigure `json:"step_count_total"`
		ActiveTotal toldFigure `json:"moderate_equivalent_total"`
		Days        []struct {
			Date  string `json:"date"`
			Steps *int64 `json:"step_count"`
		} `json:"days"`
	} `json:"movement"`
	BestDay *struct {
		Date     string `json:"date"`
		JudgedBy string `json:"judged_by"`
	} `json:"best_day"`
}

type toldFigure struct {
	Value *float64 `json:"value"`
	N     int      `json:"n"`
	Of    int      `json:"of"`
}

// The figures of the goldens are worked out again here, from the same rows, with loops and nothing of the package
// under test.
func TestTheGoldensFiguresAreThoseOfTheRows(t *testing.T) {
	g := reportstest.People()
	for _, user := range everybody() {
		t.Run(user, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", "week_"+user+".golden.json"))
			if err != nil {
				t.Fatal(err)
			}
			var got told
			if err := json.Unmarshal(data, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(recompute(g, user), got); diff != "" {
				t.Errorf("golden against rows (-rows +golden):\n%s", diff)
			}
		})
	}
}

type dated struct {
	date  schemas.Date
	value float64
	valid bool
}

func recompute(g *reportstest.Gold, user string) told {
	monday := reportstest.Monday()
	days := map[schemas.Date]reportstest.UserDay{}
	for _, d := range g.Days {
		if d.User == user {
			days[d.Date] = d
		}
	}
	var asleep, inBed, efficiency, deep, rem, mean, lowest, highest, steps, active []dated
	nights := map[schemas.Date]reportstest.SleepNight{}
	for _, n := range g.Nights {
		if n.User != user {
			continue
		}
		nights[n.Date] = n
		valid := days[n.Date].IsValidNight
		asleep = append(asleep, dated{n.Date, n.Asleep, valid})
		inBed = append(inBed, dated{n.Date, n.InBed, valid})
		efficiency = append(efficiency, dated{n.Date, n.Asleep / n.InBed * 100, valid})
		if n.Deep != nil {
			deep, rem = append(deep, dated{n.Date, *n.Deep, valid}), append(rem, dated{n.Date, *n.REM, valid})
		}
	}
	hearts := map[schemas.Date]reportstest.HeartRateDay{}
	for _, h := range g.Hearts {
		if h.User == user {
			hearts[h.Date] = h
			valid := days[h.Date].IsValidDay
			mean = append(mean, dated{h.Date, h.Mean, valid})
			lowest = append(lowest, dated{h.Date, float64(h.Min), valid})
			highest = append(highest, dated{h.Date, float64(h.Max), valid})
		}
	}
	moves := map[schemas.Date]reportstest.ActivityDay{}
	for _, a := range g.Steps {
		if a.User != user {
			continue
		}
		moves[a.Date] = a
		if w := days[a.Date].WornMin; w != nil && *w == 0 {
			continue
		}
		valid := days[a.Date].IsValidDay
		steps = append(steps, dated{a.Date, float64(a.Steps), valid})
		if a.Moderate != nil {
			active = append(active, dated{a.Date, float64(*a.Moderate + 2**a.Vigorous), valid})
		}
	}

	var want told
	want.Coverage.OfDays, want.Coverage.OfNights = 7, 7
	for i := range 7 {
		date := monday + schemas.Date(i)
		if days[date].IsValidDay {
			want.Coverage.ValidDays++
		}
		if days[date].IsValidNight {
			want.Coverage.ValidNights++
		}
		night := struct {
			Date   string   `json:"date"`
			Asleep *float64 `json:"total_sleep_time_min"`
			InBed  *float64 `json:"time_in_bed_min"`
		}{Date: date.String()}
		if n, ok := nights[date]; ok {
			night.Asleep, night.InBed = &n.Asleep, &n.InBed
		}
		want.Sleep.Nights = append(want.Sleep.Nights, night)
		heart := struct {
			Date string   `json:"date"`
			Min  *int     `json:"heart_rate_min_bpm"`
			Mean *float64 `json:"heart_rate_mean_bpm"`
			Max  *int     `json:"heart_rate_max_bpm"`
		}{Date: date.String()}
		if h, ok := hearts[date]; ok {
			heart.Min, heart.Mean, heart.Max = &h.Min, round6(h.Mean), &h.Max
		}
		want.Heart.Days = append(want.Heart.Days, heart)
		move := struct {
			Date  string `json:"date"`
			Steps *int64 `json:"step_count"`
		}{Date: date.String()}
		if a, ok := moves[date]; ok {
			move.Steps = &a.Steps
		}
		want.Movement.Days = append(want.Movement.Days, move)
	}

	want.Sleep.TotalSleepTime = meanOf(asleep, 3)
	want.Sleep.TimeInBed = meanOf(inBed, 3)
	want.Sleep.Efficiency = meanOf(efficiency, 3)
	want.Sleep.Deep = meanOf(deep, 3)
	want.Sleep.REM = meanOf(rem, 3)
	want.Heart.Mean = meanOf(mean, 4)
	want.Heart.Lowest = reduce(lowest, math.Min)
	want.Heart.Highest = reduce(highest, math.Max)
	want.Movement.Steps = meanOf(steps, 5)
	want.Movement.StepsTotal = reduce(steps, func(a, b float64) float64 { return a + b })
	want.Movement.ActiveTotal = reduce(active, func(a, b float64) float64 { return a + b })

	for _, series := range []struct {
		name   string
		values []dated
		needs  int
	}{{"total_sleep_time_min", asleep, 3}, {"heart_rate_mean_bpm", mean, 4}, {"step_count", steps, 5}} {
		want.Headline.Tiles = append(want.Headline.Tiles, struct {
			Name       string `json:"name"`
			Comparison struct {
				Status    string   `json:"status"`
				Change    *float64 `json:"change"`
				ChangePct *float64 `json:"change_pct"`
				History   *float64 `json:"history_mean"`
				Noise     *float64 `json:"history_mad"`
				N         int      `json:"history_n"`
			} `json:"comparison"`
		}{Name: series.name})
		c := &want.Headline.Tiles[len(want.Headline.Tiles)-1].Comparison
		now, before := split(series.values)
		c.N = len(before)
		c.Status = "not_comparable"
		if len(now) < max(series.needs, 4) || len(before) < 12 {
			continue
		}
		change, history, noise := average(now)-average(before), average(before), medianAbsoluteDeviation(before)
		c.Change, c.History, c.Noise, c.ChangePct = round6(change), round6(history), round6(noise), round6(100*change/history)
		switch {
		case math.Abs(change) <= noise || math.Abs(change/history) < 0.05:
			c.Status = "steady"
		case change > 0:
			c.Status = "up"
		default:
			c.Status = "down"
		}
	}

	// The best day: most active minutes where every valid day has them, else most steps; the first of equals.
	by, judged := steps, "step_count"
	nowSteps, _ := split(steps)
	if nowActive, _ := split(active); len(nowActive) == len(nowSteps) && len(nowActive) > 0 && slices.Max(nowActive) > 0 {
		by, judged = active, "moderate_equivalent_min"
	}
	if len(nowSteps) >= 3 {
		best := dated{value: 0}
		for _, v := range by {
			tie := v.value == best.value && best.date != 0 && moves[v.date].Steps > moves[best.date].Steps
			if v.valid && v.date >= monday && (v.value > best.value || tie) {
				best = v
			}
		}
		want.BestDay = &struct {
			Date     string `json:"date"`
			JudgedBy string `json:"judged_by"`
		}{best.date.String(), judged}
	}
	return want
}

// split returns the valid values of the week and of the three weeks before it.
func split(values []dated) (now, before []float64) {
	monday := reportstest.Monday()
	for _, v := range values {
		switch {
		case !v.valid || v.date < monday-21 || v.date > monday+6:
		case v.date >= monday:
			now = append(now, v.value)
		default:
			before = append(before, v.value)
		}
	}
	return now, before
}

func meanOf(values []dated, needs int) toldFigure {
	now, _ := split(values)
	f := toldFigure{N: len(now), Of: 7}
	if len(now) >= needs {
		f.Value = round6(average(now))
	}
	return f
}

// reduce runs over all days of the week that were measured, valid or not.
func reduce(values []dated, with func(a, b float64) float64) toldFigure {
	f := toldFigure{Of: 7}
	for _, v := range values {
		if v.date < reportstest.Monday() || v.date > reportstest.Monday()+6 {
			continue
		}
		f.N++
		if f.Value == nil {
			f.Value = round6(v.value)
		} else {
			f.Value = round6(with(*f.Value, v.value))
		}
	}
	return f
}

func average(values []float64) float64 {
	var total float64
	for _, v := range values {
		total += v
	}
	return total / float64(len(values))
}

func medianAbsoluteDeviation(values []float64) float64 {
	middle := medianOf(values)
	var away []float64
	for _, v := range values {
		away = append(away, math.Abs(v-middle))
	}
	return medianOf(away)
}

func medianOf(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func round6(v float64) *float64 {
	r := math.Round(v*1e6) / 1e6
	return &r
}
