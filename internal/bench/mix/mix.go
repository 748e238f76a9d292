package mix

import (
	"cmp"
	"fmt"
	"iter"
	"slices"

	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// A Cut says how days are cut into batches.
type Cut int

// The cuts.
const (
	// ByHours makes batches of one to eight hours, as phones sync.
	ByHours Cut = iota
	// ByQuarters makes batches of a quarter of an hour, and sends one in twenty again under a new number.
	ByQuarters
)

// A Config says which batches to make.
type Config struct {
	Seed   uint64
	People int
	Date   schemas.Date // the local date of everybody's day
	Cut    Cut
}

const (
	minutesPerHour = 60
	minutesPerDay  = 24 * minutesPerHour
	minuteMS       = 60_000
	resentOneIn    = 20
)

// A Span is what one batch covers: minutes [From, To) of a person's local day.
type Span struct {
	Person   int
	From, To int
	Seq      int // the device's number of the batch, from 1

	endMS int64
}

// Spans returns the spans of all batches, in the order in which they are sent.
func (c Config) Spans() []Span {
	var spans []Span
	for person := range c.People {
		for _, s := range c.day(person) {
			s.endMS = c.midnightMS(person) + int64(s.To)*minuteMS
			spans = append(spans, s)
		}
	}
	slices.SortFunc(spans, func(a, b Span) int {
		return cmp.Or(cmp.Compare(a.endMS, b.endMS), cmp.Compare(a.Person, b.Person))
	})
	if c.Cut == ByQuarters {
		spans = sendAgain(spans)
	}
	return numbered(spans, c.People)
}

// day cuts the day of a person.
func (c Config) day(person int) []Span {
	var spans []Span
	dice := c.dice(person, drawCut, 0)
	for from := 0; from < minutesPerDay; {
		length := minutesPerHour / 4
		if c.Cut == ByHours {
			length = minutesPerHour * (1 + dice.IntN(8))
		}
		to := min(from+length, minutesPerDay)
		spans = append(spans, Span{Person: person, From: from, To: to})
		from = to
	}
	return spans
}

// sendAgain puts a second copy behind one span in twenty.
func sendAgain(spans []Span) []Span {
	all := make([]Span, 0, len(spans)+len(spans)/resentOneIn)
	for i, s := range spans {
		all = append(all, s)
		if i%resentOneIn == resentOneIn-1 {
			all = append(all, s)
		}
	}
	return all
}

func numbered(spans []Span, people int) []Span {
	last := make([]int, people)
	for i := range spans {
		person := spans[i].Person
		last[person]++
		spans[i].Seq = last[person]
	}
	return spans
}

// Batches returns the batches in the order in which they are sent.
func (c Config) Batches() iter.Seq[*syncv1.Batch] {
	return func(yield func(*syncv1.Batch) bool) {
		for _, s := range c.Spans() {
			if !yield(c.Batch(s)) {
				return
			}
		}
	}
}

// Batch returns the batch of a span.
func (c Config) Batch(s Span) *syncv1.Batch {
	w := c.watch(s.Person)
	b := &syncv1.Batch{
		BatchID:   fmt.Sprintf("%s-%d-%d", w.device, c.Date, s.Seq),
		UserID:    w.user,
		Device:    syncv1.Device{ID: w.device, Model: "W1", Firmware: "4.2.1", Kind: "watch"},
		Seq:       uint64(s.Seq),
		SentAtMS:  w.midnightMS + int64(s.To)*minuteMS,
		OffsetMin: w.offsetMin,
		TimeZone:  "",
		Source:    syncv1.SourceNative,
	}
	b.Series = w.series(s)
	b.RRRuns = w.rrRuns(s)
	b.Workouts = w.workouts(s)
	return b
}

// Samples counts the values of a batch, as ingest does: of series, beat-to-beat intervals and tracks.
func Samples(b *syncv1.Batch) int {
	n := 0
	for i := range b.Series {
		n += len(b.Series[i].Values)
	}
	for i := range b.RRRuns {
		n += len(b.RRRuns[i].IntervalsMS)
	}
	for i := range b.Workouts {
		for j := range b.Workouts[i].Track {
			n += len(b.Workouts[i].Track[j].Values)
		}
	}
	return n
}
