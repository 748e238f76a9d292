package transform_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/transform"
)

const soundModel = `-- step_days: one row per person and date,
-- with their steps.
--
-- grain:    user_id, local_date
-- inputs:   stg_steps, definitions
-- build:    table
-- lookback: 2 days
-- reach:    week
-- source:   somebody's paper,
--           second edition
-- audit:    step_count >= 0
-- audit:    step_count < 100000
-- caution:  none
-- method:   step_days/3

with

days as (

    select
        user_id,            -- person
        local_date,         -- the person's date
        sum(step_count)
            as step_count   -- steps; 'a;b' -- is text

    from stg_steps
    inner join dirty_days
        on stg_steps.user_id = dirty_days.user_id
    cross join definitions

    group by user_id, local_date

)

select * from days
`

func TestAHeaderIsReadWhole(t *testing.T) {
	t.Parallel()
	m, err := transform.ParseModel("models/activity/step_days.sql", soundModel)
	if err != nil {
		t.Fatal(err)
	}
	got := *m
	got.SQL = ""
	want := transform.Model{
		Name: "step_days", Topic: "activity", Summary: "one row per person and date, with their steps.",
		Grain: []string{"user_id", "local_date"}, Inputs: []string{"stg_steps", "definitions"}, Build: transform.BuildTable,
		Lookback: transform.Span{Unit: transform.SpanDays, Days: 2}, Reach: transform.Span{Unit: transform.SpanWeek},
		Source: "somebody's paper, second edition", Audits: []string{"step_count >= 0", "step_count < 100000"},
		Caution: "none", Method: "step_days/3",
		Columns: []transform.Column{{"user_id", "person"}, {"local_date", "the person's date"}, {"step_count", "steps; 'a;b' -- is text"}},
	}
	if diff := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".sha" }, cmp.Ignore())); diff != "" {
		t.Error("(-want +got)\n" + diff)
	}
}

func TestAWrongModelIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown key":              {"-- caution:", "-- warning:", `unknown header key "warning"`},
		"key twice":                {"-- caution:", "-- source:", `"source" stands twice`},
		"another name":             {"-- step_days:", "-- day_steps:", `the first line is not "-- step_days:`},
		"no grain":                 {"-- grain:    user_id, local_date\n", "", `"grain" is missing`},
		"no source":                {"-- source:   somebody's paper,\n--           second edition\n", "", `"source" is missing`},
		"grain without person":     {"user_id, local_date\n-- inputs", "local_date, user_id\n-- inputs", "user_id and the local date"},
		"lookback of a week":       {"-- lookback: 2 days", "-- lookback: week", "week is for reach alone"},
		"dates without lookback":   {"-- lookback: 2 days", "-- dates:    stg_dates", "dates: without a lookback of days"},
		"reach of words":           {"-- reach:    week", "-- reach:    always", `"always" is not`},
		"closes a day":             {"-- reach:    week", "-- closes:   day", `"day" is not week, month or year`},
		"days of none":             {"-- lookback: 2 days", "-- lookback: 0 days", `"0 days" is not`},
		"method without version":   {"step_days/3", "step_days", "is not name/version"},
		"no method":                {"-- method:   step_days/3\n", "", "is not name/version"},
		"another kind":             {"-- build:    table", "-- build:    incremental", "neither view nor table"},
		"a view with reach":        {"-- build:    table", "-- build:    view", "are for tables"},
		"another sensitivity":      {"-- caution:", "-- sensitivity: mood\n-- caution:", `"mood" is not cycle`},
		"two statements":           {"select * from days\n", "select 1;\nselect * from days\n", "without a semicolon"},
		"no select star":           {"select * from days\n", "select user_id from days\n", "the last line is not"},
		"not a select":             {"\nwith\n", "\ncreate table x as with\n", "begins with neither"},
		"a line that says nothing": {"-- caution:  none", "-- no key", "neither \"-- key: value\" nor"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(soundModel, c.old, c.new, 1)
			if text == soundModel {
				t.Fatalf("%q is not in the model", c.old)
			}
			_, err := transform.ParseModel("models/activity/step_days.sql", text)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one that says %s", err, c.want)
			}
		})
	}
}

func FuzzParseModel(f *testing.F) {
	f.Add(soundModel)
	f.Add("-- a: b\n--\nselect * from x")
	f.Add("'")
	f.Fuzz(func(t *testing.T, src string) {
		m, err := transform.ParseModel("models/activity/step_days.sql", src)
		if (m == nil) == (err == nil) {
			t.Errorf("model %v with error %v", m, err)
		}
		if m != nil && (len(m.Grain) == 0 || m.Summary == "") {
			t.Errorf("accepted without grain or summary: %+v", m)
		}
	})
}

func view(name, inputs, sql string) string {
	return "-- " + name + ": a view.\n--\n-- grain:    user_id\n-- inputs:   " + inputs + "\n-- build:    view\n\nwith\n\nx as (\n\n    " +
		sql + "\n\n)\n\nselect * from x\n"
}

