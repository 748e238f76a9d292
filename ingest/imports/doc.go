// Package imports turns exports that people already have into sync batches, as if their phone had sent them: the rest
// of the pipeline cannot tell an import from a sync. Each form of export has a package of its own below this one; what
// they share is here.
//
// # The rule of time
//
// An export without zones tells wall clock only; the zone is given with the import. A wall time that occurs twice, when
// clocks go back, is its first occurrence unless the order of the file shows the second: the row before it lies, in the
// same person's rows of the same file, between the two. A wall time that never was, when clocks go forward, is refused
// with file and line. Both are decided here from the zone's transitions, not by the choice time.Date makes.
package imports
