package population_test

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/diurna-health/diurna/internal/population"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

func TestWhatTheBatchesSayIsTheTruthInEveryOrderOfArrival(t *testing.T) {
	t.Parallel()
	config := springConfig(t)
	config.People = 27
	p := newPopulation(t, config)
	truth := p.Truth()
	for name, batches := range map[string]iter.Seq[*syncv1.Batch]{"arrived": p.Batches(), "shuffled": p.Shuffle(99)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			byUser := map[string][]*syncv1.Batch{}
			for b := range batches {
				byUser[b.UserID] = append(byUser[b.UserID], b)
			}
			for _, person := range truth.People {
				r := resolve(t, byUser[person.UserID], afterMS(config))
				delete(byUser, person.UserID)
				compareDays(t, person, r, truth.Days, config)
				compareReadings(t, person, r, truth.Days)
				compareRejections(t, person, r, truth.Rejections)
			}
			if len(byUser) > 0 {
				t.Errorf("batches of %d people nobody knows", len(byUser))
			}
		})
	}
}

// compareDays holds every date of the truth to the batches, and the batches to have nothing besides.
func compareDays(t *testing.T, person population.Person, r *resolved, days []population.Day, config population.Config) {
	t.Helper()
	minutes := r.minutesOf(person.UserID)
	nights := r.nightsOf(person)
	inBed := inBedMin(nights)
	for _, want := range days {
		if want.UserID != person.UserID {
			continue
		}
		got := population.Day{UserID: want.UserID, LocalDate: want.LocalDate}
		fillDay(&got, minutes[want.LocalDate])
		for _, sleep := range nights[want.LocalDate] {
			if got.Night == nil && !isNap(sleep) {
				got.Night = &sleep
			} else {
				got.Naps = append(got.Naps, sleep)
			}
		}
		if got.Wear != nil && want.Wear != nil {
			got.Wear.TrulyWornMin = want.Wear.TrulyWornMin // what no batch tells
		}
		if got.Steps != nil && want.Steps != nil {
			got.Steps.ShakenMin, got.Steps.ShakenStepCount = want.Steps.ShakenMin, want.Steps.ShakenStepCount
		}
		got.IsValidNight = got.Night != nil && got.Night.TimeInBedMin >= 4*60
		got.IsValidDay = wornAwakeMin(got, inBed[got.LocalDate]) >= 10*60
		ignored := cmpopts.IgnoreFields(population.Day{}, "Readings") // compareReadings does
		near := cmpopts.EquateApprox(0, 1e-9)
		if diff := gocmp.Diff(want, got, ignored, near, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s on %s (-truth +batches):\n%s", person.Role, want.LocalDate, diff)
		}
		delete(minutes, want.LocalDate)
		delete(nights, want.LocalDate)
	}
	if len(minutes)+len(nights) > 0 {
		t.Errorf("%s has samples on %d dates and sleep on %d outside %s to %s",
			person.Role, len(minutes), len(nights), config.From, config.To)
	}
}

func fillDay(d *population.Day, minutes []*minute) {
	var steps population.Steps
	var activity population.Activity
	heart := population.HeartRate{MinBPM: math.MaxInt}
	hours := map[int]int64{}
	sumOfMeans := 0.0
	classed := false
	var motion *int
	for _, m := range minutes {
		if m.steps != nil {
			steps.ObservedMin++
			steps.StepCount += int64(*m.steps)
			hours[m.hour] += int64(*m.steps)
		}
		if m.level != nil {
			classed = true
			*[]*int{&activity.SedentaryMin, &activity.LightActivityMin, &activity.ModerateActivityMin,
				&activity.VigorousActivityMin}[*m.level]++
		}
		if len(m.heart) > 0 {
			sum := 0
			for _, bpm := range m.heart {
				sum += int(bpm)
			}
			sumOfMeans += float64(sum) / float64(len(m.heart))
			heart.MeasuredMin++
			heart.SampleCount += len(m.heart)
			heart.MinBPM = min(heart.MinBPM, int(slices.Min(m.heart)))
			heart.MaxBPM = max(heart.MaxBPM, int(slices.Max(m.heart)))
		}
	}
	if steps.ObservedMin > 0 {
		for _, n := range hours {
			if n >= 250 {
				steps.ActiveHourCount++
			}
		}
		d.Steps = &steps
		motion = new(wornByMotion(minutes))
		d.Wear = &population.Wear{WornMin: *motion, WearSource: "motion", MotionMin: motion}
	}
	if classed {
		activity.ModerateEquivalentMin = activity.ModerateActivityMin + 2*activity.VigorousActivityMin
		d.Activity = &activity
	}
	if heart.MeasuredMin > 0 {
		heart.MeanBPM = sumOfMeans / float64(heart.MeasuredMin)
		d.HeartRate = &heart
		d.Wear = &population.Wear{WornMin: heart.MeasuredMin, WearSource: "heart_rate", MotionMin: motion}
	}
}

