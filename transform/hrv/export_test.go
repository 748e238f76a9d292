package hrv

// Mark marks the intervals of one run, as runs of windows are marked.
func Mark(intervalsMS []int32) []bool { return new(marker).mark(intervalsMS) }

// Classify finds the artefacts of one series of possible intervals.
func Classify(intervalsMS []int32) *Artefacts { return new(classifier).classify(intervalsMS) }

// Count returns the number of artefacts.
func (a *Artefacts) Count() int {
	return len(a.Ectopic) + len(a.Missed) + len(a.Extra) + len(a.LongShort)
}

// Windows cuts runs, in order of their start, into windows and returns those that hold a beat.
func Windows(runs []Run) []Window {
	var windows []Window
	var m marker
	told := int64(0) // nothing before is new
	for i := range runs {
		windows, told = m.appendRun(windows, &runs[i], told)
	}
	return windows
}

// SumsOf adds up intervals that follow each other; marked ones are left out and part their neighbours. Without marks all
// are taken.
func SumsOf(intervalsMS []int32, marked []bool) Sums {
	var s Sums
	before := int32(0)
	for i, ms := range intervalsMS {
		if marked != nil && marked[i] {
			before = 0
			continue
		}
		s.add(ms, before)
		before = ms
	}
	return s
}
