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
