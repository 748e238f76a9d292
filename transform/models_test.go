package transform_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/transform"
	"github.com/diurna-health/diurna/transform/transformtest"
)

var update = flag.Bool("update", false, "rewrite wanted rows and goldens")

var loadedProject = sync.OnceValues(func() (*transform.Project, error) {
	return transform.Load(context.Background(), transform.Models)
})

func loadProject(t *testing.T) *transform.Project {
	t.Helper()
	p, err := loadedProject()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestModels(t *testing.T) {
	transformtest.RunModels(t, loadProject(t), "models", *update)
}

func TestEveryModelHasCases(t *testing.T) {
	t.Parallel()
	// Views that only rename silver columns for people have nothing to get wrong that schema.golden would not show.
	plain := []string{"sleep_segments", "readings", "daily_summaries", "events", "stg_device_sentinels", "rr_runs", "sports"}
	for _, m := range loadProject(t).Models() {
		if slices.Contains(plain, m.Name) {
			continue
		}
		if _, err := os.Stat("models/" + m.Topic + "/" + m.Name + ".txtar"); err != nil {
			t.Errorf("model %s has no cases: %v", m.Name, err)
		}
	}
}

// describeModels returns every model's columns and types, from an empty lake.
func describeModels(t *testing.T, p *transform.Project) map[string][][2]string {
	t.Helper()
	_, conn := transformtest.OpenDuckDB(t)
	if err := p.Define(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	schema := map[string][][2]string{}
	for _, m := range p.Models() {
		rows, err := conn.QueryContext(t.Context(), "select column_name, column_type from (describe "+m.Name+")")
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var c [2]string
			if err := rows.Scan(&c[0], &c[1]); err != nil {
				t.Fatal(err)
			}
			schema[m.Name] = append(schema[m.Name], c)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil { //nolint:sqlclosecheck // in a loop
			t.Fatal(err)
		}
	}
	return schema
}

func TestEmptyBuild(t *testing.T) {
	t.Parallel()
	p := loadProject(t)
	var got bytes.Buffer
	schema := describeModels(t, p)
	for _, m := range p.Models() {
		fmt.Fprintf(&got, "%s (%s)\n", m.Name, m.Build)
		for _, c := range schema[m.Name] {
			fmt.Fprintf(&got, "    %-28s %s\n", c[0], c[1])
		}
	}
	const golden = "models/schema.golden"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Error("columns differ from schema.golden (-want +got):\n" + diff)
	}
}

func TestModelHeaders(t *testing.T) {
	t.Parallel()
	p := loadProject(t)
	schema := describeModels(t, p)
	for _, m := range p.Models() {
		columns := make([]string, len(schema[m.Name]))
		for i, c := range schema[m.Name] {
			columns[i] = c[0]
			if !slices.ContainsFunc(m.Columns, func(d transform.Column) bool { return d.Name == c[0] }) {
				t.Errorf("%s: column %s has no comment with unit and meaning", m.Name, c[0])
			}
		}
		for _, g := range m.Grain {
			if !slices.Contains(columns, g) {
				t.Errorf("%s: grain column %s is not among its columns", m.Name, g)
			}
		}
		if m.Build == transform.BuildTable && !slices.Contains(columns, "method_version") {
			t.Errorf("%s: there is no column method_version", m.Name)
		}
		name, _, _ := strings.Cut(m.Name, "_v") // of a superseded model
		if m.Build == transform.BuildTable && !strings.HasPrefix(m.Method, name+"/") {
			t.Errorf("%s: its method is %s", m.Name, m.Method)
		}
	}
}

func TestModelsOutsideStagingStayInThePortableCore(t *testing.T) {
	t.Parallel()
	banned := []string{
		"qualify", "asof", "macro", "pivot", "approx_", "unnest", "list_", "exclude", "replace (", "at time zone",
		"timezone(", "make_timestamp", "epoch(", "epoch_us", "epoch_ms", "::", "[", "struct", "generate_series", "range(", "//", "group by all",
		"order by all", "using (", "columns(", "lambda", "try_cast", "strftime", "::",
	}
	for _, m := range loadProject(t).Models() {
		if m.Staging() {
			continue
		}
		var code []string
		for line := range strings.SplitSeq(m.SQL, "\n") {
			before, _, _ := strings.Cut(line, "--")
			code = append(code, before)
		}
		sql := strings.ToLower(strings.Join(code, "\n"))
		for _, word := range banned {
			if strings.Contains(sql, word) {
				t.Errorf("%s uses %q, which only staging may", m.Name, word)
			}
		}
	}
}

// An operator is a node of a plan as DuckDB explains it.
type operator struct {
	Name     string
	Children []operator
	Extra    struct{ Condition string } `json:"extra_info"`
}

// loopsOverPeople reports whether a join below compares every row with every other although people are equal in it. What
// meets a few rows of definitions or sentinels may.
func (o operator) loopsOverPeople() bool {
	return o.Name == "BLOCKWISE_NL_JOIN" && strings.Contains(o.Extra.Condition, "user_id = user_id") ||
		slices.ContainsFunc(o.Children, operator.loopsOverPeople)
}

// A left join on a condition of its left side alone, or on an "or", is a loop over every row of both sides, also where
// equal keys stand beside it: ten times the people take a hundred times as long.
func TestNoModelComparesEveryRowWithEveryOther(t *testing.T) {
	t.Parallel()
	p := loadProject(t)
	_, conn := transformtest.OpenDuckDB(t)
	if err := p.Define(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), "set disabled_optimizers = 'build_side_probe_side'"); err != nil { // as builds do
		t.Fatal(err)
	}
	for _, m := range p.Models() {
		var kind, plan string
		row := conn.QueryRowContext(t.Context(), "explain (format json) select * from (\n"+m.SQL+"\n)")
		if err := row.Scan(&kind, &plan); err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		var roots []operator
		if err := json.Unmarshal([]byte(plan), &roots); err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		if slices.ContainsFunc(roots, operator.loopsOverPeople) {
			t.Errorf("%s joins by comparing every row with every other", m.Name)
		}
	}
}

