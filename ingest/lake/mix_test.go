package lake_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/diurna-health/diurna/schemas"
)

// A mix makes a day of people's watches as ingest would store it: of five people four keep the heart rate of every
// minute and one that of every five seconds; all keep steps by the minute and stress every three minutes; of a night
// they keep motion every 30 s, oxygen saturation every five minutes and a minute of beat-to-beat intervals each half
// hour; one in ten has a workout with six tracks at 1 Hz. It is the same for the same numbers, on every machine.
type mix struct {
	people   int
	partMin  int // the length of a batch in minutes
	resendIn int // one batch in so many is sent again; 0 = none

	records []schemas.SyncRecord
	samples int // of series
	offset  int64
}

func (m *mix) day() []schemas.SyncRecord {
	rng := rand.New(rand.NewPCG(1, 2))
	for from := 0; from < 24*60; from += m.partMin {
		for person := range m.people {
			m.batch(rng, person, from)
			if m.resendIn > 0 && m.offset%int64(m.resendIn) == 0 {
				m.again()
			}
		}
	}
	return m.records
}

// batch appends what the watch of a person sends of [from, from+partMin).
func (m *mix) batch(rng *rand.Rand, person, from int) {
	start := len(m.records)
	m.records = append(m.records, m.row(person, schemas.KindBatch))
	heartPeriod := int32(60_000)
	if person%5 == 0 {
		heartPeriod = 5_000
	}
	night := from < 7*60 || from >= 23*60
	for hour := from / 60; hour*60 < from+m.partMin; hour++ {
		first, last := max(from, hour*60)-hour*60, min(from+m.partMin, hour*60+60)-hour*60
		m.series(rng, person, hour, first, last, schemas.HeartRate, heartPeriod, 62, 3)
		m.series(rng, person, hour, first, last, "steps", 60_000, 20, 40)
		m.series(rng, person, hour, first, last, "stress", 180_000, 40, 6)
		if night {
			m.series(rng, person, hour, first, last, "motion_count", 30_000, 0, 2)
			m.series(rng, person, hour, first, last, "spo2", 300_000, 970, 8)
		}
	}
	if night && from%30 == 0 {
		r := m.row(person, schemas.KindRRRun)
		m.place(&r, from/60, int32(from%60)*60_000)
		r.Values = walk(rng, 60, 950, 30)
		end := *r.StartAt
		for _, ms := range r.Values {
			end += int64(ms) * 1000
		}
		r.EndAt = &end
		m.records = append(m.records, r)
	}
	if person%10 == 3 && from <= 17*60 && from+m.partMin > 17*60 {
		w := m.row(person, schemas.KindWorkout)
		m.place(&w, 17, 0)
		end := *w.StartAt + int64(m.partMin)*60_000_000
		w.HourAt, w.EndAt, w.Name, w.Text = nil, &end, "w", "running"
		m.records = append(m.records, w)
		for _, metric := range []string{"heart_rate", "distance", "altitude", "speed", "cadence", "power"} {
			r := m.row(person, schemas.KindWorkoutTrack)
			m.place(&r, 17, 0)
			r.Name, r.Metric, r.PeriodMS, r.OffsetsMS = "w", metric, 1000, []int32{0}
			r.Values = walk(rng, m.partMin*60, 130, 3)
			m.records = append(m.records, r)
		}
	}
	m.number(start)
}

// again appends the last batch once more, under a new number.
func (m *mix) again() {
	n := 1
	for m.records[len(m.records)-n].Kind != schemas.KindBatch {
		n++
	}
	start := len(m.records)
	for _, r := range m.records[start-n:] {
		if m.records = append(m.records, r); r.Kind == schemas.KindSeries {
			m.samples += len(r.Values)
		}
	}
	m.number(start)
}

func (m *mix) number(start int) {
	for i := range m.records[start:] {
		r := &m.records[start+i]
		r.Offset, r.Seq, r.ItemIndex = m.offset, m.offset, int32(i)
		r.BrokerAt = 1_700_000_000_000_000 + m.offset*1000
		r.BatchID = fmt.Sprint("b", m.offset)
	}
	m.offset++
}

func (m *mix) row(person int, kind schemas.RecordKind) schemas.SyncRecord {
	return schemas.SyncRecord{
		Kind: kind, IngestDate: 20_000, UserID: fmt.Sprintf("user-%06d", person), DeviceID: fmt.Sprintf("watch-%06d", person),
		Source: "native", SentAt: 1_700_000_000_000_000, UTCOffsetMin: 0,
	}
}

func (m *mix) place(r *schemas.SyncRecord, hour int, atMS int32) {
	at := firstHour + int64(hour)*hourUS
	start, date := at+int64(atMS)*1000, int32(at/(24*hourUS))
	r.HourAt, r.StartAt, r.LocalDate = &at, &start, &date
}

func (m *mix) series(rng *rand.Rand, person, hour, first, last int, metric string, period, level, step int32) {
	n := (last - first) * 60_000 / int(period)
	r := m.row(person, schemas.KindSeries)
	m.place(&r, hour, int32(first)*60_000)
	r.Metric, r.PeriodMS, r.OffsetsMS = metric, period, []int32{int32(first) * 60_000}
	r.Values = walk(rng, n, level, step)
	if rng.IntN(50) == 0 && n > 3 { // the watch was off for a moment: the others keep their times
		r.OffsetsMS = make([]int32, 0, n-1)
		for i := range int32(n) {
			if i != 2 {
				r.OffsetsMS = append(r.OffsetsMS, int32(first)*60_000+i*period)
			}
		}
		r.Values = r.Values[1:]
	}
	m.samples += len(r.Values)
	m.records = append(m.records, r)
}

// walk returns values that wander about a level, as a body's do.
func walk(rng *rand.Rand, n int, level, step int32) []int32 {
	values := make([]int32, n)
	v := level
	for i := range values {
		v += rng.Int32N(2*step+1) - step - (v-level)/8
		values[i] = max(v, 0)
	}
	return values
}
