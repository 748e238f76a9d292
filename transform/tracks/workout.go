package tracks

import (
	"cmp"
	"slices"
)

// A Sample is a value of a track at a time.
type Sample struct {
	MS       int64 // since 1970-01-01 UTC
	PeriodMS int32
	Value    int32
}

// A Workout is what was recorded of one.
type Workout struct {
	StartMS, EndMS int64
	Family         string // of the sport: run, walk, ride, swim ...
	Setting        string // outdoor, indoor, virtual, assisted or "" where it is not known
	Rules          Rules
	Track          map[string][]Sample // by metric, in order of time

	// What is known of the person's heart on the date; 0 = nothing.
	RestBPM, MaxBPM float64
	ZoneBounds      Zones
	Sex             string
}

// sortTrack puts samples in order of time; of two at one time the later one in the track counts.
func (w *Workout) sortTrack() {
	for metric, samples := range w.Track {
		if isRising(samples) {
			continue
		}
		slices.SortStableFunc(samples, func(a, b Sample) int { return cmp.Compare(a.MS, b.MS) })
		kept := samples[:0]
		for i, s := range samples {
			if i+1 < len(samples) && samples[i+1].MS == s.MS {
				continue
			}
			kept = append(kept, s)
		}
		w.Track[metric] = kept
	}
}

// isRising reports whether each sample is later than the one before it.
func isRising(samples []Sample) bool {
	for i := 1; i < len(samples); i++ {
		if samples[i].MS <= samples[i-1].MS {
			return false
		}
	}
	return true
}

const degree = 1e-7 // what positions are stored in

// fixes pairs latitudes and longitudes of the same time, within the workout.
func (w *Workout) fixes() (fixes []Fix) {
	if w.Setting == "indoor" || w.Setting == "virtual" {
		return nil // a position indoors is none, and that of a simulation is somewhere else
	}
	latitudes, longitudes := w.Track["latitude"], w.Track["longitude"]
	fixes = make([]Fix, 0, min(len(latitudes), len(longitudes)))
	for _, lat := range latitudes {
		for len(longitudes) > 0 && longitudes[0].MS < lat.MS {
			longitudes = longitudes[1:]
		}
		if len(longitudes) == 0 {
			break
		}
		if longitudes[0].MS == lat.MS && w.holds(lat.MS) {
			fixes = append(fixes, Fix{MS: lat.MS, Lat: float64(lat.Value) * degree, Lon: float64(longitudes[0].Value) * degree})
		}
	}
	return fixes
}

func (w *Workout) holds(ms int64) bool { return ms >= w.StartMS && ms <= w.EndMS }

// Course returns how far somebody had come at each time: by positions, or by the device's distances where there are none.
func (w *Workout) Course() Course {
	w.sortTrack()
	if positions, _ := w.positions(); len(positions.MS) > 1 {
		return positions
	}
	if counted := w.counted(); len(counted.MS) > 1 {
		return counted
	}
	return Course{}
}

// positions returns the course that the positions make, and how many fixes could not be.
func (w *Workout) positions() (c Course, leftOut int) {
	fixes, leftOut := Clean(w.fixes(), w.Rules)
	return Follow(fixes, w.Rules), leftOut
}

// counted returns the course that the device's own distances make. Each is what was covered in its period, of which the part
// within the workout counts; a spot value is what was covered since the one before.
func (w *Workout) counted() Course {
	var times, sums []int64
	total := int64(0) // cm
	reach := func(ms int64) {
		if n := len(times); n > 0 && ms <= times[n-1] {
			sums[n-1] = total
			return
		}
		times, sums = append(times, ms), append(sums, total)
	}
	for _, s := range w.Track["distance"] {
		period := int64(s.PeriodMS)
		from, to := max(s.MS, w.StartMS), min(s.MS+period, w.EndMS)
		switch {
		case period > 0 && from < to:
			reach(from) // nothing was covered since the last period
			total += (int64(s.Value)*(to-from) + period/2) / period
			reach(to)
		case period == 0 && w.holds(s.MS):
			if len(times) == 0 {
				reach(w.StartMS)
			}
			total += int64(s.Value)
			reach(s.MS)
		}
	}
	return FollowSteps(times, sums, w.Rules)
}

// covered returns the share of the workout that the course covers, and the longest time that it does not.
func (w *Workout) covered(c *Course) (share float64, longestMS int64) {
	if len(c.MS) == 0 || w.EndMS <= w.StartMS {
		return 0, w.EndMS - w.StartMS
	}
	lead, trail := c.MS[0]-w.StartMS, w.EndMS-c.MS[len(c.MS)-1]
	lost := c.GapMS
	for _, ms := range []int64{lead, trail} {
		if ms > w.Rules.GapFromMS {
			lost += ms
		}
	}
	return 1 - float64(lost)/float64(w.EndMS-w.StartMS), max(lead, trail, c.LongestMS)
}

// heights returns the heights of the track in metres.
func (w *Workout) heights() (heights []float64) {
	samples := w.Track["altitude"]
	heights = make([]float64, 0, len(samples))
	for _, s := range samples {
		if w.holds(s.MS) {
			heights = append(heights, float64(s.Value)/100)
		}
	}
	return heights
}

// byMinute is the name under which the person's heart rate by the minute comes with a track.
const byMinute = "heart_rate_by_minute"

const (
	holdMS      = 120_000 // a spot value stands no longer
	denseHoldMS = 10_000  // where values come every second or two
	dense       = 2_000
)

// beats returns the heart rate of the workout, that of its track before the person's minutes.
func (w *Workout) beats() (held []Held, source string) {
	if held = w.held("heart_rate"); len(held) > 0 {
		return held, "track"
	}
	if held = w.held(byMinute); len(held) > 0 {
		return held, "minutes"
	}
	return nil, ""
}

// held returns the heart rates of a metric and how long each stood for.
func (w *Workout) held(metric string) []Held {
	samples := w.Track[metric]
	beats := make([]Beat, 0, len(samples))
	gaps, denseGaps := 0, 0
	for _, s := range samples {
		switch {
		case metric == byMinute && s.MS < w.StartMS: // the minute that the workout begins in
			beats = append(beats, Beat{w.StartMS, s.Value})
		case w.holds(s.MS):
			beats = append(beats, Beat{s.MS, s.Value})
		}
		if n := len(beats); n > 1 {
			gaps++
			if beats[n-1].MS-beats[n-2].MS <= dense {
				denseGaps++
			}
		}
	}
	most := int64(holdMS)
	if denseGaps > gaps/2 { // the median is
		most = denseHoldMS
	}
	return Hold(beats, w.EndMS, most)
}

// lengths returns the lengths of a swim in a pool: a device tells the strokes of each at its start. Of open water, and where
// nobody says that there is a pool, strokes come by the minute or so, which is no length.
func (w *Workout) lengths() (lengths []Length) {
	if w.Family != "swim" || w.Setting != "indoor" {
		return nil
	}
	strokes := w.Track["stroke_count"]
	for i, s := range strokes {
		end := w.EndMS
		if i+1 < len(strokes) {
			end = strokes[i+1].MS
		}
		if s.PeriodMS > 0 {
			end = s.MS + int64(s.PeriodMS)
		}
		if s.Value > 0 && w.holds(s.MS) && end > s.MS {
			lengths = append(lengths, Length{float64(end-s.MS) / 1000, s.Value})
		}
	}
	return lengths
}
