package transform_test

import (
	"compress/gzip"
	"database/sql"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/diurna-health/diurna/transform/transformtest"
)

// A vitalNight is what a watch told of somebody's night.
type vitalNight struct {
	user         string
	date         time.Time
	skin, breath *float64
}

// lifesnapsNights reads the nights of everybody of the LifeSnaps study.
func lifesnapsNights(t *testing.T) []vitalNight {
	t.Helper()
	data := os.Getenv("DIURNA_TESTDATA")
	if data == "" {
		t.Skip("DIURNA_TESTDATA is not set: the nights of real people are not checked")
	}
	f, err := os.Open(filepath.Join(data, "lifesnaps-fitbit", "daily_fitbit_sema_df_unprocessed.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := func(name string) int { return slices.Index(rows[0], name) }
	number := func(s string) *float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil
		}
		return &v
	}
	seen := map[[2]string]bool{}
	var nights []vitalNight
	for _, row := range rows[1:] {
		key := [2]string{row[column("id")], row[column("date")]}
		date, err := time.Parse(time.DateOnly, key[1])
		if err != nil {
			t.Fatal("a date of the study is no date")
		}
		n := vitalNight{user: key[0], date: date, skin: number(row[column("nightly_temperature")]), breath: number(row[column("full_sleep_breathing_rate")])}
		if !seen[key] && (n.skin != nil || n.breath != nil) {
			nights = append(nights, n)
		}
		seen[key] = true
	}
	return nights
}

func TestDeviationsOfRealNightsAreThoseOfTheDefinition(t *testing.T) {
	t.Parallel()
	nights := lifesnapsNights(t)
	_, conn := transformtest.OpenDuckDB(t)
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := conn.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	p := loadProject(t)
	if err := p.Define(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	byUser := map[string][]vitalNight{}
	exec("begin")
	for _, n := range nights {
		source := sql.NullString{String: "summary", Valid: n.breath != nil}
		exec(`insert into vitals_nights by name select ? as user_id, cast(? as date) as night_date, cast(? as double) as skin_temperature_mean_c,
			cast(? as double) as respiratory_rate_per_min, ? as respiratory_rate_source`, n.user, n.date.Format(time.DateOnly), n.skin, n.breath, source)
		byUser[n.user] = append(byUser[n.user], n)
	}
	exec("commit")
	exec("insert into dirty_days select user_id, night_date from vitals_nights")
	rows, err := conn.QueryContext(t.Context(), "select user_id, night_date, skin_temperature_baseline_nights, skin_temperature_deviation_c, skin_temperature_z,"+
		" respiratory_rate_baseline_nights, respiratory_rate_deviation_per_min from (\n"+p.Model("vitals_deviations").SQL+"\n)")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	type deviation struct {
		skinNights, breathNights sql.NullInt64
		skin, z, breath          sql.NullFloat64
	}
	got := map[string]deviation{}
	for rows.Next() {
		var user string
		var date time.Time
		var d deviation
		if err := rows.Scan(&user, &date, &d.skinNights, &d.skin, &d.z, &d.breathNights, &d.breath); err != nil {
			t.Fatal(err)
		}
		got[user+date.Format(time.DateOnly)] = d
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}

	same := func(got sql.NullFloat64, want float64) bool {
		return got.Valid && math.Abs(got.Float64-want) < 2e-3*(1+math.Abs(want))
	}
	skins, breaths, wrong := 0, 0, 0
	for user, all := range byUser {
		for _, n := range all {
			var skin, breath []float64
			for _, o := range all {
				age := int(n.date.Sub(o.date).Hours() / 24)
				if o.skin != nil && age >= 1 && age <= 30 {
					skin = append(skin, *o.skin)
				}
				if o.breath != nil && age >= 1 && age <= 28 {
					breath = append(breath, *o.breath)
				}
			}
			d := got[user+n.date.Format(time.DateOnly)]
			if n.skin != nil && len(skin) >= 5 {
				skins++
				mean, squares := 0.0, 0.0
				for _, v := range skin {
					mean += v / float64(len(skin))
				}
				for _, v := range skin {
					squares += (v - mean) * (v - mean)
				}
				sd := math.Sqrt(squares / float64(len(skin)-1))
				if int(d.skinNights.Int64) != len(skin) || !same(d.skin, *n.skin-mean) || sd > 0.1 && math.Abs(d.z.Float64-(*n.skin-mean)/sd) > 0.02*(1+math.Abs(d.z.Float64)) {
					wrong++
				}
			} else if d.skin.Valid {
				wrong++
			}
			if n.breath != nil && len(breath) >= 5 {
				breaths++
				slices.Sort(breath)
				median := (breath[(len(breath)-1)/2] + breath[len(breath)/2]) / 2
				if int(d.breathNights.Int64) != len(breath) || !same(d.breath, *n.breath-median) {
					wrong++
				}
			} else if d.breath.Valid {
				wrong++
			}
		}
	}
	t.Logf("%d people, %d nights against a skin temperature, %d against a breath", len(byUser), skins, breaths)
	if len(byUser) < 40 || skins < 1000 || breaths < 1000 {
		t.Errorf("%d people with %d and %d nights are too few to prove anything", len(byUser), skins, breaths)
	}
	if wrong > 0 {
		t.Errorf("%d figures differ from the definition", wrong)
	}
}
