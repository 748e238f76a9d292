// Package broker is a Kafka-protocol broker inside the process, so that a laptop needs no cluster: any Kafka client on
// the same machine can produce to it, and the pipeline reads it exactly as it reads a real one.
//
// # Guarantees
//
// What a producer was told is stored is on disk: every batch is synchronised before it is acknowledged, and a kill at
// any moment loses nothing that was acknowledged. Offsets never start again in a folder that still has its files.
// Nothing is deleted by age or size; Trim alone deletes, and never the last record of a partition.
// The time of a record is the broker's own clock, whatever the producer wrote, so that a phone with a wrong clock
// cannot move the gate by which its samples are judged. It listens on the loopback only.
//
// # Decisions
//
// The broker is franz-go's kfake. Four things are added, each for a fault seen in it:
//
// It honours LogAppendTime only where the producer itself asked for it, and then stores a batch whose checksum no longer
// fits, which the next start would cut off together with all that follows. So the time is written, and the checksum
// renewed, before the broker sees the batch, and the producer's flag is cleared (stamp.go).
//
// It cuts a damaged log at the damage without a word, however much follows. So the log is read once before it starts:
// an unfinished last write is let pass, since nobody was told that it is stored; anything else is refused with the
// name of the file (damage.go).
//
// After a crash it takes the first offset and the next one from the segment files alone. A partition trimmed to nothing
// would start again at 0. So Trim keeps the last record, and segments are small enough to be deleted soon.
//
// It synchronises files and not the folder a new file lies in, and does not say so when the disk refuses. A kill loses
// nothing; after a power cut the first records of a new segment may be gone, which ingest notices as a partition that
// ends before the lake's watermark, or, when they were not yet in the lake, not at all.
//
// It remembers the last request of each connection for as long as a control function stays, so the one that stamps is
// renewed from time to time.
package broker
