// Package stager tells sleep stages (awake, light, deep, REM) from what a watch measures at the wrist: motion counts and
// heart rate. It serves nights whose watch sends no stages of its own.
//
// Two figures are made of every 30 s epoch, those of Walch 2019: motion counts under a Gaussian, and how much the filtered
// heart rate varies within 10 min, relative to the night. A small convolution network reads the night in cells of
// 2.5 min, a forest of small trees reads every epoch for wake, and their opinions are blended. The coefficients are a table,
// coefficients.json, that `diurna train sleep` writes and `diurna evaluate sleep` measures; README.md has the figures, and
// what each part gives.
//
// Stretches is the same over Arrow record batches: epochs in, stretches of one stage out.
//
// # Guarantees
//
//   - An epoch without a motion count, or without a heart rate within 2 min of its middle, has no stage. A night with less
//     than 20 epochs, less than 90 % of them observed, or more than an hour unobserved in one piece, has none at all.
//   - The same night and coefficients give the same stages, whatever was staged before.
//   - The same recordings and seed give the same coefficients, on machines of one architecture.
//   - The features equal their definition to 1e-9, whatever the rate of heart-rate samples.
//   - A table of coefficients that was changed by hand is refused: its version holds a hash of its numbers.
//   - No error holds a value or a person's id.
//
// # Decisions
//
// The two features and the counts are all that is read. Neither clock time nor age nor the two clocks of the laboratory's
// files are: a shift worker sleeps like others. Elapsed time is read. The time left to the end of the night is not: it
// made no stage better, and a wearer's night ends where some other rule said.
//
// Counts are units of a device. A night is brought to the level of the people learned from by its own mean over epochs
// with movement; within the recordings, which share a device, nothing is scaled. That a restless night looks like a calm
// one is the price.
//
// What was recorded as a feature alone is sharpened: counts are looked for that, spread, give it. Movements that wake
// people are shorter than the feature's two minutes, and trees on sharpened counts agree better on wake. Nights with
// counts need no sharpening.
//
// The convolution with a difference of Gaussians takes neither 285 products a second nor a Fourier transform. Heart rate by
// the minute is straight lines, and only their corners count; where there are many, eight recursions do it, because
// within its short support the kernel is a short sum of cosines. The ends of the night are mirrored, the last
// sample included; the method's published code puts the mirrored tail before the last sample, a slip, and is not followed.
//
// Trees and networks are written here, some hundred lines each, instead of calling a library: what there is for Go either
// does not learn, or wants C.
//
// Stages are not smoothed by a chain of stages (methods 1.5), nor calibrated: windows and dilated convolutions overlap
// already, and what a chain gains in agreement it pays for with more deep sleep and REM than there are (README.md).
//
// Agreement with scored nights is measured without Rules: what is plausible for wearers is not what was scored.
//
// # Caution
//
// Everything was learned from, and measured on, nights in a laboratory with motion counts every 15 s and heart rate every
// few seconds. How well stages agree when a watch sends no more than steps and heart rate by the minute is not known.
package stager
