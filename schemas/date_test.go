package schemas

import (
	"testing"
	"time"
)

func TestDateCountsDaysFromTheEpoch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want Date
		day  time.Weekday
	}{
		{"1970-01-01", 0, time.Thursday},
		{"1969-12-31", -1, time.Wednesday},
		{"2016-02-29", 16860, time.Monday},
		{"0001-01-01", MinDate, time.Monday},
		{"9999-12-31", MaxDate, time.Friday},
	} {
		got, err := ParseDate(c.text)
		if err != nil {
			t.Fatalf("ParseDate(%s): %v", c.text, err)
		}
		if got != c.want || got.String() != c.text || got.Weekday() != c.day {
			t.Errorf("%s is day %d, %s, %s; want day %d, %s", c.text, got, got, got.Weekday(), c.want, c.day)
		}
		if again := NewDate(got.Civil()); again != got {
			t.Errorf("NewDate(Civil(%s)) = %s", got, again)
		}
	}
}

func TestParseDateRefusesWhatIsNoDayOfTheCalendar(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "2016-02-30", "2015-02-29", "2016-2-3", "16-02-03", "2016-02-03T00:00", "0000-01-01"} {
		if d, err := ParseDate(text); err == nil {
			t.Errorf("ParseDate(%q) = %s, want an error", text, d)
		}
	}
}

func TestDateOfFollowsTheClockOnTheWall(t *testing.T) {
	t.Parallel()
	at := time.Date(2016, 4, 12, 18, 45, 0, 0, time.UTC).UnixMilli()
	for _, c := range []struct {
		offsetMin int32
		want      string
	}{
		{0, "2016-04-12"},
		{5*60 + 30, "2016-04-13"}, // 00:15 in Delhi
		{5 * 60, "2016-04-12"},    // 23:45
		{-12 * 60, "2016-04-12"},
		{-19 * 60, "2016-04-11"},
	} {
		if got := DateOf(at, c.offsetMin).String(); got != c.want {
			t.Errorf("DateOf at %+d min = %s, want %s", c.offsetMin, got, c.want)
		}
	}
	if got := DateOf(-1, 0); got != -1 {
		t.Errorf("the last millisecond of 1969 is day %d, want -1", got)
	}
}
