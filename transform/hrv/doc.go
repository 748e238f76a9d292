// Package hrv turns beat-to-beat intervals into figures of heart-rate variability. Its functions are pure: intervals in,
// figures out; the models that call them read the lake.
//
// The way from intervals to figures is that of the Task Force (1996): an interval outside 300 to 2000 ms cannot be one
// between two beats, Lipponen and Tarvainen (2019) mark those that an ectopic, missed or extra beat has bent, and what is
// left are normal intervals (NN). Differences are taken between neighbours alone: a difference across a beat that was
// taken out is no difference of neighbours, and would pass for variability.
//
// Heart-rate variability comes from intervals and from nothing else. A series of beats per minute has lost it: 60,000
// divided by a mean rate gives smoothed intervals, whose RMSSD is a fraction of the true one.
//
// # Decisions
//
// An artefact is left out, not repaired. Interpolated intervals make the missing ones as regular as possible, which is
// what RMSSD measures the absence of.
//
// Sums are sums of whole milliseconds, so that no figure depends on the order of its terms.
package hrv
