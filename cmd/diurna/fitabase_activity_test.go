package main_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// fitabaseCadence holds the minutes of each class of cadence and the peak of every day against the export's minutes.
func fitabaseCadence(t *testing.T, dir, home string) {
	t.Helper()
	days := map[[2]string][]int{}
	for _, row := range table(t, dir, "minuteStepsWide_merged.csv.gz") {
		key := [2]string{row["Id"], wall(t, row["ActivityHour"]).Format(time.DateOnly)}
		for column, value := range row {
			if strings.HasPrefix(column, "Steps") && value != "" {
				days[key] = append(days[key], atoi(t, value))
			}
		}
	}
	type cadence struct {
		light, moderate, vigorous, highest int
		peak                               string
	}
	got := map[[2]string]cadence{}
	for _, row := range query(t, home, `select user_id, local_date, cadence_light_min, cadence_moderate_min, cadence_vigorous_min,
		peak_1_cadence_per_min, cast(round(peak_30_cadence_per_min, 3) as varchar) from activity_days`) {
		got[[2]string{row[0], row[1]}] = cadence{atoi(t, row[2]), atoi(t, row[3]), atoi(t, row[4]), atoi(t, row[5]), row[6]}
	}
	wrong, moderate := 0, 0
	for key, minutes := range days {
		var want cadence
		for _, steps := range minutes {
			switch {
			case steps >= 130:
				want.vigorous++
			case steps >= 100:
				want.moderate++
			case steps > 0:
				want.light++
			}
		}
		slices.Sort(minutes)
		want.highest = minutes[len(minutes)-1]
		sum := 0
		for _, steps := range minutes[len(minutes)-30:] {
			sum += steps
		}
		peak := strconv.FormatFloat(math.Round(float64(sum)/30*1000)/1000, 'f', -1, 64)
		if !strings.Contains(peak, ".") {
			peak += ".0"
		}
		want.peak = peak
		moderate += want.moderate
		if got[key] != want {
			wrong++
		}
	}
	if len(days) < 600 || moderate == 0 || wrong > 0 {
		t.Errorf("%d of %d person-days differ", wrong, len(days))
	}
}

// fitabaseHours holds the steps of activity_hours against the export's own hours.
func fitabaseHours(t *testing.T, dir, home string) {
	t.Helper()
	got := map[string]int{}
	for _, row := range query(t, home, "select user_id, local_date, local_hour, step_count from activity_hours where step_count is not null") {
		got[fmt.Sprintf("%s %s %02d", row[0], row[1], atoi(t, row[2]))] = atoi(t, row[3])
	}
	both, wrong := 0, 0
	for _, row := range table(t, dir, "hourlySteps_merged.csv.gz") {
		sum, ok := got[row["Id"]+" "+wall(t, row["ActivityHour"]).Format("2006-01-02 15")]
		if !ok {
			continue // the minutes do not have it
		}
		both++
		if sum != atoi(t, row["StepTotal"]) {
			wrong++
		}
	}
	if both != 15_307 || wrong > 0 {
		t.Errorf("%d of %d hours differ, want none of 15,307", wrong, both)
	}
}

// fitabaseBody holds every day's weight and fat against the export's log.
func fitabaseBody(t *testing.T, dir, home string) {
	t.Helper()
	type body struct{ weight, fat string }
	grams := map[[2]string][]float64{}
	want := map[[2]string]body{}
	for _, row := range table(t, dir, "weightLogInfo_merged.csv.gz") {
		key := [2]string{row["Id"], wall(t, row["Date"]).Format(time.DateOnly)}
		kg, err := strconv.ParseFloat(row["WeightKg"], 64)
		if err != nil {
			t.Fatal(err)
		}
		grams[key] = append(grams[key], math.Round(kg*1000))
		b := want[key]
		if row["Fat"] != "" {
			b.fat = row["Fat"] + ".0"
		}
		want[key] = b
	}
	for key, all := range grams {
		slices.Sort(all)
		b := want[key]
		b.weight = strconv.FormatFloat((all[(len(all)-1)/2]+all[len(all)/2])/2000, 'f', 3, 64)
		want[key] = b
	}
	got := map[[2]string]body{}
	for _, row := range query(t, home, `select user_id, local_date, printf('%.3f', body_weight_kg), cast(body_fat_pct as varchar), trend_day_count, body_weight_trend_kg
		from body_days`) {
		got[[2]string{row[0], row[1]}] = body{row[2], row[3]}
		if atoi(t, row[4]) < 1 || row[5] == "" {
			t.Error("a day with a weight has no trend")
		}
	}
	wrong := 0
	for key, b := range want {
		if got[key] != b {
			wrong++
		}
	}
	if len(want) < 30 || len(got) != len(want) || wrong > 0 {
		t.Errorf("%d of %d person-days differ, %d were built", wrong, len(want), len(got))
	}
}
