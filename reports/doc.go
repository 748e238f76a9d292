// Package reports tells a person about a week, a month or a year of their own life: compose reads the gold tables into
// one frozen Snapshot, and everything a person sees (page, text, JSON) is rendered from that snapshot and from nothing
// else.
//
//	Compose / ComposeAll    gold tables -> *Snapshot       (this package; queries/*.sql)
//	render.HTML, Text, JSON *Snapshot -> bytes             (reports/render)
//	chart.Bars, ...         figures -> SVG                 (reports/chart)
//	locales                 message id + figures -> words  (reports/locales)
//	schedule                when a report is made          (reports/schedule)
//	deliver                 how it reaches its reader      (reports/deliver)
//
// # Guarantees
//
//   - A snapshot is plain data without a word of prose: figures, units, counts and reasons from closed lists. The same
//     gold rows, period and as-of time give the same bytes of JSON.
//   - Missing is null. A mean below its minimum count is null and says how many days there were and how many it takes;
//     a total says over how many days it was counted.
//   - A comparison is made only with the person's own past (the three weeks before; the month before and the same month
//     a year earlier; the year before), only when both sides have enough valid days and were measured by one method. It
//     speaks of a change only beyond the person's own noise.
//   - A day that is not over is in no figure. What lies after the as-of time is "to come", not "not measured".
//   - A person of whom nothing is known is an error with code not_found, which does not repeat the id. A known person
//     whose period is empty gets a report that says so, and why.
//
// # Decisions
//
// The report composes itself whatever the coverage, because it is also asked for on demand: the minimum counts decide
// what each figure says, not whether there is a page. Whether a report is due and worth sending is for the schedule.
//
// Queries are set-based, one or two per section, and take the list of people as a parameter: ComposeAll runs them once
// for a chunk of people inside one transaction, so that all sections speak of the same state of the tables, and
// memory is bounded by the chunk. Compose is the same with one person. What is statistics is SQL; Go checks counts
// against the definitions of its kind and shapes the result.
//
// A month and a year are a week's report over more dates, with the sections of Long beside it: parts, weekdays, weeks
// of the goal, what stands out. The parts of a month are its ISO weeks cut at its edges, because every date must be in one
// of them. The weeks of the goal are whole weeks and belong to the period they end in: a goal of a week cannot be held
// against a part of one.
//
// Numbers in JSON are written with at most six decimals. Sums of floats may differ in their last bits with the order
// in which an engine adds them; the sixth decimal of a minute does not.
//
// The own noise is the median absolute deviation of single days, not of weekly means: three weeks have too few means
// to speak of a spread, and the stricter rule keeps quiet weeks quiet.
package reports
