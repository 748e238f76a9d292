package heart

import "github.com/diurna-health/diurna/transform/samples"

// Awake returns the mean heart rate of the minutes out of bed, and how many they are.
func Awake(heart samples.Heart, beds samples.Spans) (meanBPM float64, measuredMin int) {
	sum := rate(0)
	for i, minute := range heart.Minutes {
		if !beds.Contain(minute) {
			sum += rateOf(heart.Mean(i))
			measuredMin++
		}
	}
	return sum.mean(measuredMin), measuredMin
}