func TestAWrongProjectIsRefused(t *testing.T) {
	t.Parallel()
	const definitions = "name,value,unit,version,source\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"header lies": {
			map[string]string{"a/one.sql": view("one", "two", "select 1 as user_id"), "a/two.sql": view("two", "none", "select 1 as user_id")},
			"model one: the header's inputs are two, the select reads ",
		},
		"no such table": {
			map[string]string{"a/one.sql": view("one", "two", "select * from two")}, `there is no table "two"`,
		},
		"a sensitive table read without saying so": {
			map[string]string{"staging/one.sql": view("one", "silver.cycle_events", "select user_id from silver.cycle_events")},
			"model one: it reads silver.cycle_events and does not say sensitivity: cycle",
		},
		"a sensitive model read without saying so": {
			map[string]string{
				"a/one.sql":       view("one", "two", "select * from two"),
				"staging/two.sql": strings.Replace(view("two", "silver.cycle_events", "select user_id from silver.cycle_events"), "-- build:", "-- sensitivity: cycle\n-- build:", 1),
			},
			"model one: it reads two and does not say sensitivity: cycle",
		},
		"silver outside staging": {
			map[string]string{"a/one.sql": view("one", "silver.readings", "select * from silver.readings")}, "only models in staging read silver.readings",
		},
		"daily of a view that is not kept": {
			map[string]string{
				"activity/step_days.sql": strings.Replace(soundModel, "-- reach:", "-- daily:    stg_steps\n-- reach:", 1),
				"staging/stg_steps.sql":  view("stg_steps", "none", "select 1 as user_id"),
			},
			`model step_days: daily: "stg_steps" is no table or kept view that it reads`,
		},
		"dates of no view": {
			map[string]string{
				"activity/step_days.sql": strings.Replace(soundModel, "-- reach:", "-- dates:    stg_dates\n-- reach:", 1),
				"staging/stg_steps.sql":  view("stg_steps", "none", "select 1 as user_id"),
			},
			`model step_days: dates: "stg_dates" is no view`,
		},
		"dates that nobody's row is for": {
			map[string]string{
				"activity/step_days.sql": strings.Replace(soundModel, "-- reach:", "-- dates:    stg_steps\n-- reach:", 1),
				"staging/stg_steps.sql":  view("stg_steps", "none", "select 1 as user_id"),
			},
			`model step_days: dates: the grain of "stg_steps" is not`,
		},
		"dates from what the model does not read": {
			map[string]string{
				"activity/step_days.sql": strings.Replace(soundModel, "-- reach:", "-- dates:    stg_dates\n-- reach:", 1),
				"staging/stg_steps.sql":  view("stg_steps", "none", "select 1 as user_id"),
				"staging/stg_dates.sql": strings.Replace(view("stg_dates", "silver.readings", "select user_id, local_date as day, local_date from silver.readings"),
					"-- grain:    user_id", "-- grain:    user_id, day, local_date", 1),
			},
			`model step_days: dates: "stg_dates" reads silver.readings, and the model does not`,
		},
		"circle": {
			map[string]string{"a/one.sql": view("one", "two", "select * from two"), "a/two.sql": view("two", "one", "select * from one")},
			"in a circle: one <- two <- one",
		},
		"name taken": {
			map[string]string{"a/one.sql": view("one", "none", "select 1 as user_id"), "b/one.sql": view("one", "none", "select 1 as user_id")},
			`the name "one" is taken`,
		},
		"definition twice":          {map[string]string{"definitions.csv": definitions + "a,1,min,1,x\na,2,min,1,x\n"}, `"a" stands twice`},
		"definition without number": {map[string]string{"definitions.csv": definitions + "a,one,min,1,x\n"}, "not a number"},
		"definition without source": {map[string]string{"definitions.csv": definitions + "a,1,min,1,\n"}, "source are needed"},
		"definitions without names": {map[string]string{"definitions.csv": "a,1,min,1,x\n"}, "the first line is not"},
		"not SQL":                   {map[string]string{"a/one.sql": view("one", "none", "select from where")}, "parse select"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := fstest.MapFS{}
			for file, text := range c.files {
				fsys[file] = &fstest.MapFile{Data: []byte(text)}
			}
			_, err := transform.Load(t.Context(), fsys)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one that says %s", err, c.want)
			}
		})
	}
}

func TestModelsComeAfterTheirInputs(t *testing.T) {
	t.Parallel()
	p := loadProject(t)
	seen := map[string]bool{"definitions": true}
	for _, m := range p.Models() {
		for _, in := range m.Inputs {
			if !seen[in] && !strings.HasPrefix(in, "silver.") {
				t.Errorf("%s comes before its input %s", m.Name, in)
			}
		}
		seen[m.Name] = true
	}
}
