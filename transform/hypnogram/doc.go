// Package hypnogram measures the main sleep of a night on its hypnogram: onset and offset, how much was slept in which
// stage, and how often it was broken. It is the Go part of the table hypnogram_nights.
//
// # Guarantees
//
//   - What is told comes to the same figures in whatever order it comes.
//   - What nobody told, or told as unknown, counts neither as sleep nor as wake.
//
// # Decisions
//
// This is Go because a night is read from one stretch to the next: bouts of a stage, spans of a state, and what lies
// between onset and offset. As sets these were two windows and three joins over all stretches, four times the CPU.
package hypnogram

// Fingerprint changes when the same stretches would come to something else.
const Fingerprint = "2"
