// Package ingest takes sync batches from Kafka into the lake's bronze table, exactly once.
//
// # Guarantees
//
// Every message below a partition's watermark is in bronze: as rows, as rows set aside with a reason, or, when it could
// not be decoded, as a dead letter with its bytes. Nothing is dropped silently and nothing blocks a partition.
//
// Rows and watermark are one commit, and a run starts from the watermark: what was read but not committed when the
// process died is read again, and what was committed is not. Kafka's own committed offset plays no part.
//
// # Decisions
//
// A value that cannot be true is set aside and the rest of its batch goes on; the time gate comes first, for a wrong
// clock makes everything else about a value meaningless.
//
// Buffers are kept per Kafka partition, never per date of the data: a batch with a year of late days costs no more
// memory than one with a day.
//
// The wall clock decides only when a buffer is old enough to be written. Cut early or late, the rows are the same.
package ingest
