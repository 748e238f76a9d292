// Package samples turns the hours of a person's devices into what the samples of a date come to, whatever devices recorded
// them and however often: the person's minutes, the histogram of heart rates and stretches without change, the hours and slots
// that tell rest from unrest, the hours in which a device was worn, and oxygen saturation by the second. It is what most
// models of a day begin with, made once for all of them, and here are the columns as functions of other models read them.
//
// # Guarantees
//
//   - An amount that was counted over more than a minute (steps, distance, floors, energy) is shared out among the minutes by
//     time, and a class counts for each of its minutes. Of anything else, a sample stands in the minute it starts in, and
//     beside it for how many minutes it speaks; a heart rate speaks for that minute alone.
//   - Devices are never added up. Where several recorded a metric on the person's date, each minute is that of one, also where
//     one sends a sample a minute and another one an hour: of a device that shows by a heart rate or a step that it was
//     worn in that minute, before others; then native before imported before typed in; then by the device's name. Rest is
//     told by one device a date.
//   - A metric has the minutes in which it was measured, in order, and no others; what was not measured has no list.
//   - Memory holds the hours of one person's dates at a time.
//
// # Decisions
//
// This is Go because it is plumbing, and because it is half of what a build reads: in SQL each model that began with
// minutes unnested, grouped and chose them anew. Making them once took the build of a day of 1,000 people from 19.1 s of
// CPU to 12.5 s (six tables, `make bench/models`).
//
// A date is one row of lists. As a row a minute the same took 1.5 s of 500 people instead of 0.6, and each table that reads
// minutes 0.1 to 0.3 s more, because DuckDB takes in, joins and sorts what in a list is in order already. A list that would
// say of every minute what is true of nearly all (one sample, the device's own, for that minute) is left out, and minutes that
// follow one another are the first and how many more.
//
// On most dates each metric is of one device, hour after hour: then there is nothing to choose, and its samples are taken as
// they come (50 -> 31 ns a sample by the minute).
package samples
