package tracks

// A Length is a swim from wall to wall.
type Length struct {
	Seconds float64
	Strokes int32 // of the arm with the watch
}

// SWOLF is seconds and strokes of a length; it compares lengths of one pool only.
func (l Length) SWOLF() float64 { return l.Seconds + float64(l.Strokes) }

// MeanSWOLF returns the mean over the lengths; false when there are none.
func MeanSWOLF(lengths []Length) (mean float64, ok bool) {
	for _, l := range lengths {
		mean += l.SWOLF()
	}
	return mean / float64(len(lengths)), len(lengths) > 0
}
