package transform_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/diurna-health/diurna/transform"
	"github.com/diurna-health/diurna/transform/transformtest"
)

func TestSpansHaveTheDaysThatALookbackHas(t *testing.T) {
	t.Parallel()
	_, conn := transformtest.OpenDuckDB(t)
	r := rand.New(rand.NewPCG(8, 4))
	for range 60 {
		var days []string
		for range 1 + r.IntN(30) {
			days = append(days, fmt.Sprintf("('user-%d', date '2026-01-01' + %d)", r.IntN(3), r.IntN(90)))
		}
		dirty := "select distinct * from (values " + strings.Join(days, ", ") + ") as t(user_id, local_date)"
		lookback := transform.Span{Days: 1 + r.IntN(9), Around: r.IntN(2) == 0}
		var apart, overlapping int
		if err := conn.QueryRowContext(t.Context(), fmt.Sprintf(`
			with
			spans as (%s),
			each_day as (
				select user_id, cast(unnest(generate_series(cast(first_date as timestamp), cast(last_date as timestamp), interval 1 day)) as date) as local_date
				from spans
			),
			listed as (%s)
			select
				(select count(*) from (select * from each_day except select * from listed union all (select * from listed except select * from each_day))),
				(select count(*) from each_day) - (select count(distinct (user_id, local_date)) from each_day)`,
			transform.SpansBack(dirty, lookback), transform.WidenBack(dirty, lookback))).Scan(&apart, &overlapping); err != nil {
			t.Fatal(err)
		}
		if apart > 0 || overlapping > 0 {
			t.Errorf("lookback %+v: %d days differ, %d are in two spans", lookback, apart, overlapping)
		}
	}
}
