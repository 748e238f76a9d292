package reports

import (
	"maps"
	"slices"
)

// basis lists what the figures rest on: what counts as a day, which sources spoke, which methods were used.
func (f *frame) basis(e *evidence, s *Snapshot) []Basis {
	basis := []Basis{}
	if s.Status == StatusEmpty {
		return basis
	}
	add := func(kind BasisKind, n, of int) {
		if n > 0 {
			basis = append(basis, Basis{Kind: kind, N: n, Of: of})
		}
	}
	basis = append(basis, Basis{Kind: BasisValidDays})

	segments, summaries := 0, 0
	for _, n := range s.Sleep.Nights {
		switch n.Source {
		case "segments":
			segments++
		case "summary":
			summaries++
		}
	}
	add(BasisSleepSegments, segments, s.Coverage.OfNights)
	add(BasisSleepSummary, summaries, s.Coverage.OfNights)

	byHeartRate, byMotion := 0, 0
	for _, d := range s.Coverage.Days {
		if d.Day != CellValid && d.Day != CellShort {
			continue
		}
		switch d.WearSource {
		case "heart_rate":
			byHeartRate++
		case "motion":
			byMotion++
		}
	}
	add(BasisWearHeartRate, byHeartRate, s.Coverage.OfDays)
	add(BasisWearMotion, byMotion, s.Coverage.OfDays)

	if measured := e.figures["measured_min"]; measured.n > 0 {
		basis = append(basis, Basis{Kind: BasisHeartRate, N: measured.n, Of: s.Coverage.OfDays, Mean: number(measured.mean)})
	}
	add(BasisDeviceActivity, s.Movement.ActiveTotal.N, s.Coverage.OfDays)
	if slices.ContainsFunc(s.Headline.Tiles, func(t Tile) bool { return t.Comparison.Change != nil }) {
		basis = append(basis, Basis{Kind: BasisComparison})
	}
	if methods := e.methods(); len(methods) > 0 {
		basis = append(basis, Basis{Kind: BasisMethods, Methods: methods})
	}
	return append(basis, Basis{Kind: BasisMayChange})
}

// methods returns the versions of the models whose rows are in the report, sorted.
func (e *evidence) methods() []string {
	seen := map[string]bool{}
	for _, d := range e.days {
		seen[d.method] = true
	}
	for _, n := range e.nights {
		seen[n.method] = true
	}
	for _, h := range e.hearts {
		seen[h.method] = true
	}
	for _, m := range e.movements {
		seen[m.method] = true
	}
	delete(seen, "")
	return slices.Sorted(maps.Keys(seen))
}
