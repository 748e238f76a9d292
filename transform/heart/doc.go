// Package heart tells, from the minutes of a date or a night, how a heart did: how slow it was asleep and at rest, how much
// faster awake, how high it rose in workouts, when it stayed beyond a limit while its person was still, and where the sensor
// may have lost it. It is the Go part of the tables heart_rate_nights, heart_rate_dips, heart_rate_peak_days,
// heart_rate_episodes, heart_rate_quality_days and resting_heart_rate_days.
//
// # Guarantees
//
//   - Every limit comes with the rows, from definitions.csv; none stands here.
//   - Sums are of whole numbers, so that they do not depend on the order of their terms.
//
// # Decisions
//
// This is Go because the rules are about what comes before and after a minute. Sets asked them of every minute of the day,
// in windows that had to be sorted first.
package heart

// Fingerprint changes when the same minutes would come to something else.
const Fingerprint = "4"
