// Package regularity tells how alike a person's date and the one before were: how long of the clock both slept or both were
// awake. It is the Go part of the table sleep_day_pairs.
//
// # Guarantees
//
//   - What is compared is time, to the millisecond, and not epochs.
//   - Only what both dates observed counts, by the clock that each hour was recorded with.
//
// # Decisions
//
// This is Go because every hour of a date meets every hour of the other, and so does every stretch of sleep: four joins of
// ranges, 0.3 s of CPU for 500 people, for what are a few thousand comparisons of numbers each.
package regularity

// Fingerprint changes when the same dates would come to something else.
const Fingerprint = "1"
