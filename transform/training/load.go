package training

import "math"

// A Day is a date of a person's spine, or one with a workout that counts.
type Day struct {
	Date           int32 // days since 1970-01-01
	WorkoutCount   int32
	IsKnown        bool  // its load is
	LoadHundredths int64 // of a TRIMP; where it is not known, of those of its workouts that told one
}

// Rules are the lengths and time constants of the figures, in days.
type Rules struct {
	FitnessDays, FatigueDays float64
	WindowDays               int32 // what is older has no weight
	RecentDays, UsualDays    int32
}

// missingDays is how far back days are counted whose load is not known.
const missingDays = 42

// A Load is what training came to on a day. What cannot be told is NaN.
type Load struct {
	TRIMP             float64
	CTL, ATL          float64 // TRIMP a day
	TSB               float64 // CTL less ATL of the day before
	HistoryDays       int32
	MissingDayCount   int32
	RecentToUsual     float64 // mean by mean
	RecentToEarlier   float64
	RecentToUsualEWMA float64
	WeekTRIMP         float64
	Monotony, Strain  float64
}

// LoadOf tells the load of the last of a person's days, which are in order of date.
func LoadOf(days []Day, w *Weights) Load {
	s := sum(days, w)
	nan := math.NaN()
	load := Load{
		TRIMP: nan, CTL: nan, ATL: nan, TSB: nan, HistoryDays: s.historyDays, MissingDayCount: s.missingCount,
		RecentToUsual: nan, RecentToEarlier: nan, RecentToUsualEWMA: nan, WeekTRIMP: nan, Monotony: nan, Strain: nan,
	}
	if today := days[len(days)-1]; today.IsKnown {
		load.TRIMP, load.CTL, load.ATL = trimp(today.LoadHundredths), rounded(s.fitness/nano, 6), rounded(s.fatigue/nano, 6)
	}
	if s.isKnownBefore {
		load.TSB = rounded(s.fitnessBefore/nano-s.fatigueBefore/nano, 6)
	}
	if s.recent.days < w.rules.RecentDays {
		return load
	}
	load.WeekTRIMP = trimp(s.recent.hundredths)
	recentMean := load.WeekTRIMP / float64(w.rules.RecentDays)
	if sd := s.recent.sd(); sd > 0 {
		load.Monotony, load.Strain = rounded(recentMean/sd, 9), rounded(load.WeekTRIMP*recentMean/sd, 6)
	}
	if s.historyDays < w.rules.UsualDays || s.usual.days < w.rules.UsualDays {
		return load
	}
	if s.usual.hundredths > 0 {
		load.RecentToUsual = rounded(recentMean/s.usual.mean(), 9)
	}
	if s.earlier.hundredths > 0 {
		load.RecentToEarlier = rounded(recentMean/s.earlier.mean(), 9)
	}
	if s.usualEWMA > 0 {
		load.RecentToUsualEWMA = rounded((s.recentEWMA/nano)/(s.usualEWMA/nano), 8)
	}
	return load
}

// Sums are what the days of the window add up to.
type sums struct {
	historyDays, missingCount int32
	recent, usual, earlier    spell

	isKnownBefore                                  bool    // the load of some earlier day is
	fitness, fatigue, fitnessBefore, fatigueBefore float64 // in units of 1e-9, as what follows
	recentEWMA, usualEWMA                          float64
}

func sum(days []Day, w *Weights) (s sums) {
	today := days[len(days)-1].Date
	for i := len(days) - 1; i >= 0 && today-days[i].Date < w.rules.WindowDays; i-- {
		day, age := days[i], today-days[i].Date
		s.historyDays = age + 1
		s.isKnownBefore = s.isKnownBefore || day.IsKnown && age > 0
		switch {
		case !day.IsKnown:
			if age < missingDays {
				s.missingCount++
			}
		case age < w.rules.RecentDays:
			s.recent.add(day)
			s.usual.add(day)
		case age < w.rules.UsualDays:
			s.earlier.add(day)
			s.usual.add(day)
		}
		if day.LoadHundredths == 0 {
			continue // it weighs nothing
		}
		load := trimp(day.LoadHundredths)
		s.fitness += w.fitness.of(load, age)
		s.fatigue += w.fatigue.of(load, age)
		s.recentEWMA += w.recent.of(load, age)
		s.usualEWMA += w.usual.of(load, age)
		if age > 0 {
			s.fitnessBefore += w.fitness.of(load, age-1)
			s.fatigueBefore += w.fatigue.of(load, age-1)
		}
	}
	return s
}

// A spell is days on end, of which those of known load count.
type spell struct {
	days                          int32
	hundredths, hundredthsSquared int64
}

func (s *spell) add(d Day) {
	s.days++
	s.hundredths += d.LoadHundredths
	s.hundredthsSquared += d.LoadHundredths * d.LoadHundredths
}

func (s *spell) mean() float64 { return trimp(s.hundredths) / float64(s.days) }

// sd is the standard deviation (n-1); days that are all alike have exactly none.
func (s *spell) sd() float64 {
	n := int64(s.days)
	return math.Sqrt(float64(n*s.hundredthsSquared-s.hundredths*s.hundredths) / 1e4 / float64(n*(n-1)))
}

func trimp(hundredths int64) float64 { return float64(hundredths) / 100 }

// rounded cuts a figure to some decimal places.
func rounded(v float64, places int) float64 {
	scale := math.Pow10(places)
	return math.Round(v*scale) / scale
}
