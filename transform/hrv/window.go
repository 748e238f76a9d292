package hrv

import "slices"

// WindowMS is the length of a window, the Task Force's short-term recording. Windows begin at whole multiples of it
// since 1970-01-01 UTC.
const WindowMS = 5 * 60_000

// A Run is an unbroken run of beat-to-beat intervals.
type Run struct {
	StartMS     int64 // ms since 1970-01-01 UTC, the beat before the first interval
	IntervalsMS []int32
}

// A Window is what the beats of five minutes say. An interval belongs to the window its last beat lies in, a difference
// to the window of its later interval.
type Window struct {
	StartMS   int64 // ms since 1970-01-01 UTC
	Beats     int64 // intervals, artefacts included
	Artefacts int64 // intervals left out: impossible ones, and those bent by a faulty beat
	Sums
}

// appendRun adds the windows of a run that hold a beat to those of the runs before it, which told the beats until then: where
// the run begins before that, its beats of before are left out.
func (m *marker) appendRun(windows []Window, run *Run, told int64) ([]Window, int64) {
	marked := m.mark(run.IntervalsMS)
	at, before := run.StartMS, int32(0)
	for i, ms := range run.IntervalsMS {
		from := at
		at += int64(ms)
		if from < told {
			before = 0
			continue
		}
		start := at - at%WindowMS
		if n := len(windows); n == 0 || windows[n-1].StartMS != start {
			windows = append(windows, Window{StartMS: start})
		}
		w := &windows[len(windows)-1]
		w.Beats++
		if marked[i] {
			w.Artefacts++
			before = 0
			continue
		}
		w.add(ms, before)
		before = ms
	}
	return windows, max(told, at)
}

// A marker marks the intervals of one run after the other, in the same memory.
type marker struct {
	classifier classifier
	marked     []bool
}

// mark marks the intervals of a run that are not normal: those that are impossible and, in the stretches between them,
// those that the classifier finds. A stretch too short for its medians is judged by Malik's rule. The marks are there until
// the next run's.
func (m *marker) mark(intervalsMS []int32) []bool {
	marked := slices.Grow(m.marked[:0], len(intervalsMS))[:len(intervalsMS)]
	clear(marked)
	m.marked = marked
	isPossible := func(ms int32) bool { return ms >= ShortestMS && ms <= LongestMS }
	for i := 0; i < len(intervalsMS); {
		if !isPossible(intervalsMS[i]) {
			marked[i] = true
			i++
			continue
		}
		stretch := intervalsMS[i:]
		if end := slices.IndexFunc(stretch, func(ms int32) bool { return !isPossible(ms) }); end >= 0 {
			stretch = stretch[:end]
		}
		if len(stretch) < medianWidth {
			copy(marked[i:], Malik(stretch))
		} else {
			m.classifier.classify(stretch).mark(marked[i:])
		}
		i += len(stretch)
	}
	return marked
}
