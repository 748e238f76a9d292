package transform_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform"
)

const runsModel = `-- step_runs: a model of a test, made by a Go function.
--
-- grain:    user_id, local_date, run_number
-- inputs:   stg_steps
-- build:    table
-- go:       count_runs
-- order:    user_id, local_date, minute_number
-- output:   user_id varchar: person
-- output:   local_date date: the person's date
-- output:   run_number integer: runs of minutes with steps, from 1
-- output:   step_count bigint: steps of the run
-- source:   a test
-- audit:    step_count > 0
-- method:   step_runs/1

with

minutes as (

    select
        stg_steps.user_id,
        stg_steps.local_date,
        stg_steps.minute_number,
        stg_steps.step_count

    from stg_steps
    inner join dirty_days
        on stg_steps.user_id = dirty_days.user_id
        and stg_steps.local_date = dirty_days.local_date

)

select * from minutes
`

// countRuns adds up the steps of runs of minutes that have some.
func countRuns(_ context.Context, rows array.RecordReader) (array.RecordReader, error) {
	out := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
		{Name: "step_count", Type: arrow.PrimitiveTypes.Int64}, // in another order than the header's
		{Name: "user_id", Type: arrow.BinaryTypes.String},
		{Name: "local_date", Type: arrow.FixedWidthTypes.Date32},
		{Name: "run_number", Type: arrow.PrimitiveTypes.Int64},
	}, nil))
	var user string
	var date arrow.Date32
	var number, steps int64
	end := func() {
		if steps > 0 {
			number++
			out.Field(0).(*array.Int64Builder).Append(steps)
			out.Field(1).(*array.StringBuilder).Append(user)
			out.Field(2).(*array.Date32Builder).Append(date)
			out.Field(3).(*array.Int64Builder).Append(number)
		}
		steps = 0
	}
	for rows.Next() {
		batch := rows.RecordBatch()
		users, dates := batch.Column(0).(*array.String), batch.Column(1).(*array.Date32)
		counts := batch.Column(3).(*array.Int64)
		for i := range int(batch.NumRows()) {
			if users.Value(i) != user || dates.Value(i) != date {
				end()
				user, date, number = strings.Clone(users.Value(i)), dates.Value(i), 0
			}
			if counts.Value(i) == 0 {
				end()
			}
			steps += counts.Value(i)
		}
	}
	end()
	made := out.NewRecordBatch()
	defer made.Release()
	return array.NewRecordReader(made.Schema(), []arrow.RecordBatch{made})
}

func withFunction(t *testing.T, f transform.Function) *transform.Project {
	t.Helper()
	p, err := transform.LoadWith(t.Context(), transform.Functions{"count_runs": f}, transform.Models,
		fstest.MapFS{"models/activity/step_runs.sql": {Data: []byte(runsModel)}})
	if err != nil {
		t.Fatal(err)
	}
	return p.Of("step_runs", "activity_days")
}

func TestAModelInGoIsBuiltAsAnyOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.project = withFunction(t, transform.Function{Run: countRuns})
	walk := func(hour int, values ...int32) {
		w.put(map[string]piece{fmt.Sprint(hour): {hours: []schemas.SeriesHour{hours("u", "watch", schemas.Steps, firstDay, hour, 60_000, values...)}}})
	}
	walk(9, 10, 20, 0, 5)
	w.build(false)
	walk(8, 7)
	w.build(false)
	w.sameAsFull()
	got := strings.Join(w.gold()["step_runs"], "\n")
	for i, steps := range []int{37, 5} {
		want := fmt.Sprintf("'run_number': %d, 'step_count': %d, 'method_version': step_runs/1", i+1, steps)
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}

	again := w.build(false)
	w.project = withFunction(t, transform.Function{Run: countRuns, Fingerprint: "other coefficients"})
	anew := w.build(false)
	for _, m := range append(again.Models, anew.Models...) {
		if m.Model == "step_runs" && m.ChangedDays > 0 {
			t.Errorf("the same rows count as changed on %d days", m.ChangedDays)
		}
	}
	if !modelNamed(anew, "step_runs").Full || modelNamed(again, "step_runs").Full {
		t.Error("a function with another fingerprint must make its table anew, and one with the same must not")
	}
}

func modelNamed(r *transform.Result, name string) transform.ModelResult {
	for _, m := range r.Models {
		if m.Model == name {
			return m
		}
	}
	return transform.ModelResult{}
}

func TestAFunctionThatFailsLeavesItsTableAsItWas(t *testing.T) {
	t.Parallel()
	wrong := errors.New("no reason")
	for name, f := range map[string]func(context.Context, array.RecordReader) (array.RecordReader, error){
		"at once": func(context.Context, array.RecordReader) (array.RecordReader, error) { return nil, wrong },
		"half-way": func(ctx context.Context, rows array.RecordReader) (array.RecordReader, error) {
			made, err := countRuns(ctx, rows)
			return failing{made, wrong}, err
		},
	} {
		w := newWorld(t)
		w.put(map[string]piece{"a": {hours: []schemas.SeriesHour{hours("u", "watch", schemas.Steps, firstDay, 9, 60_000, 3)}}})
		_, err := buildOn(t, w.lake, withFunction(t, transform.Function{Run: f}), false)
		var failed *transform.BuildError
		if !errors.As(err, &failed) || len(failed.Failed) != 1 || failed.Failed[0] != "step_runs" {
			t.Errorf("%s: error is %v, want one of step_runs alone", name, err)
		}
		if !strings.Contains(fmt.Sprint(err), wrong.Error()) {
			t.Errorf("%s: error does not say why: %v", name, err)
		}
	}
}

// failing is a reader that ends in an error.
type failing struct {
	array.RecordReader

	err error
}

func (f failing) Err() error { return f.err }
func (f failing) Next() bool { return false }

func TestAFunctionReturnsTheColumnsOfItsHeader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(map[string]piece{"a": {hours: []schemas.SeriesHour{hours("u", "watch", schemas.Steps, firstDay, 9, 60_000, 3)}}})
	lessSays := strings.Replace(runsModel, "-- output:   step_count bigint: steps of the run\n", "", 1)
	lessSays = strings.Replace(lessSays, "-- audit:    step_count > 0\n", "", 1)
	p, err := transform.LoadWith(t.Context(), transform.Functions{"count_runs": {Run: countRuns}}, transform.Models,
		fstest.MapFS{"models/activity/step_runs.sql": {Data: []byte(lessSays)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := buildOn(t, w.lake, p, false); err == nil || !strings.Contains(err.Error(), "it returns the columns") {
		t.Errorf("error is %v, want one about the columns", err)
	}
}

func TestWhatAHeaderOfAModelInGoMustSay(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"-- order:    user_id, local_date, minute_number\n": "reads its rows in one order, or says",
		"-- go:       count_runs\n":                         "are for models with a Go function",
	} {
		_, err := transform.ParseModel("models/activity/step_runs.sql", strings.Replace(runsModel, name, "", 1))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without %q: error is %v, want one that says %q", name, err, want)
		}
	}
	_, err := transform.LoadWith(t.Context(), nil, transform.Models, fstest.MapFS{"models/activity/step_runs.sql": {Data: []byte(runsModel)}})
	if err == nil || !strings.Contains(err.Error(), "no Go function") {
		t.Errorf("error is %v, want one about the function", err)
	}
}
