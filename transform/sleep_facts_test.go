package transform_test

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// actigraph reads a day of wrist recordings, second by second, as the minutes of a watch: mean heart rate and steps.
func actigraph(t *testing.T, user, path string) piece {
	t.Helper()
	f, err := os.Open(path)
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
	type minute struct {
		beats, seconds, steps float64
	}
	minutes := map[int64]*minute{}
	for _, row := range rows[1:] {
		at, err := time.Parse(time.DateTime, row[1])
		if err != nil {
			t.Fatal(err)
		}
		m := minutes[at.Unix()/60]
		if m == nil {
			m = &minute{}
			minutes[at.Unix()/60] = m
		}
		if bpm, err := strconv.ParseFloat(row[2], 64); err == nil && bpm >= 25 && bpm <= 250 {
			m.beats, m.seconds = m.beats+bpm, m.seconds+1
		}
		steps, err := strconv.ParseFloat(row[3], 64)
		if err != nil {
			t.Fatal(err)
		}
		m.steps += steps
	}
	first, err := time.Parse(time.DateTime, rows[1][1])
	if err != nil {
		t.Fatal(err)
	}
	var p piece
	for hour := first.Unix() / 3600; hour <= first.Unix()/3600+24; hour++ {
		day := int32(hour / 24)
		hearts := hours(user, "watch", schemas.HeartRate, day, int(hour%24), 60_000)
		steps := hours(user, "watch", schemas.Steps, day, int(hour%24), 60_000)
		hearts.OffsetsMS, steps.OffsetsMS = nil, nil
		for i := range int64(60) {
			m := minutes[hour*60+i]
			if m == nil {
				continue
			}
			steps.OffsetsMS, steps.Values = append(steps.OffsetsMS, int32(i)*60_000), append(steps.Values, int32(m.steps))
			if m.seconds > 0 {
				hearts.OffsetsMS = append(hearts.OffsetsMS, int32(i)*60_000)
				hearts.Values = append(hearts.Values, int32(m.beats/m.seconds+0.5))
			}
		}
		for _, h := range []schemas.SeriesHour{hearts, steps} {
			if len(h.Values) > 0 {
				p.hours = append(p.hours, h)
			}
		}
	}
	return p
}

// TestTheNightsOfRealPeopleAreFound looks for the nights of five men who wore an actigraph and a chest belt for 24 hours.
// Nobody wrote down when they slept; that it was at night, and that the heart was slower then, is what can be held.
func TestTheNightsOfRealPeopleAreFound(t *testing.T) {
	t.Parallel()
	root := os.Getenv("DIURNA_TESTDATA")
	if root == "" {
		t.Skip("DIURNA_TESTDATA is not set: rest is not looked for in real recordings")
	}
	w := newWorld(t)
	w.project = sleepProject(t)
	pieces := map[string]piece{}
	for n := 1; n <= 5; n++ {
		user := fmt.Sprint("man-", n)
		pieces[user] = actigraph(t, user, filepath.Join(root, "mmash-rr-actigraph", fmt.Sprint("subject_", n), "actigraph.csv.gz"))
	}
	w.put(pieces)
	w.build(false)
	got := w.ask(`select w.user_id, extract(hour from w.started_at) in (22, 23, 0, 1, 2, 3), extract(hour from w.ended_at) in (3, 4, 5, 6, 7, 8, 9),
			w.duration_min >= 150, w.basis
		from sleep_windows as w where w.length_rank = 1 and extract(hour from w.ended_at) < 12 order by w.user_id`)
	var want []string
	for n := 1; n <= 5; n++ {
		want = append(want, fmt.Sprintf("man-%d", n)+strings.Repeat("\ttrue", 3)+"\tsteps")
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("found are\n%s\nwant one night of each by steps and heart rate", strings.Join(got, "\n"))
	}
	for _, line := range w.ask(`select 'a night is staged without motion' from sleep_nights where light_min is not null
		union all select 'a night of rest alone has a latency' from sleep_nights where sleep_onset_latency_min is not null`) {
		t.Error(line)
	}
}
