package tracks

import (
	"math"
	"slices"
)

// earthRadiusM is the mean radius of the Earth after the IUGG.
const earthRadiusM = 6_371_008.8

// A Fix is where somebody was at a time.
type Fix struct {
	MS        int64   // since 1970-01-01 UTC
	Lat, Lon  float64 // degrees
	AccuracyM float64 // 0 = not told
}

const radian = math.Pi / 180 // per degree

// DistanceM returns the great-circle distance of two fixes in metres (haversine).
func DistanceM(a, b Fix) float64 {
	return distanceM(a, b, math.Cos(a.Lat*radian), math.Cos(b.Lat*radian))
}

// distanceM is DistanceM with the cosines of the latitudes.
func distanceM(a, b Fix, cosA, cosB float64) float64 {
	lat := math.Sin((b.Lat - a.Lat) * radian / 2)
	lon := math.Sin((b.Lon - a.Lon) * radian / 2)
	h := lat*lat + cosA*cosB*lon*lon
	return 2 * earthRadiusM * math.Asin(math.Min(1, math.Sqrt(h)))
}

// isWithin reports whether the distance of two fixes is at most so many metres. The way along the meridian and then along
// the equator is never shorter than the straight one, and mostly tells it already.
func isWithin(a, b Fix, m float64) bool {
	const rounded = 1 + 1e-9
	if (math.Abs(b.Lat-a.Lat)+math.Abs(b.Lon-a.Lon))*(radian*earthRadiusM*rounded) <= m {
		return true
	}
	return DistanceM(a, b) <= m
}

// Rules are what a kind of sport allows.
type Rules struct {
	SpeedCapMS    float64 // no such sport is faster
	MovingFromMS  float64 // slower is rest
	PauseFromMS   int64   // a rest this long, in ms, is a pause
	GapFromMS     int64   // fixes further apart than this many ms leave a gap
	AccuracyCapM  float64 // fixes less accurate are left out
	ClimbFromM    float64 // the height changes when it differs by more
	LostAfterFixs int     // so many fixes too far away in a row: not they are wrong but the one before them
}

// Clean leaves out fixes that cannot be, and smooths the others by the median of three. The number left out is returned.
func Clean(fixes []Fix, rules Rules) (clean []Fix, leftOut int) {
	clean = make([]Fix, 0, len(fixes))
	away := 0 // fixes left out in a row for being too far away
	for _, f := range fixes {
		if f.AccuracyM > rules.AccuracyCapM {
			leftOut++
			continue
		}
		if n := len(clean); n > 0 {
			last := clean[n-1]
			if f.MS <= last.MS {
				leftOut++
				continue
			}
			f.Lon += 360 * math.Round((last.Lon-f.Lon)/360) // the shorter way round
			if !isWithin(last, f, rules.SpeedCapMS*float64(f.MS-last.MS)/1000) {
				if away++; away <= rules.LostAfterFixs {
					leftOut++
					continue
				}
			}
		}
		away = 0
		clean = append(clean, f)
	}
	smooth(clean)
	return clean, leftOut
}

// smooth takes each fix but the ends to the median of itself and its neighbours.
func smooth(fixes []Fix) {
	if len(fixes) < 3 {
		return
	}
	before := fixes[0]
	for i := 1; i < len(fixes)-1; i++ {
		was := fixes[i]
		fixes[i].Lat = median(before.Lat, was.Lat, fixes[i+1].Lat)
		fixes[i].Lon = median(before.Lon, was.Lon, fixes[i+1].Lon)
		before = was
	}
}

func median(a, b, c float64) float64 { return max(min(a, b), min(max(a, b), c)) }

// A Course is how far somebody had come at each time.
type Course struct {
	MS []int64
	M  []float64 // rises

	MovingMS   int64 // without rest that is long enough for a pause
	PauseCount int
	PausedMS   int64
	GapCount   int
	GapMS      int64 // the time that gaps took beyond what is none
	LongestMS  int64 // the longest time between two fixes
}

// TotalM returns the whole distance.
func (c *Course) TotalM() float64 {
	if len(c.M) == 0 {
		return 0
	}
	return c.M[len(c.M)-1]
}

// Follow adds up the way along clean fixes. Rest adds nothing to it, for at rest the noise alone moves; nor does a jump
// that no such sport makes.
func Follow(fixes []Fix, rules Rules) Course {
	steps := make([]float64, 0, len(fixes))
	cosBefore := 0.0
	if len(fixes) > 0 {
		cosBefore = math.Cos(fixes[0].Lat * radian)
	}
	for i := 1; i < len(fixes); i++ {
		cos := math.Cos(fixes[i].Lat * radian)
		step := distanceM(fixes[i-1], fixes[i], cosBefore, cos)
		cosBefore = cos
		if step > rules.SpeedCapMS*float64(fixes[i].MS-fixes[i-1].MS)/1000 {
			step = 0
		}
		steps = append(steps, step)
	}
	times := make([]int64, len(fixes))
	for i, f := range fixes {
		times[i] = f.MS
	}
	return follow(times, steps, rules)
}

