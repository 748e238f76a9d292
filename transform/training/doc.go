// Package training tells from the loads of a person's days how fit and how tired training has made them: chronic and acute
// load, recent against usual load, monotony and strain. It is the Go part of the table training_load_days.
//
// # Guarantees
//
//   - A figure does not depend on which other days are told with it: every sum is made anew, of whole numbers.
//   - What is not known is NaN, and null in the table; a day of no load is a zero.
//
// # Decisions
//
// A day with a workout that told no load is not known, whatever its other workouts told. Yet what they told weighs in the
// exponential means of later days: left out, a hard run beside a swim without a pulse would count for a day of rest.
//
// This is Go because every day weighs all days of the eight months before it: as sets that is a row for each of them, six
// exponentials in each, of which nearly all are of days without a workout.
package training

// Fingerprint changes when the same days would come to something else.
const Fingerprint = "2"
