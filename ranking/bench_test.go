package ranking_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/diurna-health/diurna/ranking"
	"github.com/diurna-health/diurna/ranking/rankingtest"
	"github.com/diurna-health/diurna/schemas"
)

const benchPeople = 100_000

// bigBoard has a week of everybody's days, four countries and all ages.
func bigBoard(b *testing.B) *rankingtest.Gold {
	b.Helper()
	g := rankingtest.Open(b)
	g.Exec(`insert into ranking_days by name select 'user-' || i as user_id, date '2026-03-02' + cast(d as integer) as local_date,
		60 as utc_offset_min, 1000 + (i * 7919 + d * 13) % 20000 as step_count, step_count as plausible_step_count,
		step_count as counted_step_count, timestamp '2026-03-02 12:00:00' as reached_at, 0 as fast_min, 0 as fast_step_count,
		0 as sustained_min, 0 as sustained_step_count, 0 as foreign_min, 0 as foreign_step_count, 0 as walking_min,
		false as is_quarantined, timestamp '2026-03-02 12:00:00' as last_evidence_at, 'ranking_days/1' as method_version
		from range(?) p(i), range(7) q(d)`, benchPeople)
	g.Exec(`insert into silver.events by name select 'user-' || i as user_id, 'app' as device_id, k.kind, k.name,
		timestamp '2020-01-01' as start_at, date '2020-01-01' as local_date, 0 as utc_offset_min,
		case k.name when 'ranking' then 1 when 'birth_year' then 1950 + i % 55 end as value,
		case k.name when 'country' then ['GR', 'SE', 'IT', 'CL'][1 + i % 4] else '' end as text, 'manual' as source
		from range(?) p(i), (values ('consent', 'ranking'), ('profile', 'country'), ('profile', 'birth_year')) k(kind, name)`, benchPeople)
	return g
}

func BenchmarkLoad(b *testing.B) {
	g := bigBoard(b)
	for b.Loop() {
		if _, err := ranking.Load(b.Context(), g.DB, g.Ledger, "steps-week", schemas.ISOWeekOf(monday), after); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(benchPeople*b.N)/b.Elapsed().Seconds(), "people/s")
}

func BenchmarkView(b *testing.B) {
	g := bigBoard(b)
	s, err := ranking.Load(b.Context(), g.DB, g.Ledger, "steps-week", schemas.ISOWeekOf(monday), after)
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		n++
		v, err := s.View(ranking.Question{User: fmt.Sprintf("user-%d", n%benchPeople), Cohort: "country,age"})
		if err != nil && schemas.ErrorCode(err) != schemas.CodeInvalid {
			b.Fatal(err)
		}
		if err == nil && v.Me.Rank == nil {
			b.Fatal("somebody is not ranked")
		}
	}
}

// BenchmarkPublish measures a run that finds nothing to do, which is what most are.
func BenchmarkPublish(b *testing.B) {
	g := bigBoard(b)
	if _, err := ranking.Publish(b.Context(), g.DB, g.Ledger, after); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		done, err := ranking.Publish(b.Context(), g.DB, g.Ledger, after.Add(time.Minute))
		if err != nil || done != (ranking.Published{}) {
			b.Fatal(done, err)
		}
	}
}
