package lake

import (
	"cmp"
	"math"
	"slices"

	"github.com/diurna-health/diurna/schemas"
)

// A part is a row that has something to say about an hour, and where its samples are.
type part struct {
	*piece
	in *pieces
}

// A resolver brings the rows of one hour down to one sample per instant: the highest revision wins, the later of two in
// one batch; what a newer deletion covers is left out. The samples that are left are cut again by what a row has in
// common, so that every order of arrival ends in the same rows.
//
// It goes through an hour by stretches, not by samples: where one part alone has a word its samples are copied, and
// where a part was sent again the older copy is skipped as a whole.
type resolver struct {
	symbols  *symbols
	segments []segment
	cuts     []cutRow
}

// resolve appends what is left of the parts to out. Old parts come before fresh ones, and those of one message in their
// order.
func (r *resolver) resolve(parts []part, hiding []deletion, out *pieces) {
	r.segments, r.cuts = r.segments[:0], r.cuts[:0]
	for i := range parts {
		r.split(&parts[i])
	}
	for {
		best := r.winner()
		if best == nil {
			break
		}
		stretch := best.take(best.before(r.yield(best)))
		row := r.cut(best.part)
		if len(hiding) > 0 {
			row.addShown(stretch, best, hiding)
		} else {
			row.add(stretch, best.revision)
		}
	}
	r.write(out)
}

// split cuts a part into segments.
func (r *resolver) split(p *part) {
	offsets, values := p.in.offsetsOf(p.piece), p.in.valuesOf(p.piece)
	at := 0
	for _, run := range p.in.revisionsOf(p.piece) {
		n := int(run.Count)
		s := segment{part: p, revision: run.Revision(), stretch: stretch{values: values[at : at+n]}}
		if p.periodMS > 0 && len(offsets) == 1 {
			s.step, s.at = p.periodMS, offsets[0]+int32(at)*p.periodMS
			s.last = s.at + int32(n-1)*s.step
		} else {
			s.offsets = offsets[at : at+n]
			s.at, s.last = s.offsets[0], s.offsets[n-1]
		}
		r.segments = append(r.segments, s)
		at += n
	}
}

// winner returns the segment that has the earliest instant, nil at the end: of several the one with the highest
// revision, and of equal revisions the later row, for a batch that says a thing twice means the second.
func (r *resolver) winner() *segment {
	var best *segment
	for i := range r.segments {
		s := &r.segments[i]
		switch {
		case len(s.values) == 0:
		case best == nil || s.at < best.at:
			best = s
		case s.at == best.at && s.revision.Compare(best.revision) >= 0:
			best = s
		}
	}
	return best
}

// yield takes from all other segments what the winner says better, and returns the instant at which one of them has a
// word again. A segment that beats at the winner's pace loses all its beats to it.
func (r *resolver) yield(winner *segment) (until int32) {
	until = math.MaxInt32
	for i := range r.segments {
		s := &r.segments[i]
		if s == winner || len(s.values) == 0 {
			continue
		}
		if s.at == winner.at {
			if s.step > 0 && s.step == winner.step {
				s.take(s.before(winner.last + 1))
			} else {
				s.take(1)
			}
			if len(s.values) == 0 {
				continue
			}
		}
		until = min(until, s.at)
	}
	return until
}

// cut returns the row that gathers what a part's samples have in common.
func (r *resolver) cut(p *part) *cutRow {
	for i := range r.cuts {
		if r.cuts[i].cut == p.cut {
			return &r.cuts[i]
		}
	}
	if len(r.cuts) < cap(r.cuts) {
		r.cuts = r.cuts[:len(r.cuts)+1] // with its buffers
	} else {
		r.cuts = append(r.cuts, cutRow{})
	}
	row := &r.cuts[len(r.cuts)-1]
	row.begin(p.piece)
	return row
}

func (r *resolver) write(out *pieces) {
	slices.SortFunc(r.cuts, func(a, b cutRow) int { return r.symbols.compareCuts(a.cut, b.cut) })
	for i := range r.cuts {
		if row := &r.cuts[i]; len(row.values) > 0 { // none when all of it is hidden
			out.add(row.piece, row.offsets, row.values, row.revisions...)
		}
	}
}

// compareCuts orders the rows of one key.
func (s *symbols) compareCuts(a, b cut) int {
	return cmp.Or(cmp.Compare(a.date, b.date), cmp.Compare(a.offsetMin, b.offsetMin), cmp.Compare(a.periodMS, b.periodMS),
		s.compare(a.source, b.source))
}

// A stretch is samples that follow each other: one every step ms, or with an offset each.
type stretch struct {
	at      int32 // of the first sample, in ms within the hour
	step    int32 // 0 = they have offsets
	offsets []int32
	values  []int32
}

