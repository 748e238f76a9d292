// Package fitabase imports the folder of CSV files in which the Fitabase service hands out what Fitbit devices recorded:
// minute steps and intensities (wide or narrow), heart rate by the second or minute, sleepDay and weightLogInfo, plain
// or gzipped, any of them.
//
// # Guarantees
//
// Every value of a row that can be read is in exactly one batch. A row that cannot be read is a problem with file and
// line, and the rest goes on. The batches depend on the files and the options alone; how they are cut changes no sample.
//
// # Decisions
//
// Files are known by their header, since people rename them. They hold one metric each and a batch holds all metrics of
// a few hours, so everything is read first, into columns of 12 bytes a sample, and cut afterwards.
//
// What the device recorded by the minute and what a scale sent is native; a weight that a person typed is manual and
// comes from the app. A device's seq is the end of the batch's hours in seconds: it rises from batch to batch, and the
// same hours of a later export, imported again, have the same seq, so that the later arrival wins.
//
// A sleepDay row tells minutes of a date and no times. It becomes three daily summaries, sent with the hours around the
// noon of that date, never a sleep segment. Lines are split at commas: the export quotes nothing, and a stray quotation
// mark must not swallow the rest of a file.
package fitabase
