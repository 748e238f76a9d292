package main_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestARepairedHomeGivesTheSameTables(t *testing.T) {
	t.Parallel()
	export := writeExport(t, 4, 4)
	home := filepath.Join(t.TempDir(), "home")
	importing := []string{"import", "fitabase", export, "--zone", "Europe/Berlin", "--home", home, "--flush-age", "1ms", "--batch-hours", "4"}
	diurna(t, importing...)
	want, wantSamples := gold(t, home), samples(t, home)
	status := func() string { // how far bronze is
		for line := range strings.SplitSeq(diurna(t, "lake", "status", "--home", home), "\n") {
			if _, reached, ok := strings.Cut(line, "received "); ok {
				return reached
			}
		}
		return ""
	}
	received := status()

	for _, name := range []string{"ledger.db", "ledger.db-wal", "ledger.db-shm"} {
		if err := os.Remove(filepath.Join(home, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	diurna(t, "lake", "repair", "--from-files", "--home", home)
	if got := status(); got != received || got == "" {
		t.Errorf("bronze is %q, want %q", got, received)
	}
	compare := func(when string) {
		t.Helper()
		compareGold(t, when, want, gold(t, home))
		if gotSamples := samples(t, home); !slices.EqualFunc(wantSamples, gotSamples, slices.Equal[[]string]) {
			t.Errorf("%s: samples are %v, want %v", when, gotSamples, wantSamples)
		}
	}
	compare("after the repair")
	diurna(t, "lake", "verify", "--home", home)
	diurna(t, importing...) // life goes on: the same once more changes nothing
	compare("after another import")
}