// A segment is the samples of a part that one revision won, those that were not taken yet.
type segment struct {
	stretch

	part     *part
	revision schemas.Revision
	last     int32 // where its last sample is
}

// before returns how many samples lie before an instant.
func (s *segment) before(instant int32) int {
	switch {
	case instant > s.last:
		return len(s.values)
	case instant <= s.at:
		return 0
	case s.step > 0:
		return int((instant - s.at + s.step - 1) / s.step)
	default:
		n, _ := slices.BinarySearch(s.offsets, instant)
		return n
	}
}

// take takes the first n samples off.
func (s *segment) take(n int) stretch {
	taken := stretch{at: s.at, step: s.step, values: s.values[:n]}
	s.values = s.values[n:]
	if s.step > 0 {
		s.at += int32(n) * s.step
		return taken
	}
	taken.offsets, s.offsets = s.offsets[:n], s.offsets[n:]
	if len(s.offsets) > 0 {
		s.at = s.offsets[0]
	}
	return taken
}

// A cutRow is a row of silver in the making.
type cutRow struct {
	piece

	even      bool    // so far the samples follow each other at the period, and offsets holds only the first
	offsets   []int32 // as they will be stored
	values    []int32
	revisions []schemas.RevisionRun
}

func (c *cutRow) begin(like *piece) {
	c.piece, c.even = *like, like.periodMS > 0
	c.item = 0
	c.offsets, c.values, c.revisions = c.offsets[:0], c.values[:0], c.revisions[:0]
}

// add appends samples that one revision won.
func (c *cutRow) add(s stretch, revision schemas.Revision) {
	if n := len(c.revisions); n > 0 && c.revisions[n-1].Revision() == revision {
		c.revisions[n-1].Count += int32(len(s.values))
	} else {
		c.revisions = append(c.revisions, run(revision, int32(len(s.values))))
	}
	for i, at := range s.offsets {
		c.place(at, 1, c.periodMS)
		c.values = append(c.values, s.values[i])
	}
	if s.step > 0 {
		c.place(s.at, len(s.values), s.step)
		c.values = append(c.values, s.values...)
	}
}

// place notes where the next n samples lie.
func (c *cutRow) place(at int32, n int, step int32) {
	count := int32(len(c.values))
	if c.even {
		if count == 0 {
			c.offsets = append(c.offsets, at)
			return
		}
		if at == c.offsets[0]+count*c.periodMS {
			return
		}
		c.even = false
		for i := int32(1); i < count; i++ {
			c.offsets = append(c.offsets, c.offsets[0]+i*c.periodMS)
		}
	}
	for i := range int32(n) {
		c.offsets = append(c.offsets, at+i*step)
	}
}

// addShown is add for a person with deletions: without the samples that one of them hides.
func (c *cutRow) addShown(s stretch, from *segment, hiding []deletion) {
	symbols, row := from.part.in.symbols, from.part.piece
	for i, value := range s.values {
		at := s.at + int32(i)*s.step
		if s.step == 0 {
			at = s.offsets[i]
		}
		hidden := slices.ContainsFunc(hiding, func(d deletion) bool {
			return d.hides(symbols.text(row.device), symbols.text(row.metric), row.hourAt+int64(at)*msUS, from.revision)
		})
		if !hidden {
			c.add(stretch{at: at, offsets: []int32{at}, values: []int32{value}}, from.revision)
		}
	}
}

// sameSamples reports whether the parts and the rows hold the same samples in the same rows, whatever revision won them.
func sameSamples(parts []part, rows []piece, in *pieces) bool {
	if len(parts) != len(rows) {
		return false
	}
	for i := range rows {
		a, b := parts[i], &rows[i]
		if a.cut != b.cut || !slices.Equal(a.in.offsetsOf(a.piece), in.offsetsOf(b)) ||
			!slices.Equal(a.in.valuesOf(a.piece), in.valuesOf(b)) {
			return false
		}
	}
	return true
}

// packOffsets leaves only the first offset of samples that follow each other at the period.
func packOffsets(offsets []int32, period int32) []int32 {
	if period == 0 {
		return offsets
	}
	for i := 1; i < len(offsets); i++ {
		if offsets[i]-offsets[i-1] != period {
			return offsets
		}
	}
	return offsets[:1]
}

func run(rev schemas.Revision, count int32) schemas.RevisionRun {
	return schemas.RevisionRun{
		Count: count, DeviceEpoch: rev.DeviceEpoch, Seq: rev.Seq, BrokerAt: rev.BrokerAt,
		Partition: rev.Partition, Offset: rev.Offset,
	}
}
