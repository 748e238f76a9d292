// Package rest finds rest that looks like sleep, without a diary, in what a wrist and a heart did. It is the Go part of the
// tables rest_stretches and sleep_windows.
//
// # Guarantees
//
//   - Every limit comes with the rows: from definitions.csv, or from the search itself (what is slow and what is still for
//     this person on this date).
//   - Five minutes without a single heart rate are no rest: nobody knows that the watch was worn. Nor are those on a charger.
//   - Rest runs on from one search into the next; what two searches share is counted once.
//
// # Decisions
//
// This is Go because it looks at every sample of a day and a night, mostly to throw it away: in sets that took 0.6 s of CPU for
// 500 people, of which a tenth was about rest.
//
// Stretches are a table of their own, a row with lists for each search: a night lies in two searches, and one that was looked
// at yesterday is not told from samples again when today's arrive.
package rest

// Fingerprint changes when the same samples would come to something else.
const Fingerprint = "2"
