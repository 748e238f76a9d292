package imports

import (
	"errors"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the tests must not depend on the machine's zones

	"github.com/google/go-cmp/cmp"
)

// Each row of an export, in order, and the instant it means.
func TestWallTimesAroundAChangeOfTheClocks(t *testing.T) {
	for name, tc := range map[string]struct {
		zone    string
		repeats bool
		rows    string // wall time = instant in UTC, or "never"
	}{
		"Berlin, spring: an hour never was": {"Europe/Berlin", false, `
			2016-03-27 01:59 = 2016-03-27 00:59
			2016-03-27 02:00 = never
			2016-03-27 02:30 = never
			2016-03-27 02:59 = never
			2016-03-27 03:00 = 2016-03-27 01:00`},
		"Berlin, autumn: an hour comes twice": {"Europe/Berlin", false, `
			2016-10-30 01:59 = 2016-10-29 23:59
			2016-10-30 02:00 = 2016-10-30 00:00
			2016-10-30 02:59 = 2016-10-30 00:59
			2016-10-30 02:00 = 2016-10-30 01:00
			2016-10-30 02:30 = 2016-10-30 01:30
			2016-10-30 02:59 = 2016-10-30 01:59
			2016-10-30 03:00 = 2016-10-30 02:00`},
		"Berlin, autumn: the first hour was slept through": {"Europe/Berlin", false, `
			2016-10-30 01:00 = 2016-10-29 23:00
			2016-10-30 02:30 = 2016-10-30 00:30
			2016-10-30 03:00 = 2016-10-30 02:00`},
		"Berlin, autumn: rows of whole hours": {"Europe/Berlin", false, `
			2016-10-30 02:00 = 2016-10-30 00:00
			2016-10-30 02:00 = 2016-10-30 01:00
			2016-10-30 03:00 = 2016-10-30 02:00`},
		"Berlin, autumn: two values of one second are one second": {"Europe/Berlin", true, `
			2016-10-30 02:10 = 2016-10-30 00:10
			2016-10-30 02:10 = 2016-10-30 00:10
			2016-10-30 02:05 = 2016-10-30 01:05
			2016-10-30 02:05 = 2016-10-30 01:05
			2016-10-30 02:10 = 2016-10-30 01:10`},
		"Berlin, autumn: a file that is not in order shows nothing": {"Europe/Berlin", false, `
			2016-11-05 12:00 = 2016-11-05 11:00
			2016-10-30 02:30 = 2016-10-30 00:30`},
		"New York, spring": {"America/New_York", false, `
			2016-03-13 01:59 = 2016-03-13 06:59
			2016-03-13 02:00 = never
			2016-03-13 02:59 = never
			2016-03-13 03:00 = 2016-03-13 07:00`},
		"New York, autumn": {"America/New_York", false, `
			2016-11-06 00:59 = 2016-11-06 04:59
			2016-11-06 01:00 = 2016-11-06 05:00
			2016-11-06 01:59 = 2016-11-06 05:59
			2016-11-06 01:00 = 2016-11-06 06:00
			2016-11-06 01:59 = 2016-11-06 06:59
			2016-11-06 02:00 = 2016-11-06 07:00`},
		"Lord Howe, spring: half an hour never was": {"Australia/Lord_Howe", false, `
			2016-10-02 01:59 = 2016-10-01 15:29
			2016-10-02 02:00 = never
			2016-10-02 02:29 = never
			2016-10-02 02:30 = 2016-10-01 15:30`},
		"Lord Howe, autumn: half an hour comes twice": {"Australia/Lord_Howe", false, `
			2016-04-03 01:29 = 2016-04-02 14:29
			2016-04-03 01:30 = 2016-04-02 14:30
			2016-04-03 01:59 = 2016-04-02 14:59
			2016-04-03 01:30 = 2016-04-02 15:00
			2016-04-03 01:59 = 2016-04-02 15:29
			2016-04-03 02:00 = 2016-04-02 15:30`},
		"Kathmandu, which never changes": {"Asia/Kathmandu", false, `
			2016-03-27 02:30 = 2016-03-26 20:45`},
	} {
		t.Run(name, func(t *testing.T) {
			clock := Clock{Zone: NewZone(location(t, tc.zone)), Repeats: tc.repeats}
			var got, want []string
			for line := range strings.Lines(strings.TrimSpace(tc.rows)) {
				wall, _, _ := strings.Cut(strings.TrimSpace(line), " = ")
				want = append(want, strings.TrimSpace(line))
				at, err := clock.Instant(seconds(t, wall))
				switch {
				case errors.Is(err, ErrNeverWas):
					got = append(got, wall+" = never")
				case err != nil:
					t.Fatal(err)
				default:
					got = append(got, wall+" = "+time.Unix(at, 0).UTC().Format(layout))
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Every instant of two years, shown on the wall and read back, in order, must come out as itself, in every kind of zone.
func TestARisingFileReadsBackEveryInstant(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "Pacific/Chatham", "UTC"} {
		t.Run(name, func(t *testing.T) {
			loc := location(t, name)
			zone := NewZone(loc)
			clock := Clock{Zone: zone}
			start := time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
			for at := start; at < start+2*366*86400; at += 600 {
				_, offset := time.Unix(at, 0).In(loc).Zone()
				if got := zone.OffsetMin(at); got != int32(offset/60) {
					t.Fatalf("offset at %d is %d, want %d", at, got, offset/60)
				}
				got, err := clock.Instant(at + int64(offset))
				if err != nil || got != at {
					t.Fatalf("instant %d came back as %d, %v", at, got, err)
				}
			}
		})
	}
}

// The order in which a zone is asked must not matter: it keeps the last stretch only to be fast.
func TestWhatAZoneAnswersDoesNotDependOnWhatWasAskedBefore(t *testing.T) {
	loc := location(t, "Europe/Berlin")
	used := NewZone(loc)
	base := seconds(t, "2016-10-30 02:30")
	for i := range int64(2000) {
		wall := base + (i*7919*3600)%(3*366*86400) - 366*86400
		a1, a2, an := used.Instants(wall)
		b1, b2, bn := NewZone(loc).Instants(wall)
		if a1 != b1 || a2 != b2 || an != bn {
			t.Fatalf("wall %d: %d %d %d, a fresh zone says %d %d %d", wall, a1, a2, an, b1, b2, bn)
		}
	}
}

const layout = "2006-01-02 15:04"

func seconds(t *testing.T, wall string) int64 {
	t.Helper()
	at, err := time.Parse(layout, wall)
	if err != nil {
		t.Fatal(err)
	}
	return at.Unix()
}

func location(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}