// wornAwakeMin is the longer of what the heart rate and the steps say.
func wornAwakeMin(d population.Day, inBedMin int) int {
	worn := 0
	if d.HeartRate != nil {
		worn = d.HeartRate.MeasuredMin - inBedMin
	}
	if d.Wear != nil && d.Wear.MotionMin != nil {
		worn = max(worn, *d.Wear.MotionMin)
	}
	return worn
}

// inBedMin walks through every sleep by the clock that was on the wall when it began; a sum has no clock.
func inBedMin(nights map[schemas.Date][]population.Sleep) map[schemas.Date]int {
	total := map[schemas.Date]int{}
	for date, sleeps := range nights {
		for _, s := range sleeps {
			if s.StartedAt == nil {
				total[date] += s.TimeInBedMin
				continue
			}
			for at := *s.StartedAt; at.Before(*s.EndedAt); at = at.Add(time.Minute) {
				total[schemas.DateOf(at.UnixMilli(), *s.OnsetUTCOffsetMin)]++
			}
		}
	}
	return total
}

// wornByMotion asks of every minute how long the stretch without a step around it is.
func wornByMotion(minutes []*minute) int {
	var sampled []*minute
	for _, m := range minutes {
		if m.steps != nil {
			sampled = append(sampled, m)
		}
	}
	worn := 0
	for i, m := range sampled {
		if *m.steps > 0 {
			worn++
			continue
		}
		from, to := sampled[0].at, sampled[len(sampled)-1].at+1
		for k := i; k >= 0; k-- {
			if *sampled[k].steps > 0 {
				from = sampled[k].at + 1
				break
			}
		}
		for k := i; k < len(sampled); k++ {
			if *sampled[k].steps > 0 {
				to = sampled[k].at
				break
			}
		}
		if to-from < 90 {
			worn++
		}
	}
	return worn
}

// nightsOf joins segments that touch and measures what it gets, the longest of a date first.
func (r *resolved) nightsOf(person population.Person) map[schemas.Date][]population.Sleep {
	nights := map[schemas.Date][]population.Sleep{}
	for key, s := range r.summaries {
		if key.user == person.UserID && key.metric == schemas.TotalSleepTime {
			nights[key.date] = []population.Sleep{{
				Source: "summary", TotalSleepTimeMin: int(s.value),
				TimeInBedMin: int(r.summaries[summaryKey{key.user, key.date, schemas.TimeInBed}].value),
				RecordCount:  int(r.summaries[summaryKey{key.user, key.date, schemas.SleepRecordCount}].value),
			}}
		}
	}
	for _, byStart := range r.segments {
		var all []segment
		for _, s := range byStart {
			all = append(all, s)
		}
		slices.SortFunc(all, func(a, b segment) int { return cmp.Compare(a.StartMS, b.StartMS) })
		for len(all) > 0 {
			n := 1
			for n < len(all) && all[n].StartMS == all[n-1].EndMS {
				n++
			}
			if sleep, date, ok := measure(all[:n]); ok {
				nights[date] = append(nights[date], sleep)
			}
			all = all[n:]
		}
	}
	for _, sleeps := range nights {
		slices.SortStableFunc(sleeps, func(a, b population.Sleep) int {
			return cmp.Or(-cmp.Compare(a.TotalSleepTimeMin, b.TotalSleepTimeMin), a.StartedAt.Compare(*b.StartedAt))
		})
	}
	return nights
}

// isNap tells by the clock what nobody in the population does otherwise: the sleeps of afternoons that are under two hours
// are naps.
func isNap(s population.Sleep) bool {
	if s.OnsetAt == nil || s.OffsetAt.Sub(*s.OnsetAt) >= 2*time.Hour {
		return false
	}
	hour := localHour(*s.OnsetAt, *s.OnsetUTCOffsetMin)
	return hour >= 12 && hour < 19
}

