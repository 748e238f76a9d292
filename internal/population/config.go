package population

import (
	"fmt"
	"iter"
	"slices"

	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// What a Config means when it does not say otherwise.
const (
	DefaultPeople = 25 // the whole cast
	DefaultWeeks  = 10
)

// The dates a population can span: long enough for every role to play its part, short enough for memory.
const (
	MinDays = 28
	MaxDays = 800
)

// A Config says which population to make.
type Config struct {
	Seed   uint64
	People int          // 0 = DefaultPeople
	From   schemas.Date // first local date of every life
	To     schemas.Date // last local date of every life, included
}

// Span returns the whole ISO weeks that end before the week of today.
func Span(today schemas.Date, weeks int) (from, to schemas.Date) {
	monday := mondayOf(today)
	return monday.AddDays(-7 * weeks), monday.AddDays(-1)
}

// A Population is a number of made-up people with all they ever sent.
type Population struct {
	config     Config
	lives      []*life
	deliveries []delivery // in the order of arrival
}

// New makes a population. It fails when the dates are the wrong way round, fewer than MinDays or more than MaxDays, or
// when the time-zone database lacks a zone.
func New(config Config) (*Population, error) {
	if config.People == 0 {
		config.People = DefaultPeople
	}
	days := int(config.To-config.From) + 1
	switch {
	case config.People < 0:
		return nil, fmt.Errorf("make population: %d people", config.People)
	case days < MinDays || days > MaxDays:
		return nil, fmt.Errorf("make population: %d days, want %d to %d", days, MinDays, MaxDays)
	}
	p := &Population{config: config}
	for i := range config.People {
		l, err := newLife(config, i)
		if err != nil {
			return nil, fmt.Errorf("make person %d: %w", i+1, err)
		}
		if other := l.traits.twinOf; other >= 0 {
			if err := l.matchWeeklySteps(p.lives[other]); err != nil {
				return nil, fmt.Errorf("make person %d: %w", i+1, err)
			}
		}
		p.lives = append(p.lives, l)
		p.deliveries = append(p.deliveries, l.deliver(newDice(config.Seed, i, forDelivery))...)
	}
	slices.SortStableFunc(p.deliveries, compareArrival)
	return p, nil
}

// People returns everybody.
func (p *Population) People() []Person {
	people := make([]Person, len(p.lives))
	for i, l := range p.lives {
		people[i] = l.person
	}
	return people
}

// Batches returns every batch in the order of arrival, repeated ones as often as they came. Each batch is the caller's.
func (p *Population) Batches() iter.Seq[*syncv1.Batch] { return batchesOf(p.deliveries) }

// Shuffle returns the same batches in another order of arrival, the same one for the same seed.
func (p *Population) Shuffle(seed uint64) iter.Seq[*syncv1.Batch] {
	shuffled := slices.Clone(p.deliveries)
	d := newDice(seed, 0, forShuffle)
	d.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	return batchesOf(shuffled)
}

func batchesOf(deliveries []delivery) iter.Seq[*syncv1.Batch] {
	return func(yield func(*syncv1.Batch) bool) {
		for _, d := range deliveries {
			if !yield(d.batch()) {
				return
			}
		}
	}
}

func mondayOf(d schemas.Date) schemas.Date {
	return d.AddDays(-((int(d.Weekday()) + 6) % 7)) // time.Sunday is 0
}