// FollowSteps is Follow for a device that tells how far it came from sample to sample. It adds up whole centimetres, so that
// five kilometres are five kilometres and not a hair more or less.
func FollowSteps(times, cumulativeCM []int64, rules Rules) Course {
	const cmPerM = 100
	steps := make([]float64, 0, len(times))
	for i := 1; i < len(times); i++ {
		steps = append(steps, float64(max(0, cumulativeCM[i]-cumulativeCM[i-1])))
	}
	rules.MovingFromMS *= cmPerM // as the steps are
	c := follow(times, steps, rules)
	for i := range c.M {
		c.M[i] /= cmPerM
	}
	return c
}

func follow(times []int64, steps []float64, rules Rules) Course {
	c := Course{MS: times, M: make([]float64, len(times))}
	for i := 1; i < len(times); {
		rest, end := int64(0), i
		for end < len(times) && isRest(times, steps, end, rules) {
			rest += times[end] - times[end-1]
			end++
		}
		if rest >= rules.PauseFromMS && end > i {
			c.PauseCount++
			c.PausedMS += rest
			for ; i < end; i++ {
				c.M[i] = c.M[i-1]
				c.gap(times[i]-times[i-1], rules)
			}
			continue
		}
		for end = max(end, i+1); i < end; i++ {
			c.M[i] = c.M[i-1] + steps[i-1]
			c.MovingMS += times[i] - times[i-1]
			c.gap(times[i]-times[i-1], rules)
		}
	}
	return c
}

func isRest(times []int64, steps []float64, i int, rules Rules) bool {
	return steps[i-1]*1000 < rules.MovingFromMS*float64(times[i]-times[i-1])
}

func (c *Course) gap(ms int64, rules Rules) {
	c.LongestMS = max(c.LongestMS, ms)
	if ms > rules.GapFromMS {
		c.GapCount++
		c.GapMS += ms
	}
}

// Climb returns the metres climbed and descended: the height changes when it differs from the last by more than the
// threshold, so that noise does not climb.
func Climb(heightsM []float64, fromM float64) (gainM, lossM float64) {
	for i, reference := 0, 0.0; i < len(heightsM); i++ {
		switch h := heightsM[i]; {
		case i == 0:
			reference = h
		case h-reference > fromM:
			gainM += h - reference
			reference = h
		case reference-h > fromM:
			lossM += reference - h
			reference = h
		}
	}
	return gainM, lossM
}

// timeAt returns when the course had come to a distance, in ms since its first time, interpolated.
func (c *Course) timeAt(m float64) float64 {
	i, _ := slices.BinarySearch(c.M, m)
	if i == 0 {
		return 0
	}
	return c.interpolate(i, m)
}

// interpolate returns when, between samples i-1 and i, the course had come to a distance.
func (c *Course) interpolate(i int, m float64) float64 {
	from, step := float64(c.MS[i-1]-c.MS[0]), float64(c.MS[i]-c.MS[i-1])
	return from + step*(m-c.M[i-1])/(c.M[i]-c.M[i-1])
}

// A Split is a part of a course.
type Split struct {
	StartMS, EndMS float64 // since the first time of the course
	DistanceM      float64
	IsWhole        bool // as long as the others, and not what was left at the end
}

// Splits cuts the course at each multiple of a distance.
func Splits(c *Course, everyM float64) (splits []Split) {
	last, start := 0.0, 0.0
	for m := everyM; m <= c.TotalM(); m += everyM {
		end := c.timeAt(m)
		splits = append(splits, Split{start, end, everyM, true})
		last, start = m, end
	}
	if left := c.TotalM() - last; left > 0 {
		splits = append(splits, Split{start, c.timeAt(c.TotalM()), left, false})
	}
	return splits
}

// An Effort is the fastest part of a course of a length.
type Effort struct {
	StartMS, DurationMS float64 // since the first time of the course
}

// BestEffort returns the fastest part of the length without a gap longer than the rules allow; of two as fast the first.
func BestEffort(c *Course, lengthM float64, rules Rules) (best Effort, ok bool) {
	for from := 0; from < len(c.MS); {
		to := from + 1
		for to < len(c.MS) && c.MS[to]-c.MS[to-1] <= rules.GapFromMS {
			to++
		}
		part := Course{MS: c.MS[from:to], M: c.M[from:to]}
		since := float64(c.MS[from] - c.MS[0])
		if e, found := part.bestEffort(lengthM); found && (!ok || e.DurationMS < best.DurationMS) {
			best, ok = Effort{e.StartMS + since, e.DurationMS}, true
		}
		from = to
	}
	return best, ok
}

func (c *Course) bestEffort(lengthM float64) (best Effort, ok bool) {
	keep := func(start, end float64) {
		if !ok || end-start < best.DurationMS {
			best, ok = Effort{start, end - start}, true
		}
	}
	end, start := 0, 0 // the samples at or behind the other end
	for i := range c.MS {
		at := float64(c.MS[i] - c.MS[0])
		for end < len(c.M) && c.M[end]-c.M[i] < lengthM {
			end++
		}
		if end < len(c.M) && end > 0 { // begins at i
			keep(at, c.interpolate(end, c.M[i]+lengthM))
		}
		target := c.M[i] - lengthM
		if target < c.M[0] {
			continue
		}
		for start < len(c.M) && c.M[start] <= target {
			start++
		}
		// It ends at i, and began between start-1 and start: as late as it can.
		began := float64(c.MS[start-1] - c.MS[0])
		if start < len(c.M) && target > c.M[start-1] {
			began = c.interpolate(start, target)
		}
		keep(began, at)
	}
	return best, ok
}
