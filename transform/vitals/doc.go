// Package vitals tells, from the minutes of a date or a night, what was measured beside heart and steps: oxygen saturation,
// breath, skin temperature, and the device's score of stress. It is the Go part of the tables vitals_nights and stress_days.
//
// # Guarantees
//
//   - Every limit comes with the rows, from definitions.csv; none stands here.
//   - Sums are of whole numbers, so that they do not depend on the order of their terms.
//
// # Decisions
//
// This is Go because minutes come in lists, a date a row: in SQL each had to become a row, to be joined with the times in
// bed, counted, ranked and looked at in windows, which took three times the CPU.
package vitals

// Fingerprint changes when the same minutes would come to something else.
const Fingerprint = "1"
