package samples

import "github.com/diurna-health/diurna/transform/rows"

// heldLists are the columns of a date's histogram of heart rates, and what its samples come to besides.
type heldLists struct {
	rates, counts, held, weights *rows.IntLists
	measured, length             *rows.Numbers[int32]
	refused, span                *rows.Numbers[int64]
}

func newHeldLists() *heldLists {
	return &heldLists{
		rates: rows.Int32Lists("held_rates_bpm"), counts: rows.Int32Lists("held_sample_counts"),
		held: rows.Int32Lists("held_ms"), weights: rows.Int32Lists("held_weights_ms"),
		measured: rows.Int32s("heart_rate_measured_min"), refused: rows.Int64s("heart_rate_refused_count"),
		length: rows.Int32s("date_length_min"), span: rows.Int64s("heart_rate_span_ms"),
	}
}

func (l *heldLists) columns() []rows.Column {
	return []rows.Column{l.rates, l.counts, l.held, l.weights, l.measured, l.refused, l.length, l.span}
}

// add adds the histogram of a date. Nothing held has no list.
func (l *heldLists) add(rates []rate, s *summary) {
	isThere := len(rates) > 0
	l.measured.AddIf(isThere, int32(s.measuredMin))
	l.refused.AddIf(isThere, s.refused)
	l.length.AddIf(isThere, int32(s.lengthMin))
	l.span.AddIf(isThere, s.spanMS)
	for _, f := range []struct {
		column *rows.IntLists
		of     func(*rate) int64
	}{
		{l.rates, func(r *rate) int64 { return int64(r.bpm) }},
		{l.counts, func(r *rate) int64 { return r.count }},
		{l.held, func(r *rate) int64 { return r.heldMS }},
		{l.weights, func(r *rate) int64 { return r.weightMS }},
	} {
		if !isThere {
			f.column.Skip()
			continue
		}
		values := f.column.Extend(len(rates))
		for i := range rates {
			values[i] = int32(f.of(&rates[i]))
		}
		f.column.End()
	}
}

// flatLists are the columns of a date's stretches without change.
type flatLists struct{ minutes, lengths *rows.IntLists }

func newFlatLists() *flatLists {
	return &flatLists{minutes: rows.Int32Lists("flat_line_minutes"), lengths: rows.Int32Lists("flat_line_lengths_ms")}
}

func (l *flatLists) columns() []rows.Column { return []rows.Column{l.minutes, l.lengths} }

func (l *flatLists) add(lines []line) {
	if len(lines) == 0 {
		l.minutes.Skip()
		l.lengths.Skip()
		return
	}
	for _, line := range lines {
		l.minutes.Append(int32(floorDiv(line.startedMS, minuteMS)))
		l.lengths.Append(int32(line.lengthMS))
	}
	l.minutes.End()
	l.lengths.End()
}
