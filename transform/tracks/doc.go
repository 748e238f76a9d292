// Package tracks measures workouts from what their devices recorded second by second: distance, pauses, climbs, splits and
// best efforts from positions, zones and training load from heart rates. Of several recordings of one workout it chooses the
// one that counts. It is the Go part of the models in models/workouts: functions of slices, and an adapter that turns Arrow
// batches into them and back.
//
// # Guarantees
//
// Everything is a function of the samples alone, in one pass or two, whatever their number. What was not recorded is told
// as missing, never as 0. No result of a person's track holds a position.
//
// # Decisions
//
// Positions come with noise that adds up: fixes that imply a speed no such sport has are left out, the rest is smoothed by
// the median of three, and what is slower than walking counts as rest and adds no distance (methods 3.6). The median needs
// no tuning and leaves a straight line as it is; a Kalman filter would need a model of each device.
//
// A best effort is the fastest of all windows that begin or end at a sample, the other end interpolated: a window that
// does neither can be moved until it does without getting slower.
package tracks
