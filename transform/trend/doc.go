// Package trend says how a person's figures move: what is usual, what a week was like, and whether there is a trend.
//
// The statistics are plain functions of numbers. The Go parts of the models in models/trends (Baselines, Weeks, Months,
// Years, DayTrends, WeekTrends) read the rows of stg_figure_days or figure_weeks and apply them.
//
// A statistic that cannot be told (of no values, of a spread of none) is NaN, and null in a table.
//
// # Decisions
//
// There is one definition of a quantile: linear interpolation between the order statistics (type 7 of Hyndman and Fan,
// SQL's percentile_cont), for medians, quartiles and deviations of every figure. The one exception is a percentile that
// must be a value that was measured, the resting heart rate awake: its model says so (percentile_disc).
//
// Every window is summed anew, in the order of its dates. A running sum would be faster and would depend, in its last
// digits, on where it began; the same days must give the same row whatever was built before.
//
// Values made by different methods are not put together. A baseline is of the values made as the latest one was; a
// comparison or a trend over a change of method is null, with the reason.
package trend

// Fingerprint changes when a function of the models would make other rows of the same input.
const Fingerprint = "1"
