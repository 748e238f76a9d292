// Package lake keeps what is known about people: Apache Iceberg v2 tables of immutable Parquet files under one folder,
// with their catalog in the ledger.
//
// # Tables
//
// Bronze is sync_records, everything as it was received, and ingest_gaps, what Kafka deleted before it was read. Silver is
// what the records come to once every moment is settled: series_hours, sleep_segments, readings, daily_summaries, events,
// rr_runs, workouts with their totals, workout_points with their tracks, deletions, and dirty_days, the list of what
// changed. Gold tables belong to the models of package transform and live here by the same rules.
//
// # How a change becomes true
//
// A file is written under a temporary name, hashed, synced, renamed to a name that holds its hash, and its folder
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
//   - Power may be cut and processes killed at any step, the disk may be full or an operation of it fail: what a snapshot
//     refers to is there and whole, received rows and watermarks agree, and work goes on. (Simulated lives of receiving,
//     merging, compacting, expiring and sweeping, with 0, 50 or 100 % of what was not synced surviving each cut; without
//     any one kind of sync, of files or of folders, the first of them goes wrong already.)
//   - What was current when a lease was taken, or later, can be read until it is released, or two minutes after its owner
//     was last heard of (Pin).
//   - Nothing is written from a file that does not hold the bytes its name promises (Check): merge, compaction, copy on
//     write and repair stop, and name the file.
//   - Compaction changes no row: what was written is read back and compared with what was read, as multisets, and it is
//     committed only while every file it replaces is still live (Compact).
//   - After a full compaction the same messages lie in the same bytes, however they were cut, interleaved and merged on
//     their way; dirty_days alone is left out, for it lists what rounds of merging did.
//   - Sweep takes no file that a kept snapshot refers to, that is younger than its grace, or that holds received rows above
//     the watermark of their partition. Data files it takes can be moved back until the trash is emptied.
//   - Verify finds every file, Iceberg's own included, that has another byte, another length, or is gone.
//   - The files of received rows are enough to make the lake anew, wherever they lie (RepairFromFiles).
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
// Where bytes live is one interface (Store): a folder here, a bucket in package s3, a disk that loses power in package
// laketest. Tables and commits know nothing of it, and one set of tests (laketest.Exercise) holds all of them to the same
// contract. Iceberg's own local file system is not used: it never syncs. Iceberg finds file systems through one registry
// for the whole process, so each lake hands it a key by which it finds that lake's store.
//
// A folder that is found is not taken to be durable: whoever made it may have been killed before it was synced, and a power
// cut would then take the files with it, those that were synced in it too. So each process syncs the parent of each folder
// it writes to once: one sync per partition and process. A file that is published again under the same name is renamed
// over the old one, which renews its date: a sweep that found it old must see that somebody counts on it.
//
// A deletion hides what its own device said by revision, like any other word of that device, and what other devices
// said whatever their revision. Counters of two devices cannot be compared, and ordering them by arrival instead made
// the outcome depend on which of two samples met the deletion first (found by permuting arrivals).
//
// A newer version of a workout replaces all of an older one, its totals and its track too: what the newer one does not have
// is gone. Totals are a list in the workout's row. The track is a table of its own, for it is a thousand times as much and
// says where a person was; each version has a first row there without samples, so that the version shows when it has no
// track. A workout is known by its name and not by its time, so what a deletion hides leaves its name, times and revision
// behind: an older version, which the deletion may not reach, would come back otherwise. A deletion that names a metric
// takes its samples out of tracks as well: it is how a person takes back where they were.
//
// Tracks lie by month, and a new version may lie in another one than the old. Where that is, workouts knows, which is
// therefore merged after them; a merge that is cut off between the two has said nothing yet that the next one cannot find
// in bronze. Models take a track only when its revision is the workout's.
//
// Rows of tracks and of beats may be long: their files are cut by values as well as by rows, and read fewer rows at a time.
//
// Silver is rewritten file by file: a round of merging rewrites the files that may hold one of its keys, by the bounds
// the manifests keep, and no other. What one late batch costs is bounded by the size of a file, not of the lake.
// Within such a file, groups of rows of people nobody speaks of are copied as their bytes are, without being decoded.
//
// Series are merged by columns, items by rows. Nearly all there is to merge is series, and rows as structs made the merge
// slow: of 1.9 s for 4 million samples (a day of 500 people, hours in four parts, one part in twenty sent again; one core)
// a third went into putting together bronze rows of 33 columns, a third into the memory they take and its collector, and
// the rest into samples compared one by one. So only the columns that merging asks for are read, page by page, into
// slices; a row is numbers only (names are numbered, see symbols); rows are put in order of person and metric by
// counting, for a device speaks in order of time; and an hour is resolved by stretches of samples (see resolver). That is
// 17 million samples per second of processor time instead of 2.1; the best SQL for the same rows on one thread of DuckDB
// (testdata/merge_peer.sql) makes 2.4. The benchmark runs both and compares their rows.
//
// What reads samples for models reads them by the same columns, without revisions (ScanHours): 3 ns a value, of all rows of
// the groups in which one of the people may be. Rows lie in order of person, so a file is open while its people are asked
// for, and memory holds one person's hours and a chunk of rows a file.
//
// Rows are written by parquet-go, as structs, but those of ingest are not. Most of their 33 columns say what the row before
// said, or nothing, and parquet-go looks at each value of each row: that, and holding the rows as structs of 400 bytes
// until they were written, was more than half of the processor time from Kafka to bronze (0.8 of 1.4 s for 17 million
// samples). Records takes rows apart into columns as they come: a level or a text that comes again costs a comparison, a
// page is encoded when it is full, and what waits is pages, so memory is bytes per sample and the collector has nothing to
// look at. Encodings, compression, footer and indexes of pages are parquet-go's own, and the file is the one it would
// write: tests hold rows, schema, statistics and indexes of both against each other, and DuckDB reads both. The same rows
// cost 1.6 times the processor time as structs (BenchmarkWriteBronze). Silver and gold are written as structs, for writing
// is a quarter of their time.
//
// A footer is walked through with Apache's thrift before parquet-go reads it: that makes room for a list as long as the
// footer says, and 24 GiB for one that was damaged end the process (found by FuzzFooter).
//
// Splice makes a file of groups of rows of two others, for a builder that has changed one person's rows among those of
// many. It moves what the footers say of the groups bit by bit, with a reader of thrift's compact protocol that copies what
// it does not know: parquet-go has no room for some of what DuckDB writes, and writes "no nulls" where nothing was said.
//
// Files are compressed with the fastest level of zstd, compacted ones too: a day of hours takes 0.75 bytes a sample, 0.56
// of heart rate, and the default level saves 4 % of that, for 90 % of it are deltas that are dense already.
//
// A round of merging holds 128 MiB of bronze, counted as it lies in memory, and the files it merges with a chunk of rows
// each: what it takes does not depend on how far behind it is.
//
// The name of a data file holds the first 128 bits of its SHA-256, and the manifest its length. That is compared whenever
// rows are written from it: when one byte of a file is altered, DuckDB reads other values without a word in 95 of 100
// cases (measured on 200). The other half of the hash would guard against somebody who can find collisions of 128 bits,
// and who could then as well change the name. Iceberg chooses the names of its own files, so their hashes go to the
// ledger, all of a commit in one transaction before the catalog names them: a median of 33 ms a commit instead of 31 on a
// busy machine.
//
// A lease is a point in time and not a list of snapshots: it is taken before anything is loaded, so that there is no moment
// between looking and holding, and it costs one row however many tables are read (0.3 ms to take and release). Snapshots
// are expired by when they were replaced, by the clock of the committer, not by when they were made: one that was current
// for hours, until a moment ago, is what readers have. In a home that cannot be written there is no lease, and nobody who
// could expire anything.
//
// A table that is dropped and made anew does not know the files of its past, so while a lease is older than the table
// nothing of it is swept.
//
// Swept data files are moved, not removed: whoever swept too much, or lost a commit to a restored ledger, moves them back,
// and verify says from where. A lake whose files are rewritten with every sync would fill the disk with a day of its past,
// so the trash also has a limit in bytes. Metadata and temporary files are removed at once: they can be made anew.
//
// A full compaction writes rows in a total order, 65,536 to a file, one partition after the other, and calls the files by
// their content alone. Received rows are compacted too, runs of offsets without a hole into one file named for all of
// them, but keep no promise about bytes: where a date or a hole lies between two files depends on when messages came.
//
// A repair drops silver and gold and makes them again. Which of their files were live cannot be told from the files, and
// merging them by guess could bring back what was deleted. Of received rows any set of whole files that follow each other
// is right, whoever wrote them and whether or not they were committed, for messages of one offset are the same for
// everybody. New tables are prepared beside the old ones and put in their place by one transaction.
//
// # Non-obvious
//
// A sample may move from one row, and one month, to another when a later revision corrects its offset. Rows of one hour
// are therefore resolved together wherever they are stored.
package lake
