package population_test

import (
	"bytes"
	"crypto/sha256"
	"iter"
	"reflect"
	"slices"
	"testing"
	"time"
	_ "time/tzdata" // the tests must not depend on the machine's zones

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/internal/population"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// The span holds the northern spring, the southern autumn and room for every role.
func springConfig(t *testing.T) population.Config {
	t.Helper()
	from, to := population.Span(schemas.NewDate(2026, 4, 15), 6)
	return population.Config{Seed: 7, From: from, To: to}
}

func newPopulation(t *testing.T, config population.Config) *population.Population {
	t.Helper()
	p, err := population.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func personOf(t *testing.T, p *population.Population, role string) population.Person {
	t.Helper()
	for _, person := range p.People() {
		if person.Role == role {
			return person
		}
	}
	t.Fatalf("nobody is there for %s", role)
	return population.Person{}
}

func afterMS(config population.Config) int64 {
	return int64(config.To.AddDays(3)) * schemas.MillisPerDay
}

func TestTheSpanIsWholeWeeksBeforeTheWeekOfToday(t *testing.T) {
	t.Parallel()
	for _, today := range []string{"2026-11-16", "2026-11-18", "2026-11-22"} {
		d, err := schemas.ParseDate(today)
		if err != nil {
			t.Fatal(err)
		}
		from, to := population.Span(d, population.DefaultWeeks)
		if from.String() != "2026-09-07" || to.String() != "2026-11-15" {
			t.Errorf("on %s the span is %s to %s", today, from, to)
		}
	}
}

func TestASpanTheRolesDoNotFitIntoIsRefused(t *testing.T) {
	t.Parallel()
	from := schemas.NewDate(2026, 1, 1)
	for _, c := range []population.Config{
		{From: from, To: from.AddDays(-1)},
		{From: from, To: from.AddDays(population.MinDays - 2)},
		{From: from, To: from.AddDays(population.MaxDays)},
		{From: from, To: from.AddDays(70), People: -1},
	} {
		if _, err := population.New(c); err == nil {
			t.Errorf("New(%+v) made a population", c)
		}
	}
}

func TestTheSameSeedGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	config := springConfig(t)
	config.People, config.To = 30, config.From.AddDays(population.MinDays-1)
	first, second := newPopulation(t, config), newPopulation(t, config)
	if !bytes.Equal(digest(t, first.Batches()), digest(t, second.Batches())) {
		t.Error("the batches differ")
	}
	if !bytes.Equal(truthBytes(t, first), truthBytes(t, second)) {
		t.Error("the truths differ")
	}
	config.Seed++
	if other := newPopulation(t, config); bytes.Equal(digest(t, first.Batches()), digest(t, other.Batches())) {
		t.Error("another seed gives the same batches")
	}
}

func TestAPersonIsTheSameInALargerCrowd(t *testing.T) {
	t.Parallel()
	config := springConfig(t)
	config.People = 3
	few := newPopulation(t, config)
	config.People = 6
	many := newPopulation(t, config)
	if diff := cmp.Diff(few.People(), many.People()[:3]); diff != "" {
		t.Errorf("people (-few +many):\n%s", diff)
	}
	days := few.Truth().Days
	if diff := cmp.Diff(days, many.Truth().Days[:len(days)]); diff != "" {
		t.Errorf("days (-few +many):\n%s", diff)
	}
}

func TestEveryBatchReadsTheSameAfterTheWire(t *testing.T) {
	t.Parallel()
	config := springConfig(t)
	config.People, config.To = 30, config.From.AddDays(population.MinDays-1)
	for b := range newPopulation(t, config).Batches() {
		data, err := syncv1.EncodeProto(b)
		if err != nil {
			t.Fatalf("EncodeProto(%s): %v", b.BatchID, err)
		}
		again, err := syncv1.Decode("application/x-protobuf", data)
		if err != nil {
			t.Fatalf("Decode(%s): %v", b.BatchID, err)
		}
		if !reflect.DeepEqual(b, again) { // cmp takes its time over long lists, so it is asked only for the difference
			t.Fatalf("%s (-sent +read):\n%s", b.BatchID, cmp.Diff(b, again))
		}
	}
}

func TestShufflingChangesTheOrderAndNothingElse(t *testing.T) {
	t.Parallel()
	config := springConfig(t)
	config.People = 4
	p := newPopulation(t, config)
	arrived, shuffled := encoded(t, p.Batches()), encoded(t, p.Shuffle(3))
	if slices.Equal(arrived, shuffled) {
		t.Error("the order is the same")
	}
	if !slices.Equal(shuffled, encoded(t, p.Shuffle(3))) {
		t.Error("the same seed shuffles otherwise")
	}
	slices.Sort(arrived)
	slices.Sort(shuffled)
	if !slices.Equal(arrived, shuffled) {
		t.Error("the batches are others")
	}
}

func TestOffsetsAreThoseOfTheZoneThePersonIsIn(t *testing.T) {
	t.Parallel()
	config := springConfig(t)
	p := newPopulation(t, config)
	people := map[string]population.Person{}
	for _, person := range p.People() {
		people[person.UserID] = person
	}
	offsets := map[string]map[int32]bool{}
	for b := range p.Batches() {
		person := people[b.UserID]
		check := func(what string, ms int64, offsetMin int32) {
			if ms > afterMS(config) || ms < int64(config.From.AddDays(-2))*schemas.MillisPerDay {
				return // of a wrong clock
			}
			if want := zoneOffset(t, person, ms); offsetMin != want {
				t.Fatalf("%s of %s at %s has offset %d, want %d", what, b.BatchID, time.UnixMilli(ms).UTC(), offsetMin, want)
			}
		}
		if offsets[b.UserID] == nil {
			offsets[b.UserID] = map[int32]bool{}
		}
		for _, s := range b.Series {
			check(s.Metric, s.StartMS, s.OffsetMin)
			check(s.Metric, s.TimeMS(len(s.Values)-1), s.OffsetMin)
			offsets[b.UserID][s.OffsetMin] = true
		}
		for _, s := range b.SleepSegments {
			check("sleep", s.StartMS, s.StartOffsetMin)
			check("sleep", s.EndMS, s.EndOffsetMin)
		}
		for _, r := range b.Readings {
			check("reading", r.AtMS, r.OffsetMin)
		}
		for _, e := range b.Events {
			check("event", e.StartMS, e.OffsetMin)
		}
	}
	for role, want := range map[string]int{
		population.RoleTraveller: 4, population.RoleDateLine: 3, population.RoleOffice: 2,
		population.RoleSpringForward: 2, population.RoleFallBack: 2, population.RolePhoneOnly: 1,
	} {
		if got := len(offsets[personOf(t, p, role).UserID]); got != want {
			t.Errorf("%s has %d offsets, want %d", role, got, want)
		}
	}
}

func TestClocksChangeBothWaysInsideASleep(t *testing.T) {
	t.Parallel()
	p := newPopulation(t, springConfig(t))
	moved := map[string][]int32{}
	for _, d := range p.Truth().Days {
		for _, s := range append(slices.Clone(d.Naps), nightsOf(d)...) {
			if s.OnsetUTCOffsetMin != nil && *s.OnsetUTCOffsetMin != *s.OffsetUTCOffsetMin {
				moved[d.UserID] = append(moved[d.UserID], *s.OffsetUTCOffsetMin-*s.OnsetUTCOffsetMin)
			}
		}
	}
	for role, want := range map[string]int32{
		population.RoleOffice: 60, population.RoleFallBack: -60, population.RoleTraveller: 240,
	} {
		if got := moved[personOf(t, p, role).UserID]; !slices.Contains(got, want) {
			t.Errorf("the sleeps of %s were moved by %v min, want one by %d", role, got, want)
		}
	}
}

func TestTwinsHaveTheSameStepsEveryWeekAndNotEveryDay(t *testing.T) {
	t.Parallel()
	p := newPopulation(t, springConfig(t))
	twin, other := personOf(t, p, population.RoleTwin), personOf(t, p, population.RoleOtherTwin)
	weeks := map[string]map[schemas.Period]int64{twin.UserID: {}, other.UserID: {}}
	days := map[string][]int64{}
	for _, d := range p.Truth().Days {
		if d.Steps != nil && weeks[d.UserID] != nil {
			weeks[d.UserID][schemas.ISOWeekOf(d.LocalDate)] += d.Steps.StepCount
			days[d.UserID] = append(days[d.UserID], d.Steps.StepCount)
		}
	}
	if len(weeks[twin.UserID]) != 6 {
		t.Errorf("the twin has steps in %d weeks, want 6", len(weeks[twin.UserID]))
	}
	if diff := cmp.Diff(weeks[twin.UserID], weeks[other.UserID]); diff != "" {
		t.Errorf("weeks (-twin +other):\n%s", diff)
	}
	if slices.Equal(days[twin.UserID], days[other.UserID]) {
		t.Error("the twins walk the same steps every day")
	}
}

func TestWhoTakesPartInRankings(t *testing.T) {
	t.Parallel()
	p := newPopulation(t, springConfig(t))
	for _, person := range p.People() {
		want := person.Role != population.RoleOptedOut && person.Role != population.RoleNeverOptedIn
		if person.OptedIn() != want {
			t.Errorf("%s takes part: %v, want %v", person.Role, person.OptedIn(), want)
		}
	}
	if n := len(personOf(t, p, population.RoleOptedOut).Consents); n != 2 {
		t.Errorf("who opted out said so %d times, want first in, then out", n)
	}
}

func TestAThirteenMonthSpanHoldsTravelsAndBothClockChanges(t *testing.T) {
	t.Parallel()
	config := population.Config{Seed: 2, People: 6, From: schemas.NewDate(2025, 10, 1), To: schemas.NewDate(2026, 10, 31)}
	p := newPopulation(t, config)
	if n := len(personOf(t, p, population.RoleTraveller).Stays); n < 9 {
		t.Errorf("the traveller stayed in %d places", n)
	}
	for _, d := range p.Truth().Days {
		if d.Steps != nil && d.Steps.ObservedMin > 27*60+19*60 {
			t.Errorf("%s has %d minutes", d.LocalDate, d.Steps.ObservedMin)
		}
	}
}

func zoneOffset(t *testing.T, person population.Person, ms int64) int32 {
	t.Helper()
	zone := person.Stays[0].Zone
	for _, s := range person.Stays {
		if ms >= s.FromMS {
			zone = s.Zone
		}
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	_, seconds := time.UnixMilli(ms).In(loc).Zone()
	return int32(seconds / 60)
}

func nightsOf(d population.Day) []population.Sleep {
	if d.Night == nil {
		return nil
	}
	return []population.Sleep{*d.Night}
}

func digest(t *testing.T, batches iter.Seq[*syncv1.Batch]) []byte {
	t.Helper()
	sum := sha256.New()
	for _, b := range encoded(t, batches) {
		sum.Write([]byte(b))
	}
	return sum.Sum(nil)
}

func encoded(t *testing.T, batches iter.Seq[*syncv1.Batch]) []string {
	t.Helper()
	var all []string
	for b := range batches {
		data, err := syncv1.EncodeProto(b)
		if err != nil {
			t.Fatalf("EncodeProto(%s): %v", b.BatchID, err)
		}
		all = append(all, string(data))
	}
	return all
}

func truthBytes(t *testing.T, p *population.Population) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.Truth().WriteJSONLines(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func BenchmarkPopulation(b *testing.B) {
	from, to := population.Span(schemas.NewDate(2026, 11, 21), population.DefaultWeeks)
	for b.Loop() {
		p, err := population.New(population.Config{Seed: 1, From: from, To: to})
		if err != nil {
			b.Fatal(err)
		}
		batches, samples := 0, 0
		for batch := range p.Batches() {
			batches++
			for i := range batch.Series {
				samples += len(batch.Series[i].Values)
			}
		}
		days := len(p.Truth().Days)
		b.ReportMetric(float64(batches), "batches")
		b.ReportMetric(float64(samples), "samples")
		b.ReportMetric(float64(days), "days")
	}
}
