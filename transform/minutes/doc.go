// Package minutes turns the hours of a person's devices into the person's minutes: one row for a minute, whatever
// devices recorded it and however often. It is what most models of a day begin with, and made once for all of them.
//
// # Guarantees
//
//   - A sample counts for the minute it starts in, however long its period.
//   - Devices are never added up. Where several recorded a metric on the person's date, each minute is that of one: of a
//     device that shows by a heart rate or a step that it was worn in that minute, before others; then native before
//     imported before typed in; then by the device's name.
//   - A minute has a row when something was measured in it; what was not measured is null.
//   - The rows come in order of person, date and minute, and memory holds one person's date at a time.
//
// # Decisions
//
// This is Go because it is plumbing, and because it is half of what a build reads: unnesting, grouping and choosing in
// SQL ran at half a million samples a second of CPU for each model that did it; this runs once, at some tens of
// millions.
package minutes
