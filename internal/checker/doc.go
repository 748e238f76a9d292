// Package checker says whether a lake is what it promises to be. It shares no code with what fills the lake: it knows
// what was produced, from a journal that the producer kept, and what lies on the disk, from the catalog's rows down to
// the bytes of the files, and nothing in between.
//
//	c, err := checker.Open(ctx, checker.Config{Ledger: ".../ledger.db", Lake: ".../lake"})
//	found, err := c.Check(ctx, journal)
//
// A Checker remembers what it saw. It is asked again and again while things are killed, frozen and started anew, and so
// notices a watermark that went back or a name whose content changed.
//
// # Guarantees
//
// Every Finding names the invariant that does not hold, the table and the place. An error means that nothing can be
// said; damage to the lake is a finding, not an error. A Checker writes nothing, and may look while others write: it
// reads one version of each table, and asks of it only what must hold at every moment.
//
// # Invariants
//
// What is asserted of each, and by which method; the torture of cmd/diurna (TestNothingIsLostOrDoubledWhoeverIsKilled) asks
// after each fault, others in the end or in tests of their own.
//
//	I1  no loss          every message of the journal below the watermark is in bronze with all its rows, as dead letter or in
//	                     a recorded gap (Check), above it only what is not settled (CheckSettled: nothing); silver has what won
//	I2  no duplicate     no (partition, offset, item) and no natural key twice, nothing that nobody sent (Check)
//	I3  monotonic        from version to version of each table no watermark and no epoch falls or vanishes (Check)
//	I4  fencing          each move of bronze's watermark names the epoch that stood before and stands after it, and no epoch has
//	                     two owners (Check)
//	I5  continuity       names of bronze's files, footers and skipped gaps tile [first, watermark) of each partition (Check)
//	I6  atomic           every file that any kept snapshot lists is there with its length and hash, and is no temporary one (Check)
//	I7  immutable        no path has other content than when it was seen before (Check, over the life of the Checker)
//	I8  snapshot reads   files pinned under a lease give the same rows later (Pin); a reader of the product sees every
//	                     instant once (the torture's role "read")
//	I9  rewrite-neutral  a step that moves no watermark leaves the multiset of rows as it was (Check)
//	I10 replay           two lakes hold the same rows, and after a full compaction the same bytes (Digest)
//	I11 dead letters     what is set aside is what the journal says must be, with its reason and bytes (Check); a partition
//	                     is not blocked (TestPoisonBlocksNobody)
//	I13 bounded          memory and open files of every process, looked at with each check (the torture)
//	I14 liveness         without faults everything comes to the end of the journal in time (Behind)
//	I15 hint only        offsets that Kafka was told are deleted, set back and set forward meanwhile (the torture), and nothing
//	                     of the above changes
//	I17 no leak          after expiry, sweep and emptying: no file that nobody refers to, nothing in the trash, no snapshot
//	                     more than was to be kept (Leaks, Swept)
//
// I12 (what was erased stays erased), I16 (reports are sent once) and I18 (gold converges) are held by tests of the
// packages that promise them.
//
// # Decisions
//
// Iceberg's metadata is read by a reader of our own (JSON, and the hundred lines of Avro that manifests need), and the
// rows by DuckDB: a fault that the lake's own libraries make when they write and forgive when they read would otherwise
// never be seen.
//
// Silver is computed from the journal by the plainest rule there is: of all that was ever said about an instant, the
// highest revision; nothing when a deletion hides it. It takes memory for every sample, which a pipeline could not
// afford and a test can.
//
// Bronze is compared message by message with the journal, each file once: a file that is checked is immutable, and that
// it stays what it was is looked at every time.
package checker