func TestEveryDefinitionIsUsed(t *testing.T) {
	t.Parallel()
	p := loadProject(t)
	for _, d := range p.Definitions() {
		if !slices.ContainsFunc(p.Models(), func(m *transform.Model) bool { return strings.Contains(m.SQL, "'"+d.Name+"'") }) {
			t.Errorf("definition %s is read by no model", d.Name)
		}
	}
	for _, m := range p.Models() {
		if slices.Contains(m.Inputs, "definitions") && !slices.ContainsFunc(p.Definitions(), func(d transform.Definition) bool {
			return strings.Contains(m.SQL, "'"+d.Name+"'")
		}) {
			t.Errorf("%s names definitions and reads none that exists", m.Name)
		}
	}
}

// What stg_figure_days has is what figures lists: a figure is one line in each.
func TestEveryFigureHasAUnit(t *testing.T) {
	t.Parallel()
	_, conn := transformtest.OpenDuckDB(t)
	p := loadProject(t)
	if err := p.Define(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{} // whether it has a zero
	rows, err := conn.QueryContext(t.Context(), "select figure, has_zero from figures")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var hasZero bool
		if err := rows.Scan(&name, &hasZero); err != nil {
			t.Fatal(err)
		}
		listed[name] = hasZero
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), "insert into user_days by name select 'u' as user_id, date '2026-03-01' as local_date"); err != nil {
		t.Fatal(err)
	}
	for _, c := range p.Model("stg_figure_days").Columns {
		if c.Name == "user_id" || c.Name == "local_date" {
			continue
		}
		var group map[string]any
		var cell any
		if err := conn.QueryRowContext(t.Context(), "select "+c.Name+" from stg_figure_days").Scan(&cell); err != nil {
			t.Fatal(err)
		}
		group, _ = cell.(map[string]any)
		for name := range group {
			if slices.Contains([]string{"is_valid", "has_zero", "method"}, name) {
				continue
			}
			hasZero, ok := listed[name]
			if !ok || hasZero != group["has_zero"] {
				t.Errorf("%s of group %s is not in figures as it is here", name, c.Name)
			}
			delete(listed, name)
		}
		if len(group) < 4 {
			t.Errorf("group %s has no figure: %v", c.Name, cell)
		}
	}
	for name := range listed {
		t.Errorf("figures lists %s, which no day has", name)
	}
}
