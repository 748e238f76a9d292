package schemas

import (
	"errors"
	"strings"
	"testing"
)

func TestPeriodsHaveTheDatesOfTheCalendar(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, first, last, previous, next string
		kind                              PeriodKind
	}{
		{"2016-W16", "2016-04-18", "2016-04-24", "2016-W15", "2016-W17", PeriodWeek},
		{"2015-W53", "2015-12-28", "2016-01-03", "2015-W52", "2016-W01", PeriodWeek},
		{"2016-W01", "2016-01-04", "2016-01-10", "2015-W53", "2016-W02", PeriodWeek},
		{"2020-W53", "2020-12-28", "2021-01-03", "2020-W52", "2021-W01", PeriodWeek},
		{"2025-W01", "2024-12-30", "2025-01-05", "2024-W52", "2025-W02", PeriodWeek},
		{"2016-02", "2016-02-01", "2016-02-29", "2016-01", "2016-03", PeriodMonth},
		{"2015-12", "2015-12-01", "2015-12-31", "2015-11", "2016-01", PeriodMonth},
		{"1900-02", "1900-02-01", "1900-02-28", "1900-01", "1900-03", PeriodMonth},
		{"2016", "2016-01-01", "2016-12-31", "2015", "2017", PeriodYear},
	} {
		p, err := ParsePeriod(c.text)
		if err != nil {
			t.Fatalf("ParsePeriod(%s): %v", c.text, err)
		}
		first, last := p.Dates()
		if first.String() != c.first || last.String() != c.last {
			t.Errorf("%s runs from %s to %s, want %s to %s", c.text, first, last, c.first, c.last)
		}
		if p.Kind() != c.kind || p.String() != c.text {
			t.Errorf("%s reads back as %s %s", c.text, p.Kind(), p)
		}
		if p.Previous().String() != c.previous || p.Next().String() != c.next {
			t.Errorf("%s lies between %s and %s, want %s and %s", c.text, p.Previous(), p.Next(), c.previous, c.next)
		}
	}
}

func TestParsePeriodSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"":          "is not a period",
		"2016-W1":   "is not a period",
		"2016-w16":  "is not a period",
		"2016-4":    "is not a period",
		"2016-04-1": "is not a period",
		"2016-":     "is not a period",
		"+016":      "is not a period",
		"0000":      "is not a period",
		"week 16":   "is not a period",
		"2016-W53":  "2016 has no week 53: its weeks are 2016-W01 to 2016-W52",
		"2016-W00":  "2016 has no week 0",
		"2016-13":   "a year has no month 13",
		"2016-00":   "a year has no month 0",
	} {
		p, err := ParsePeriod(text)
		var e *Error
		if !errors.As(err, &e) || e.Code != CodeInvalid {
			t.Errorf("ParsePeriod(%q) = %v, %v; want an invalid error", text, p, err)
			continue
		}
		if !strings.Contains(err.Error(), says) {
			t.Errorf("ParsePeriod(%q) says %q, want %q in it", text, err, says)
		}
	}
}

// FuzzPeriod holds the windows of each kind to the calendar: every date lies in exactly one, and its neighbours join on
// without gap or overlap.
func FuzzPeriod(f *testing.F) {
	for _, text := range []string{"2016-04-12", "2015-12-31", "2016-01-01", "2000-02-29", "0002-01-01", "9998-12-31"} {
		d, err := ParseDate(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(int32(d))
	}
	f.Fuzz(func(t *testing.T, day int32) {
		d := Date(day)
		if d < MinDate+400 || d > MaxDate-400 {
			return
		}
		for _, p := range []Period{ISOWeekOf(d), MonthOf(d), YearOf(d)} {
			first, last := p.Dates()
			if d < first || d > last || !p.Contains(d) {
				t.Fatalf("%s holds %s to %s, not %s", p, first, last, d)
			}
			_, before := p.Previous().Dates()
			after, _ := p.Next().Dates()
			if before != first-1 || after != last+1 {
				t.Fatalf("%s holds %s to %s, the one before ends %s, the one after starts %s", p, first, last, before, after)
			}
			if p.Next().Previous() != p || p.Previous().Next() != p {
				t.Fatalf("%s: next and previous do not undo each other", p)
			}
			if again, err := ParsePeriod(p.String()); err != nil || again != p {
				t.Fatalf("ParsePeriod(%s) = %v, %v", p, again, err)
			}
		}
	})
}