func measure(segments []segment) (population.Sleep, schemas.Date, bool) {
	asleep := func(s segment) bool {
		return slices.Contains([]schemas.SleepStage{schemas.StageLight, schemas.StageDeep, schemas.StageREM, schemas.StageAsleep}, s.Stage)
	}
	for len(segments) > 0 && segments[len(segments)-1].Stage == schemas.StageOutOfBed {
		segments = segments[:len(segments)-1]
	}
	onset, offset := -1, 0
	for i, s := range segments {
		if !asleep(s) {
			continue
		}
		end := s.EndMS
		for k := i + 1; k < len(segments) && asleep(segments[k]); k++ {
			end = segments[k].EndMS
		}
		if onset < 0 && end-s.StartMS >= 90_000 {
			onset = i
		}
		offset = i
	}
	if onset < 0 {
		return population.Sleep{}, 0, false
	}
	byStage := map[schemas.SleepStage]int{}
	awakenings := 0
	for i := onset; i <= offset; i++ {
		byStage[segments[i].Stage] += int((segments[i].EndMS - segments[i].StartMS) / 60_000)
		if !asleep(segments[i]) && asleep(segments[i-1]) {
			awakenings++
		}
	}
	first, last := segments[0], segments[len(segments)-1]
	at := func(ms int64) *time.Time { t := time.UnixMilli(ms).UTC(); return &t }
	wake := byStage[schemas.StageAwake] + byStage[schemas.StageOutOfBed]
	s := population.Sleep{
		Source: "segments", StartedAt: at(first.StartMS), EndedAt: at(last.EndMS),
		OnsetAt: at(segments[onset].StartMS), OffsetAt: at(segments[offset].EndMS),
		OnsetUTCOffsetMin: &segments[onset].StartOffsetMin, OffsetUTCOffsetMin: &segments[offset].EndOffsetMin,
		TimeInBedMin: int((last.EndMS - first.StartMS) / 60_000),
		TotalSleepTimeMin: byStage[schemas.StageLight] + byStage[schemas.StageDeep] + byStage[schemas.StageREM] +
			byStage[schemas.StageAsleep],
		WakeAfterSleepOnsetMin: &wake, AwakeningCount: &awakenings, RecordCount: len(segments),
	}
	if !asleep(first) {
		latency := int((segments[onset].StartMS - first.StartMS) / 60_000)
		s.SleepOnsetLatencyMin = &latency
	}
	if light, deep, rem := byStage[schemas.StageLight], byStage[schemas.StageDeep], byStage[schemas.StageREM]; light+deep+rem > 0 {
		s.LightMin, s.DeepMin, s.REMMin = &light, &deep, &rem
	}
	return s, schemas.DateOf(segments[offset].EndMS, segments[offset].EndOffsetMin), true
}

func compareReadings(t *testing.T, person population.Person, r *resolved, days []population.Day) {
	t.Helper()
	want, got := map[readingKey]int32{}, map[readingKey]int32{}
	for _, d := range days {
		for _, x := range d.Readings {
			if d.UserID == person.UserID {
				want[readingKey{d.UserID, x.Metric, x.MeasuredAt.UnixMilli()}] = x.Value
			}
		}
	}
	for key, x := range r.readings {
		got[key] = x.value
	}
	if diff := gocmp.Diff(want, got, gocmp.AllowUnexported(readingKey{})); diff != "" {
		t.Errorf("readings of %s (-truth +batches):\n%s", person.Role, diff)
	}
}

func compareRejections(t *testing.T, person population.Person, r *resolved, rejections []population.Rejection) {
	t.Helper()
	want := map[rejectKey]int{}
	for _, x := range rejections {
		if x.UserID == person.UserID {
			want[rejectKey{x.UserID, x.Kind, x.Metric, x.Reason}] += x.Count
		}
	}
	if diff := gocmp.Diff(want, r.rejected, gocmp.AllowUnexported(rejectKey{})); diff != "" {
		t.Errorf("set aside of %s (-truth +batches):\n%s", person.Role, diff)
	}
}

func TestEveryDifficultyOfTheCastIsThere(t *testing.T) {
	t.Parallel()
	config := springConfig(t)
	p := newPopulation(t, config)
	truth := p.Truth()
	facts := map[string]map[string]int{}
	user := map[string]string{}
	for _, person := range truth.People {
		user[person.UserID] = person.Role
		facts[person.Role] = map[string]int{}
	}
	for _, d := range truth.Days {
		f := facts[user[d.UserID]]
		f["naps"] += len(d.Naps)
		f["readings"] += len(d.Readings)
		switch {
		case d.Night == nil:
			f["dates without a night"]++
		case d.Night.Source == "summary":
			f["summary nights"]++
		case localHour(*d.Night.OffsetAt, *d.Night.OffsetUTCOffsetMin) >= 12:
			f["day sleeps"]++
		}
		if d.Steps == nil {
			f["dates without steps"]++
		} else {
			f["shaken min"] += d.Steps.ShakenMin
		}
		if d.HeartRate == nil && d.Steps != nil {
			f["dates by motion"]++
		}
		if d.Activity != nil {
			f["vigorous min"] += d.Activity.VigorousActivityMin
		}
	}
	for _, d := range truth.Deliveries {
		f := facts[user[d.UserID]]
		for what, is := range map[string]bool{"late": d.Late, "repeated": d.Repeated, "overlapping": d.Overlapping, "second epoch": d.Epoch > 1} {
			if is {
				f[what]++
			}
		}
	}
	for _, r := range truth.Rejections {
		facts[user[r.UserID]][string(r.Reason)] += r.Count
	}
	for _, c := range []struct {
		role, what string
		least      int
	}{
		{population.RoleRetired, "naps", 15},
		{population.RoleShiftWorker, "day sleeps", 5},
		{population.RoleRunner, "vigorous min", 700},
		{population.RoleOffice, "readings", 10},
		{population.RoleFlatBattery, "dates without a night", 2},
		{population.RoleDrawer, "dates without steps", 12},
		{population.RoleLateSyncs, "late", 25},
		{population.RoleRepeats, "repeated", 40},
		{population.RoleGrowing, "overlapping", 300},
		{population.RoleWrongClock, string(schemas.RejectFutureTime), 8000},
		{population.RoleReset, string(schemas.RejectAncientTime), 130},
		{population.RoleLooseStrap, string(schemas.RejectValueRange), 400},
		{population.RoleSummaries, "summary nights", 30},
		{population.RoleShaker, "shaken min", 200},
		{population.RolePhoneOnly, "dates by motion", 40},
		{population.RoleZerosWhenOff, "dates by motion", 1},
	} {
		if got := facts[c.role][c.what]; got < c.least {
			t.Errorf("%s has %d %s, want at least %d", c.role, got, c.what, c.least)
		}
	}
}

