package main_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// binary is the program as people run it, built once.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "diurna-test-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "diurna")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		panic("build diurna: " + err.Error() + "\n" + string(out))
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// diurna runs the binary and returns what it wrote to its standard output; it must succeed.
func diurna(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, code := diurnaCode(t, args...)
	if code != 0 {
		t.Fatalf("diurna %s: exit code %d\n%s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

func diurnaCode(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatalf("start diurna: %v", err)
	}
	return out.String(), problems.String(), cmd.ProcessState.ExitCode()
}

// query runs a query and returns its rows without the header.
func query(t *testing.T, home, sql string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(diurna(t, "sql", "--home", home, "--format", "csv", sql))).ReadAll()
	if err != nil {
		t.Fatalf("read answer of %q: %v", sql, err)
	}
	return rows[1:]
}

// readCSV returns the rows of a file without the header.
func readCSV(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

// goldTables are tables that steps and heart rates come to; their rows are compared whole.
var goldTables = []string{
	"activity_days", "activity_hours", "baselines", "heart_rate_days", "medal_days", "movement_days", "ranking_days",
	"resting_heart_rate_days", "sleep_nights", "sleep_windows", "user_days", "wear_days",
}

// goldQuery selects all their rows, as text.
func goldQuery() string {
	selects := make([]string, len(goldTables))
	for i, table := range goldTables {
		selects[i] = fmt.Sprintf("select '%[1]s' as table_name, cast(r as varchar) as row_text from %[1]s as r", table)
	}
	return strings.Join(selects, " union all ") + " order by all"
}

// gold returns every row of them, by table.
func gold(t *testing.T, home string) map[string][]string {
	t.Helper()
	return byTable(query(t, home, goldQuery()))
}

// byTable sorts what goldQuery answers.
func byTable(answer [][]string) map[string][]string {
	tables := map[string][]string{}
	for _, row := range answer {
		tables[row[0]] = append(tables[row[0]], row[1])
	}
	return tables
}

// compareGold compares all rows of all tables.
func compareGold(t *testing.T, when string, want, got map[string][]string) {
	t.Helper()
	for _, name := range goldTables {
		if !slices.Equal(want[name], got[name]) {
			t.Errorf("%s: table %s differs: %d rows, want %d", when, name, len(got[name]), len(want[name]))
		}
	}
}
