// Package schemas holds the words everybody shares: metrics with unit and plausible range, sleep stages, periods,
// the rows of the lake, errors a person may see, and the keys of the log. It imports nothing of ours, so that every
// other package may import it; the wire format lives one folder below, in schemas/sync/v1.
//
// # Vocabulary
//
// Names follow the field's standards. A metric has the name IEEE 1752.1 and Open mHealth use, in snake case
// (heart_rate, total_sleep_time); a sleep stage is what a watch can see, with its AASM reading beside it; a column
// carries its unit and statistic (hrv_rmssd_ms, never hrv). `<event>_at` is an instant in UTC, `local_date` the
// person's calendar day at the offset recorded with the data. Intervals are half-open: [start, end).
//
// # The rule of time
//
// A day is the local date at the recorded offset; a night belongs to the date of waking. No zone arithmetic happens
// after ingest: every row carries the offset and the local date it was given when it came in.
package schemas
