package medals_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/medals"
	"github.com/diurna-health/diurna/schemas"
)

// someone is a person with a little of everything: five weeks, a journey, a day without the watch.
func someone(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	golds := times(35, gold{steps: 7_400, active: 24, asleep: 428, worn: 1_260, offset: 60})
	for i := range golds {
		golds[i].steps += int64(300 * (i % 9))
		golds[i].asleep -= float64(3 * (i % 5))
	}
	golds[4] = gold{steps: 2_000, worn: 800, offset: 60, shift: 360}
	golds[11] = gold{}
	golds[20].steps = 16_123
	w.now = time.Date(2026, time.April, 20, 8, 0, 0, 0, time.UTC)
	w.put(walk("someone", date("2026-03-02"), golds...)...)
	w.evaluate()
	return w
}

func TestTheWallReadsAsItShould(t *testing.T) {
	var text, data bytes.Buffer
	if err := medals.WriteText(&text, someone(t).wall("someone"), "en"); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.put(walk("newcomer", date("2026-03-02"), times(3, gold{steps: 7_400, active: 24, asleep: 428, worn: 1_260})...)...)
	w.evaluate()
	wall := w.wall("newcomer")
	if err := medals.WriteJSON(&data, wall); err != nil {
		t.Fatal(err)
	}
	for path, got := range map[string]string{"testdata/wall.golden.txt": text.String(), "testdata/wall.golden.json": data.String()} {
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(readFile(t, path), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	var back medals.Wall
	if err := json.Unmarshal(data.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*wall, back); diff != "" {
		t.Errorf("the JSON does not hold the wall (-wall +read back):\n%s", diff)
	}
}

func TestAWallOfNobodyIsNotFoundAndDoesNotRepeatTheID(t *testing.T) {
	w := someone(t)
	_, err := medals.ReadWall(t.Context(), w.db, w.ledger, "canary-4711", "en")
	if schemas.ErrorCode(err) != schemas.CodeNotFound || strings.Contains(err.Error(), "4711") {
		t.Errorf("got %v", err)
	}
}

func TestAWallWithoutMedalsSaysSo(t *testing.T) {
	w := newWorld(t)
	w.put(walk("u", date("2026-03-01"), gold{steps: 100})...)
	w.evaluate()
	var text strings.Builder
	if err := medals.WriteText(&text, w.wall("u"), "en"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "None yet.") || !strings.Contains(text.String(), "no forecast before 14 days of records") {
		t.Error(text.String())
	}
}

func TestARevokedMedalIsNotOnTheWall(t *testing.T) {
	w := someone(t)
	w.erase("someone", date("2026-03-22"))
	w.evaluate()
	if got := w.earned("someone", "daily_stride"); slices.ContainsFunc(got, func(line string) bool { return strings.HasPrefix(line, "15000") }) {
		t.Errorf("still there: %v", got)
	}
}

func TestForecastsPromiseNothingThatTheDaysDoNotShow(t *testing.T) {
	days := func(n int) *int { return &n }
	steps := gold{steps: 9_000}
	for name, c := range map[string]struct {
		first string
		golds []gold
		medal string
		next  int64
		want  medals.Forecast
	}{
		// 40 x 9,000 = 360,000: 140,000 are missing, at 9,000 a day.
		"at the person's pace": {"2026-03-01", times(40, steps), "step_million", 500_000,
			medals.Forecast{Basis: medals.ForecastPace, Days: days(16), Text: "about 16 days at your pace of the last 28 days"}},
		"after standing still": {"2026-03-01", slices.Concat(times(40, steps), times(40, gold{asleep: 300})), "step_million", 500_000,
			medals.Forecast{Basis: medals.ForecastNoPace, Text: "no forecast: nothing of it in the last 28 days"}},
		"too slow to say": {"2026-03-01", slices.Concat(times(12, steps), times(28, gold{steps: 10})), "step_million", 500_000,
			medals.Forecast{Basis: medals.ForecastLong, Text: "more than two years at your pace of the last 28 days"}},
		"too little known": {"2026-03-01", times(13, gold{steps: 1_000}), "step_million", 100_000,
			medals.Forecast{Basis: medals.ForecastTooShort, Text: "no forecast before 14 days of records"}},
		"a streak with today open": {"2026-03-01", slices.Concat(times(5, steps), times(1, gold{steps: 200})), "step_streak", 7,
			medals.Forecast{Basis: medals.ForecastInARow, Days: days(2), Text: "2 more days in a row"}},
		"a streak begun again": {"2026-03-01", slices.Concat(times(8, steps), times(1, gold{steps: 200}), times(3, steps)), "step_streak", 14,
			medals.Forecast{Basis: medals.ForecastInARow, Days: days(11), Text: "11 more days in a row"}},
		// Five nights by 18 March: 9 are missing and 13 are left.
		"a month that can still be": {"2026-03-14", times(5, gold{asleep: 300}), "night_watch", 14,
			medals.Forecast{Basis: medals.ForecastThisPeriod, Text: "9 more in March 2026"}},
		"a month that cannot": {"2026-03-20", times(5, gold{asleep: 300}), "night_watch", 14,
			medals.Forecast{Basis: medals.ForecastOutOfReach, Text: "no longer possible in March 2026"}},
		"a year begun in spring": {"2026-03-20", times(40, steps), "year_round", 12,
			medals.Forecast{Basis: medals.ForecastOutOfReach, Text: "no longer possible in 2026"}},
		"a year begun with it": {"2026-01-10", times(40, steps), "year_round", 12,
			medals.Forecast{Basis: medals.ForecastThisPeriod, Text: "10 more in 2026"}},
		"one feat": {"2026-03-01", times(3, steps), "daily_stride", 10_000,
			medals.Forecast{Basis: medals.ForecastOneFeat, Text: "in a single day; the figure is your best day so far"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.put(walk("u", date(c.first), c.golds...)...)
			w.evaluate()
			for _, p := range w.wall("u").Progress {
				if p.Medal == c.medal {
					if diff := cmp.Diff(c.want, p.Forecast); diff != "" || p.Next != c.next {
						t.Errorf("next %d, want %d; (-want +got):\n%s", p.Next, c.next, diff)
					}
					return
				}
			}
			t.Error("there is no progress of that medal")
		})
	}
}

func TestPrivateMedalsAreMarked(t *testing.T) {
	for _, a := range someone(t).wall("someone").Awards {
		if a.Private != (a.Medal == "always_on") {
			t.Errorf("%s: private is %t", a.Medal, a.Private)
		}
	}
}

func TestNoWordOfADiagnosisStandsInTheTexts(t *testing.T) {
	diagnostic := regexp.MustCompile(`(?i)diagnos|disease|disorder|patient|symptom|apnoea|apnea|insomnia|hypertens|arrhythm|abnormal|treatment|therapy|\brisk`)
	if found := diagnostic.FindString(readFile(t, "locales/en.json")); found != "" {
		t.Errorf("the texts say %q", found)
	}
}
