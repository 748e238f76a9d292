// Package regularity tells how regularly a person sleeps: how alike a date and the one before were, that is how long of the
// clock both slept or both were awake; when nights begin and end, how evenly, and how those of work days and free days
// differ; and what was the habit before a date. It is the Go part of the tables sleep_day_pairs, sleep_regularity and
// sleep_habits.
//
// # Guarantees
//
//   - Of dates, time is compared, to the millisecond, and not epochs.
//   - Only what both dates observed counts, by the clock that each hour was recorded with.
//   - A minute before midnight is next to one after it.
//   - The same nights come to the same figures to the last digit: sums are of whole numbers.
//
// # Decisions
//
// The pairs are Go because every hour of a date meets every hour of the other, and so does every stretch of sleep: four joins
// of ranges, 0.3 s of CPU for 500 people, for what are a few thousand comparisons of numbers each. The nights are Go because
// on a clock, which begins nowhere, a median compares every night of two weeks with every other: joined, ranked and grouped,
// that was 2.5 s for 10,000 people.
package regularity

// Fingerprint changes when the same dates would come to something else.
const Fingerprint = "1"
