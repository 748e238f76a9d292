package population

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// A Truth is what there is to know when everything has arrived. Missing is nil, never zero.
type Truth struct {
	People     []Person
	Days       []Day       // by person, then date; every date of the span
	Deliveries []Delivery  // those that were late, repeated or overlapping, in the order of arrival
	Rejections []Rejection // what a pipeline must set aside, by arrival
}

// A Day is the truth about a person's local date.
type Day struct {
	UserID       string       `json:"user_id"`
	LocalDate    schemas.Date `json:"local_date"`
	Steps        *Steps       `json:"steps"`
	Activity     *Activity    `json:"activity"`
	HeartRate    *HeartRate   `json:"heart_rate"`
	Wear         *Wear        `json:"wear"`
	Night        *Sleep       `json:"night"` // the main sleep that ended on the date
	Naps         []Sleep      `json:"naps"`  // the other sleeps that did
	Readings     []Reading    `json:"readings"`
	IsValidDay   bool         `json:"is_valid_day"`   // worn awake for ten hours
	IsValidNight bool         `json:"is_valid_night"` // four hours in bed
}

// Steps are those of the minutes that have a sample, each minute from the device that stands for it.
type Steps struct {
	StepCount       int64 `json:"step_count"`
	ObservedMin     int   `json:"observed_min"`
	ActiveHourCount int   `json:"active_hour_count"`
	ShakenStepCount int64 `json:"shaken_step_count"` // of step_count, those a machine made
	ShakenMin       int   `json:"shaken_min"`
}

// Activity is minutes by the device's class.
type Activity struct {
	SedentaryMin          int `json:"sedentary_min"`
	LightActivityMin      int `json:"light_activity_min"`
	ModerateActivityMin   int `json:"moderate_activity_min"`
	VigorousActivityMin   int `json:"vigorous_activity_min"`
	ModerateEquivalentMin int `json:"moderate_equivalent_min"` // moderate + 2 x vigorous
}

// HeartRate is of the samples that can be true.
type HeartRate struct {
	MinBPM      int     `json:"heart_rate_min_bpm"`
	MeanBPM     float64 `json:"heart_rate_mean_bpm"` // of the measured minutes' means
	MaxBPM      int     `json:"heart_rate_max_bpm"`
	SampleCount int     `json:"sample_count"`
	MeasuredMin int     `json:"measured_min"`
}

// Wear is how long the device shows that it was worn, and how long it was.
type Wear struct {
	WornMin      int    `json:"worn_min"`
	WearSource   string `json:"wear_source"` // heart_rate or motion
	MotionMin    *int   `json:"motion_min"`  // worn as steps alone tell; nil without steps
	TrulyWornMin int    `json:"truly_worn_min"`
}

// A Sleep is one unbroken time in bed. From a summary, which adds up all sleep of a date, it has no times.
type Sleep struct {
	Source                 string     `json:"source"` // segments or summary
	StartedAt              *time.Time `json:"started_at"`
	EndedAt                *time.Time `json:"ended_at"`
	OnsetAt                *time.Time `json:"sleep_onset_at"`
	OffsetAt               *time.Time `json:"sleep_offset_at"`
	OnsetUTCOffsetMin      *int32     `json:"onset_utc_offset_min"`
	OffsetUTCOffsetMin     *int32     `json:"offset_utc_offset_min"`
	TimeInBedMin           int        `json:"time_in_bed_min"`
	TotalSleepTimeMin      int        `json:"total_sleep_time_min"`
	SleepOnsetLatencyMin   *int       `json:"sleep_onset_latency_min"` // nil when the record does not begin awake
	WakeAfterSleepOnsetMin *int       `json:"wake_after_sleep_onset_min"`
	LightMin               *int       `json:"light_min"`
	DeepMin                *int       `json:"deep_min"`
	REMMin                 *int       `json:"rem_min"`
	AwakeningCount         *int       `json:"awakening_count"`
	RecordCount            int        `json:"record_count"`
}

// A Reading is a single measurement.
type Reading struct {
	Metric     string    `json:"metric"`
	MeasuredAt time.Time `json:"measured_at"`
	Value      int32     `json:"value"`
}

// A Delivery is the arrival of a batch that is not simply the next one.
type Delivery struct {
	UserID      string    `json:"user_id"`
	DeviceID    string    `json:"device_id"`
	BatchID     string    `json:"batch_id"`
	Epoch       uint32    `json:"epoch"`
	Seq         uint64    `json:"seq"`
	ArrivedAt   time.Time `json:"arrived_at"`
	Late        bool      `json:"late"`
	Repeated    bool      `json:"repeated"`    // another copy came before
	Overlapping bool      `json:"overlapping"` // holds minutes that an earlier sync of the device held
}

