// Package activity tells from the minutes of a date how a person's hours were spent: by cadence, by heart, sitting, what of it
// is not believed, what looks like a walk, a run or a ride, and whether the device was worn. It is the Go part of the tables
// activity_days, activity_hours, activity_bouts and wear_days.
//
// # Guarantees
//
//   - Every limit comes with the rows, from definitions.csv and from what is known of the person on that date; none
//     stands here. What is not known is NaN, and what needs it is null.
//   - A date is told from its own minutes alone, and from the workouts that reach into it.
//
// # Decisions
//
// This is Go because nearly every rule is about what comes before or after a minute: a step or a workout within the last
// minutes, ten minutes on end, an unbroken stretch of sitting. Sets told it in a dozen passes over all minutes, 0.6 s of
// CPU for 500 days, which was the most of all tables.
package activity

// Fingerprint changes when the same minutes would come to something else.
const Fingerprint = "3"
