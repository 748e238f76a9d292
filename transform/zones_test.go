package transform_test

import (
	"fmt"
	"testing"
	"time"
	_ "time/tzdata" // the tests must not depend on the machine's zones

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform"
)

// hoursOf makes the rows that ingest and merge make of a step and a heart beat a minute: cut at hours, dates and offsets.
func hoursOf(user string, first, end time.Time, offsetAt func(time.Time) int32) []schemas.SeriesHour {
	var rows []schemas.SeriesHour
	for _, metric := range []string{schemas.Steps, schemas.HeartRate} {
		from := len(rows)
		for at := first; at.Before(end); at = at.Add(time.Minute) {
			offset := offsetAt(at)
			hour, date := at.Truncate(time.Hour), int32(schemas.DateOf(at.UnixMilli(), offset))
			last := len(rows) - 1
			if last < from || rows[last].HourAt != hour.UnixMicro() || rows[last].LocalDate != date || rows[last].UTCOffsetMin != offset {
				rows = append(rows, schemas.SeriesHour{
					UserID: user, Metric: metric, DeviceID: "watch", HourAt: hour.UnixMicro(), LocalDate: date, LocalMonth: 201604,
					UTCOffsetMin: offset, PeriodMS: 60_000, Source: "native", OffsetsMS: []int32{int32(at.Sub(hour).Milliseconds())},
				})
				last++
			}
			rows[last].Values = append(rows[last].Values, 60)
		}
		for i := range rows {
			rows[i].Revisions = []schemas.RevisionRun{{Count: int32(len(rows[i].Values)), Seq: 1, BrokerAt: 5, Offset: 9}}
		}
	}
	return rows
}

// Days over changes of clocks and travel go through the models whole: as many minutes as the clock on the wall has.
func TestDaysOfEveryLengthGoThroughTheModels(t *testing.T) {
	t.Parallel()
	zone := func(name string) func(time.Time) int32 {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return func(at time.Time) int32 {
			_, s := at.In(loc).Zone()
			return int32(s / 60)
		}
	}
	travel := func(at string, from, to int32) func(time.Time) int32 {
		jump, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		return func(at time.Time) int32 {
			if at.Before(jump) {
				return from
			}
			return to
		}
	}
	cases := []struct {
		user, date string
		offsetAt   func(time.Time) int32
		minutes    int // of the date, 0 = it never comes
	}{
		{"berlin-spring", "2024-03-31", zone("Europe/Berlin"), 23 * 60},
		{"berlin-autumn", "2024-10-27", zone("Europe/Berlin"), 25 * 60},
		{"new-york", "2024-11-03", zone("America/New_York"), 25 * 60},
		{"lord-howe-spring", "2024-10-06", zone("Australia/Lord_Howe"), 23*60 + 30},
		{"lord-howe-autumn", "2024-04-07", zone("Australia/Lord_Howe"), 24*60 + 30},
		{"kathmandu", "2024-03-31", zone("Asia/Kathmandu"), 24 * 60},
		{"cairo", "2023-04-28", zone("Africa/Cairo"), 23 * 60},
		{"beirut", "2023-03-26", zone("Asia/Beirut"), 23 * 60},
		{"over-the-date-line-west", "2025-06-01", travel("2025-06-01T10:00:00Z", 840, -720), 48 * 60},
		{"over-the-date-line-east", "2025-06-02", travel("2025-06-02T11:00:00Z", -660, 780), 0},
		{"to-honolulu", "2025-06-01", travel("2025-06-01T13:00:00Z", 540, -600), 43 * 60},
	}
	w := newWorld(t, append(spine(), "clock_days")...)
	sync := map[string]piece{}
	want := map[string]map[string]int{}
	for _, c := range cases {
		day, err := schemas.ParseDate(c.date)
		if err != nil {
			t.Fatal(err)
		}
		noon := time.Unix(int64(day)*86_400+43_200, 0).UTC()
		// From a midnight on the person's clock to one two days later: every date but none in part.
		first := noon.Add(-36*time.Hour - time.Duration(c.offsetAt(noon.Add(-36*time.Hour)))*time.Minute)
		end := noon.Add(60*time.Hour - time.Duration(c.offsetAt(noon.Add(60*time.Hour)))*time.Minute)
		sync[c.user] = piece{hours: hoursOf(c.user, first, end, c.offsetAt)}
		want[c.user] = map[string]int{}
		for at := first; at.Before(end); at = at.Add(time.Minute) {
			want[c.user][at.In(time.FixedZone("", 60*int(c.offsetAt(at)))).Format(time.DateOnly)]++
		}
		if got := want[c.user][c.date]; got != c.minutes {
			t.Errorf("%s: %s has %d minutes, want %d", c.user, c.date, got, c.minutes)
		}
	}
	w.put(sync)
	w.build(false)

	r, err := transform.OpenReader(t.Context(), w.lake, w.project, testConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	rows, err := r.DB.QueryContext(t.Context(), `
		select a.user_id, cast(a.local_date as varchar), a.observed_min, a.step_count, h.measured_min, u.worn_min, u.is_valid_day
		from activity_days as a
		join heart_rate_days as h on a.user_id = h.user_id and a.local_date = h.local_date
		join user_days as u on a.user_id = u.user_id and a.local_date = u.local_date`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := map[string]map[string]int{}
	for rows.Next() {
		var user, date string
		var observed, steps, measured, worn int
		var valid bool
		if err := rows.Scan(&user, &date, &observed, &steps, &measured, &worn, &valid); err != nil {
			t.Fatal(err)
		}
		if steps != 60*observed || measured != observed || worn != observed || !valid {
			t.Errorf("%s on %s: %d minutes have %d steps, %d of heart rate and %d worn, valid is %v", user, date, observed, steps, measured, worn, valid)
		}
		if got[user] == nil {
			got[user] = map[string]int{}
		}
		got[user][date] = observed
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("minutes by date (-clock on the wall +models):\n%s", diff)
	}
	travelled := map[string]int{} // by how much the clock moved: how many dates
	for _, c := range cases {
		var moved int
		if err := r.DB.QueryRowContext(t.Context(), `select max(utc_offset_range_min) filter (where is_travel_day = (utc_offset_range_min >= 180))
			from clock_days where user_id = ?`, c.user).Scan(&moved); err != nil {
			t.Fatal(err)
		}
		travelled[c.user] = moved
	}
	// A clock that moves at midnight moves between two dates and on neither.
	if diff := cmp.Diff(map[string]int{
		"berlin-spring": 60, "berlin-autumn": 60, "new-york": 60, "lord-howe-spring": 30, "lord-howe-autumn": 30, "kathmandu": 0,
		"cairo": 0, "beirut": 0, "over-the-date-line-west": 1560, "over-the-date-line-east": 0, "to-honolulu": 1140,
	}, travelled); diff != "" {
		t.Errorf("minutes by which clocks moved within a date (-want +got):\n%s", diff)
	}
	var skipped string
	if err := r.DB.QueryRowContext(t.Context(), `select concat_ws(' ', has_steps, has_heart_rate, worn_min is null, is_valid_day)
		from user_days where user_id = 'over-the-date-line-east' and local_date = date '2025-06-02'`).Scan(&skipped); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprint(false, false, true, false); skipped != want {
		t.Errorf("the date that never came has evidence: %s", skipped)
	}
}
