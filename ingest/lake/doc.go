// Package lake keeps what is known about people: Apache Iceberg v2 tables of immutable Parquet files under one folder,
// with their catalog in the ledger.
//
// # Tables
//
// Bronze is one table, sync_records: everything as it was received. Silver is what it comes to once every moment is
// settled: series_hours, sleep_segments, readings, daily_summaries, events, deletions, and dirty_days, the list of what
// changed. Gold tables belong to the models of package transform and live here by the same rules.
//
// # How a change becomes true
//
// A file is written under a temporary name, synced, hashed, renamed to a name that holds its hash, and its folder
// synced (Publish). It is then still invisible. Commit writes Iceberg's metadata, synced too, and one compare-and-set
// of a row in the catalog makes files and watermarks true at once. Whoever reads takes the list of files of one
// snapshot and never looks at folders, so a half-done change cannot be seen.
//
// # Guarantees
//
//   - Rows and the Kafka offsets they came from are one commit; there is no second place that remembers offsets.
//   - A commit is refused with ErrConflict when anything, a property included, changed since its base.
//   - Every order of arrival of the same messages merges into the same silver, deletions included: the highest revision
//     wins each sample, and what a deletion hides stays hidden when it comes later.
//   - An outcome that could not be learned is settled by reading back; no file is ever deleted because of an error.
//
// # Decisions
//
// Only the parts of Iceberg that a list of files can express: added and replaced files, identity partitions, properties,
// expiry of snapshots. No delete files, so that a file list is the whole truth and DuckDB needs no extension.
//
// Iceberg's own requirement compares snapshots, and a commit that only sets properties makes none: two of them could
// both succeed and lower a watermark. So each commit also names the commit it is based on, and is refused when another
// came between.
//
// Iceberg's local file system never syncs; durableFS takes its place for the scheme "file", in the whole process.
//
// A deletion hides what its own device said by revision, like any other word of that device, and what other devices
// said whatever their revision. Counters of two devices cannot be compared, and ordering them by arrival instead made
// the outcome depend on which of two samples met the deletion first (found by permuting arrivals).
//
// Silver is rewritten file by file: a round of merging rewrites the files that may hold one of its keys, by the bounds
// the manifests keep, and no other. What one late batch costs is bounded by the size of a file, not of the lake.
//
// # Non-obvious
//
// A sample may move from one row, and one month, to another when a later revision corrects its offset. Rows of one hour
// are therefore resolved together wherever they are stored.
package lake