// A Rejection is how many values or items of a delivery cannot be true.
type Rejection struct {
	UserID  string               `json:"user_id"`
	BatchID string               `json:"batch_id"`
	Kind    schemas.RecordKind   `json:"kind"`
	Metric  string               `json:"metric"` // empty for items
	Reason  schemas.RejectReason `json:"reason"`
	Count   int                  `json:"count"`
}

// Truth returns everything there is to know.
func (p *Population) Truth() *Truth {
	t := &Truth{People: p.People()}
	for _, l := range p.lives {
		t.Days = append(t.Days, l.days()...)
	}
	for _, d := range p.deliveries {
		if told := d.told(); told.Late || told.Repeated || told.Overlapping {
			t.Deliveries = append(t.Deliveries, told)
		}
		t.Rejections = append(t.Rejections, d.rejections()...)
	}
	return t
}

// WriteJSONLines writes one line per person, day, delivery and rejection; "line" says which.
func (t *Truth) WriteJSONLines(w io.Writer) error {
	buffered := bufio.NewWriter(w)
	encoder := json.NewEncoder(buffered)
	write := func(line any) error {
		if err := encoder.Encode(line); err != nil {
			return fmt.Errorf("write truth: %w", err)
		}
		return nil
	}
	for _, p := range t.People {
		if err := write(struct {
			Line string `json:"line"`
			Person
		}{"person", p}); err != nil {
			return err
		}
	}
	for _, d := range t.Days {
		if err := write(struct {
			Line string `json:"line"`
			Day
		}{"day", d}); err != nil {
			return err
		}
	}
	for _, d := range t.Deliveries {
		if err := write(struct {
			Line string `json:"line"`
			Delivery
		}{"delivery", d}); err != nil {
			return err
		}
	}
	for _, r := range t.Rejections {
		if err := write(struct {
			Line string `json:"line"`
			Rejection
		}{"rejection", r}); err != nil {
			return err
		}
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("write truth: %w", err)
	}
	return nil
}

func (d delivery) told() Delivery {
	g, s := d.of()
	return Delivery{
		UserID: d.life.person.UserID, DeviceID: g.device.ID, BatchID: d.batchID(), Epoch: s.epoch, Seq: s.seq,
		ArrivedAt: instant(d.life.clock.ms(d.arriveAt)), Late: d.late, Repeated: d.copy > 0, Overlapping: s.overlaps,
	}
}

// rejections counts what the delivery holds of wrong times and of hearts that do not beat. A time that cannot be is
// found before a value that cannot.
func (d delivery) rejections() []Rejection {
	l := d.life
	g, s := d.of()
	if g.device.Kind != "watch" && g.device.Kind != "band" || len(l.errors) == 0 && !l.traits.looseStrap {
		return nil
	}
	counts := map[Rejection]int{}
	count := func(n int, metric string, reason schemas.RejectReason) {
		counts[Rejection{
			UserID: l.person.UserID, BatchID: d.batchID(), Kind: schemas.KindSeries, Metric: metric, Reason: reason,
		}] += n
	}
	for i := s.from; i < s.to; i++ {
		_, reason := l.shift(i)
		heart := l.marked(i, markHeart|markHeartZero)
		switch {
		case reason != "":
			if l.marked(i, markStep) {
				count(1, schemas.Steps, reason)
				count(1, schemas.Intensity, reason)
			}
			if heart {
				count(l.heartsPerMinute(), schemas.HeartRate, reason)
			}
		case l.marked(i, markHeartZero):
			count(l.heartsPerMinute(), schemas.HeartRate, schemas.RejectValueRange)
		}
	}
	var all []Rejection
	for _, metric := range []string{schemas.Steps, schemas.Intensity, schemas.HeartRate} {
		for _, reason := range []schemas.RejectReason{schemas.RejectFutureTime, schemas.RejectAncientTime, schemas.RejectValueRange} {
			r := Rejection{
				UserID: l.person.UserID, BatchID: d.batchID(), Kind: schemas.KindSeries, Metric: metric, Reason: reason,
			}
			if n := counts[r]; n > 0 {
				r.Count = n
				all = append(all, r)
			}
		}
	}
	return append(all, d.rejectedSleep(s)...)
}

func (d delivery) rejectedSleep(s *sync) []Rejection {
	l := d.life
	var all []Rejection
	for _, e := range l.seen {
		_, reason := l.shift(e.from)
		if reason == "" || e.to <= s.from || e.to > s.to {
			continue
		}
		all = append(all, Rejection{
			UserID: l.person.UserID, BatchID: d.batchID(), Kind: schemas.KindSleepSegment, Reason: reason,
			Count: l.runs(e, func(int) bool { return true }),
		})
	}
	return all
}

func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
