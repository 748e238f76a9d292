package lake

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/diurna-health/diurna/schemas"
)

func TestAScanFindsTheHoursOfTheDatesThatAreAskedFor(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 4))
		hours := randomHours(rng, 300+rng.IntN(3000))
		files, paths := writeHourFiles(t, rng, hours)
		var people []PersonDates
		for n := range 12 { // some of whom nobody has heard
			var dates []int32
			for date := range int32(40) {
				if rng.IntN(3) == 0 {
					dates = append(dates, date)
				}
			}
			if rng.IntN(4) > 0 {
				people = append(people, PersonDates{UserID: fmt.Sprint("u", n), Dates: dates})
			}
		}
		slices.SortFunc(people, func(a, b PersonDates) int { return cmp.Compare(a.UserID, b.UserID) })
		metrics := []string{"m2", "m0", "none"}

		var want []schemas.SeriesHour
		for _, p := range people {
			for _, h := range hours {
				if h.UserID == p.UserID && slices.Contains(p.Dates, h.LocalDate) && slices.Contains(metrics, h.Metric) {
					h.UserBucket, h.LocalMonth, h.Revisions = 0, 0, nil
					want = append(want, h)
				}
			}
		}
		scan := ScanHours(files, paths, metrics, people)
		var got []schemas.SeriesHour
		for scan.Next(t.Context()) {
			for _, h := range scan.Hours() { // who changes a list changes no other
				_ = append(h.OffsetsMS, -1)
				_ = append(h.Values, -1)
			}
			for i, h := range scan.Hours() {
				if h.UserID != scan.Hours()[0].UserID || i > 0 && h.LocalDate < scan.Hours()[i-1].LocalDate {
					t.Fatal("the hours of a person do not come date by date")
				}
				h.OffsetsMS, h.Values = slices.Clone(h.OffsetsMS), slices.Clone(h.Values)
				got = append(got, h)
			}
		}
		if err := scan.Err(); err != nil {
			t.Fatal(err)
		}
		scan.Close()
		for _, of := range [][]schemas.SeriesHour{want, got} {
			slices.SortFunc(of, compareSomeHours)
		}
		wantHours(t, want, got)
	}
}

// compareSomeHours puts rows of randomHours in one order, whatever files they lay in.
func compareSomeHours(a, b schemas.SeriesHour) int {
	return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.LocalDate, b.LocalDate), cmp.Compare(a.HourAt, b.HourAt))
}

// writeHourFiles writes rows as files of the table, each in its order: in groups of a few rows, with bounds or without.
func writeHourFiles(t *testing.T, rng *rand.Rand, hours []schemas.SeriesHour) (files []File, paths []string) {
	t.Helper()
	dir := t.TempDir()
	parts := make([][]schemas.SeriesHour, 1+rng.IntN(6))
	for _, h := range hours {
		n := rng.IntN(len(parts))
		if n == 1 && h.UserID < "u4" { // a file of some people only
			n = 0
		}
		parts[n] = append(parts[n], h)
	}
	for n, part := range parts {
		slices.SortFunc(part, func(a, b schemas.SeriesHour) int {
			return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.HourAt, b.HourAt))
		})
		path := filepath.Join(dir, fmt.Sprint(n, ".parquet"))
		writeHourFile(t, path, 50+rng.Int64N(500), part)
		f := File{Path: path}
		if len(part) > 0 && rng.IntN(3) > 0 {
			f.Lower = map[string]Bound{"user_id": {Text: part[0].UserID}}
			f.Upper = map[string]Bound{"user_id": {Text: part[len(part)-1].UserID}}
		}
		files, paths = append(files, f), append(paths, path)
	}
	return files, paths
}

func writeHourFile(t *testing.T, path string, groupRows int64, hours []schemas.SeriesHour) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := parquet.NewGenericWriter[schemas.SeriesHour](f, append(fileOptions(nil), parquet.MaxRowsPerRowGroup(groupRows))...)
	if _, err := w.Write(hours); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAScanRefusesWhatItCannotTrust(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	hours := func(users ...string) []schemas.SeriesHour {
		var of []schemas.SeriesHour
		for _, user := range users {
			of = append(of, schemas.SeriesHour{UserID: user, Metric: "steps", Values: []int32{1}, OffsetsMS: []int32{0}})
		}
		return of
	}
	unordered, whole := filepath.Join(dir, "unordered"), filepath.Join(dir, "whole")
	writeHourFile(t, unordered, 1000, hours("a", "c", "b"))
	writeHourFile(t, whole, 1000, hours("a", "b", "c"))
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(dir, "damaged")
	if err := os.WriteFile(damaged, data[:len(data)-9], 0o600); err != nil {
		t.Fatal(err)
	}
	everybody := []PersonDates{{"a", []int32{0}}, {"b", []int32{0}}, {"c", []int32{0}}}
	for path, want := range map[string]string{
		unordered: "not in the order of its table", damaged: "footer", filepath.Join(dir, "none"): "no such file", whole: "",
	} {
		scan := ScanHours([]File{{Path: path}}, []string{path}, []string{"steps"}, everybody)
		for scan.Next(t.Context()) {
		}
		scan.Close()
		if got := scan.Err(); (got == nil) != (want == "") || got != nil && !strings.Contains(got.Error(), want) {
			t.Errorf("a scan of the file %s ended with %v, want %q", filepath.Base(path), got, want)
		}
	}
}
