// Package kafka reads and writes the topic of sync batches. It hides the client library: the rest of ingest knows a
// Source, which hands out the messages of one partition in order from a given offset, and a Producer, which says where
// what it sent has come to lie.
//
// # Guarantees
//
// A Source never skips a message silently. What was deleted before it was read is a GapError, a topic that was cut back
// or made anew is ErrRewound; only offsets that hold no message (transaction markers, compacted records) are passed
// over. It keeps no offset anywhere: where to go on is the lake's to know.
//
// A Producer has every message acknowledged by all replicas in sync before it says so, and keeps the order of messages
// with one key.
//
// # Decisions
//
// 2026-11: fetch requests of segmentio/kafka-go instead of its Reader. The Reader steps over deleted ranges without an
// error, does not verify the checksum of a batch, and hands out transaction markers and the records of aborted
// transactions as if they were messages. A fetch request returns the error as it is, the checksum is verified, and the
// list of aborted transactions comes with the answer. One answer is held at a time, so memory is bounded by MaxBytes.
//
// The time of a message is the one kafka-go knows: the producer's, plus nothing. It does not see the broker's time in a
// topic with message.timestamp.type=LogAppendTime. The embedded broker therefore writes its time where kafka-go looks.
//
// Messages are spread by murmur2 of the key, as Kafka's own producer does, so that a person stays in one partition
// whichever of the two sent.
package kafka
