package main_test

import (
	"bytes"
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
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

// goldTables are the tables people see; their rows are compared whole.
var goldTables = []string{"activity_days", "heart_rate_days", "sleep_nights", "wear_days", "user_days"}

// gold returns every row of every gold table.
func gold(t *testing.T, home string) map[string][][]string {
	t.Helper()
	tables := map[string][][]string{}
	for _, table := range goldTables {
		tables[table] = query(t, home, "select * from "+table+" order by all")
	}
	return tables
}
