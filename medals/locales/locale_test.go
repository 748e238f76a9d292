package locales_test

import (
	"testing"

	"github.com/diurna-health/diurna/internal/messages/messagestest"
	"github.com/diurna-health/diurna/medals/locales"
)

func TestPeriodsAreNamedAsPeopleNameThem(t *testing.T) {
	locale := english(t)
	for id, want := range map[string]string{
		"2016-04-18": "18 April 2016", "2026-W53": "week 53 of 2026", "2016-W01": "week 1 of 2016", "2028-02": "February 2028", "2016": "2016",
	} {
		if got, err := locale.Period(id); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", id, got, err, want)
		}
	}
	if got, err := locale.Period("soon"); err == nil {
		t.Errorf("%q is a period", got)
	}
}

func TestEveryMessageIsUsed(t *testing.T) {
	source := messagestest.Sources(t, "../*.go", "../page/*.go", "*.go")
	for _, id := range english(t).Messages() {
		if !messagestest.IsSaid(source, id) {
			t.Errorf("message %s is never said", id)
		}
	}
}

func TestFormsFollowTheCountAndDecimalsAreNotRoundedUp(t *testing.T) {
	locale := english(t)
	for count, want := range map[int]string{1: "1 full night", 7: "7 full nights"} {
		if got, err := locale.Say("medal.full_night.level", locales.Args{"Level": locale.Integer(float64(count)), "Count": count}); err != nil || got != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	if got := locale.Integer(9_999.9); got != "9,999" {
		t.Errorf("9,999.9 is written %s", got)
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
