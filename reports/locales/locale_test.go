package locales_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/diurna-health/diurna/internal/messages/messagestest"
	"github.com/diurna-health/diurna/reports/locales"
	"github.com/diurna-health/diurna/schemas"
)

func TestEveryLanguageLoads(t *testing.T) {
	languages, err := locales.Languages()
	if err != nil || len(languages) == 0 {
		t.Fatalf("languages %v, %v; want at least one", languages, err)
	}
	for _, tag := range languages {
		if _, err := locales.Load(tag); err != nil {
			t.Error(err)
		}
	}
}

func TestEveryMessageIsUsed(t *testing.T) {
	source := messagestest.Sources(t, "../render/*.go", "../deliver/*.go", "*.go")
	for _, id := range english(t).Messages() {
		// A message for a month or a year, or for figures of sleep, stands beside the plain one and is said in its place.
		plain := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(id, ".month"), ".year"), "_sleep")
		if !messagestest.IsSaid(source, id) && !messagestest.IsSaid(source, plain) {
			t.Errorf("message %s is never said", id)
		}
	}
}

func TestEveryMessageSaidIsThere(t *testing.T) {
	locale := english(t)
	said := regexp.MustCompile(`\b(?:say|Say)\("([a-z0-9_.]+[a-z0-9_])"`).FindAllStringSubmatch(messagestest.Sources(t, "../render/*.go", "*.go"), -1)
	if len(said) < 50 {
		t.Fatalf("only %d sayings found: the test looks in the wrong place", len(said))
	}
	for _, m := range said {
		isOfKinds := locale.Has(m[1]+".month") && locale.Has(m[1]+".year")
		if !locale.Has(m[1]) && !isOfKinds {
			t.Errorf("message %s is said but not there", m[1])
		}
	}
}

func TestPluralFormsFollowTheCount(t *testing.T) {
	locale := english(t)
	for count, want := range map[int]string{0: "over 0 days", 1: "over 1 day", 2: "over 2 days", 11: "over 11 days"} {
		got, err := locale.Say("n_of.total", locales.Args{"Count": count})
		if err != nil || got != want {
			t.Errorf("%d: %q, %v; want %q", count, got, err, want)
		}
	}
}

func TestDurationsAreWrittenAsPeopleSayThem(t *testing.T) {
	locale := english(t)
	for _, c := range []struct {
		minutes     float64
		long, short string
	}{
		{0, "0 min", "0:00"}, {0.4, "0 min", "0:00"}, {48, "48 min", "0:48"}, {59.5, "1 h", "1:00"}, {60, "1 h", "1:00"},
		{65, "1 h 05", "1:05"}, {432.49, "7 h 12", "7:12"}, {432.5, "7 h 13", "7:13"}, {1440, "24 h", "24:00"},
	} {
		long, err := locale.Duration(c.minutes)
		if err != nil || long != c.long {
			t.Errorf("%v min: %q, %v; want %q", c.minutes, long, err, c.long)
		}
		short, err := locale.ShortDuration(c.minutes)
		if err != nil || short != c.short {
			t.Errorf("%v min, short: %q, %v; want %q", c.minutes, short, err, c.short)
		}
	}
}

func TestNumbersRoundHalfUpAndAreGrouped(t *testing.T) {
	locale := english(t)
	for v, want := range map[float64]string{0: "0", 0.5: "1", 2.5: "3", 999.49: "999", 12431: "12,431", 1234567.2: "1,234,567"} {
		if got := locale.Integer(v); got != want {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
	if got := locale.Percent(91.5); got != "92%" {
		t.Errorf("91.5 %%: %q, want 92%%", got)
	}
}

func TestDatesAndRanges(t *testing.T) {
	locale := english(t)
	for _, c := range []struct {
		first, last schemas.Date
		want        string
	}{
		{schemas.NewDate(2016, time.April, 18), schemas.NewDate(2016, time.April, 24), "Monday 18 – Sunday 24 April 2016"},
		{schemas.NewDate(2016, time.April, 25), schemas.NewDate(2016, time.May, 1), "Monday 25 April – Sunday 1 May 2016"},
		{schemas.NewDate(2024, time.December, 30), schemas.NewDate(2025, time.January, 5), "Monday 30 December 2024 – Sunday 5 January 2025"},
	} {
		if got, err := locale.DateRange(c.first, c.last); err != nil || got != c.want {
			t.Errorf("%q, %v; want %q", got, err, c.want)
		}
	}
	at := time.Date(2016, time.April, 25, 9, 5, 0, 0, time.FixedZone("", -(3*3600+30*60)))
	if got, err := locale.Instant(at); err != nil || got != "25 April 2016, 09:05 (UTC-03:30)" {
		t.Errorf("%q, %v", got, err)
	}
}

func english(t *testing.T) *locales.Locale {
	t.Helper()
	locale, err := locales.Load(locales.Fallback)
	if err != nil {
		t.Fatal(err)
	}
	return locale
}