func TestLivesAreOnesThatPeopleCouldLead(t *testing.T) {
	t.Parallel()
	p := newPopulation(t, population.Config{Seed: 3, People: 26, From: schemas.NewDate(2026, 9, 7), To: schemas.NewDate(2026, 11, 15)})
	type sum struct{ days, steps, nights, sleepMin, validDays int }
	sums := map[string]*sum{}
	for _, d := range p.Truth().Days {
		if sums[d.UserID] == nil {
			sums[d.UserID] = &sum{}
		}
		s := sums[d.UserID]
		if d.IsValidDay {
			s.validDays++
		}
		if d.Steps != nil {
			s.days++
			s.steps += int(d.Steps.StepCount)
			if d.Steps.StepCount > 60_000 {
				t.Errorf("%s walked %d steps on %s", d.UserID, d.Steps.StepCount, d.LocalDate)
			}
		}
		if h := d.HeartRate; h != nil && (h.MinBPM < 30 || h.MaxBPM > 200 || h.MeanBPM < 45 || h.MeanBPM > 120) {
			t.Errorf("%s has a heart rate of %d, %.1f, %d on %s", d.UserID, h.MinBPM, h.MeanBPM, h.MaxBPM, d.LocalDate)
		}
		for _, n := range append(slices.Clone(d.Naps), nightsOf(d)...) {
			if n.TotalSleepTimeMin > n.TimeInBedMin || n.TimeInBedMin > 15*60 {
				t.Errorf("%s slept %d of %d min on %s", d.UserID, n.TotalSleepTimeMin, n.TimeInBedMin, d.LocalDate)
			}
		}
		if d.Night != nil && d.IsValidNight {
			s.nights++
			s.sleepMin += d.Night.TotalSleepTimeMin
		}
	}
	for _, person := range p.People() {
		s := sums[person.UserID]
		if mean := s.steps / max(s.days, 1); mean < 2500 || mean > 25_000 {
			t.Errorf("%s (%s) walks %d steps a day", person.UserID, person.Role, mean)
		}
		if mean := s.sleepMin / max(s.nights, 1); s.nights > 0 && (mean < 5*60 || mean > 9*60+30) {
			t.Errorf("%s (%s) sleeps %d min a night", person.UserID, person.Role, mean)
		}
		if s.days > 0 && 3*s.validDays < s.days {
			t.Errorf("%s (%s) has %d valid days of %d", person.UserID, person.Role, s.validDays, s.days)
		}
	}
}

func TestASleepIsSentWhileItLastsAndAgainWhenItIsOver(t *testing.T) {
	t.Parallel()
	config := springConfig(t)
	config.People = 12
	p := newPopulation(t, config)
	growing := personOf(t, p, population.RoleGrowing)
	ends := map[int64][]int64{} // of what each batch says of the sleep that starts then
	for b := range p.Batches() {
		segments := b.SleepSegments
		for len(segments) > 0 && b.UserID == growing.UserID {
			n := 1
			for n < len(segments) && segments[n].StartMS == segments[n-1].EndMS {
				n++
			}
			ends[segments[0].StartMS] = append(ends[segments[0].StartMS], segments[n-1].EndMS)
			segments = segments[n:]
		}
	}
	grew := 0
	for _, of := range ends {
		slices.Sort(of)
		if of[0] < of[len(of)-1] {
			grew++
		}
	}
	if grew < 30 {
		t.Errorf("%d sleeps of %d were sent before they were over, want nearly all", grew, len(ends))
	}
}

func localHour(at time.Time, offsetMin int32) int {
	return at.Add(time.Duration(offsetMin) * time.Minute).Hour()
}
