// Package kafka reads and writes the topic of sync batches. It hides the client library: the rest of ingest knows a
// Source, which hands out the messages of one partition in order from a given offset, a Producer, which says where what
// it sent has come to lie, and Topic.Join, which shares partitions out among processes.
//
// # Guarantees
//
// A Source never skips a message silently. What was deleted before it was read is a GapError, a topic that was cut back
// is ErrRewound, one that was deleted and made anew is ErrRecreated, however long it is by now; only offsets that hold no
// message (transaction markers, aborted and compacted records) are passed over. A batch whose checksum does not fit is an
// error and never a message. It keeps no offset anywhere: where to go on is the lake's to know, and the offsets that
// Topic.Hint leaves with the cluster are read by nobody here.
//
// A Producer has every message acknowledged by all replicas in sync before it says so, and keeps the order of messages
// with one key. After an error some may come twice.
//
// No work of a generation of a consumer group goes on, in a member that keeps its promise to end in time, when the next
// generation begins.
//
// Nothing is said without TLS to a broker on another machine unless Security.Insecure allows it, whichever way its address
// was learned. Every connection goes through the one function that sees to that.
//
// Whatever a connection does (delays, resets, falls silent on one side or both, slices what it carries), messages come
// whole, in order and once, or an error comes. A Source that gets nothing although there is something connects anew after
// Config.StallAfter, and after three times says ErrStalled.
//
// All of it is one suite of tests, held against kfake with TLS and SCRAM on in every run of the tests, and against Apache
// Kafka 4.3 likewise by make test-kafka (about three minutes on two busy cores).
//
// # Decisions
//
// 2026-11: fetch requests of our own over kafka-go's connections, instead of its Reader or its fetch. kafka-go opens,
// authenticates and keeps connections, knows who leads what, produces, and speaks the group protocol. Reading is ours, in
// wire.go and recordbatch.go, for these faults of v0.4.51, each of which a test here would show:
//
//   - the Reader steps over deleted ranges without an error, does not verify checksums, and hands out transaction markers
//     and the records of aborted transactions as if they were messages;
//   - its newest fetch and metadata requests know no topic ids, so a topic that was deleted and made anew, and is longer by
//     now, cannot be told from the old one. A fetch that names the topic by its id is refused by the broker itself:
//     there is no moment between looking and reading. Clusters before 3.1 take no such fetch; there the id is compared
//     when a source begins and when its offset does not fit, and before 2.8 topics have no id at all;
//   - it does not see the broker's time where message.timestamp.type is LogAppendTime, only the producer's, which a
//     phone's clock may have set to anything;
//   - it does not tell where a batch ends whose last records were compacted away, and drops the rest of a batch in which it
//     cannot read a record.
//
// It costs no speed: BenchmarkRead reads 140-260 MB/s of 1.5 kB messages through a Source and 160-250 MB/s through the
// Reader, which fetches ahead, from a kfake in the same process on two busy cores, with half as many allocations.
//
// The encodings are those of kmsg, generated from Kafka's own definitions, which kfake uses too. Message sets of the time
// before 0.11 are still read by kafka-go.
//
// Its Writer gives up at once while a partition has no leader, as in the seconds after brokers start, so Publish tries
// again. Other faults of kafka-go that are lived with: it lets a login take for ever when the other side falls silent in it (the
// caller's deadline still holds, a goroutine and a socket stay until the other side ends); it takes a hang-up during a
// login for an unexpected end of input, so Open looks for itself, step by step, at which one a broker does not go on,
// and says what to set (refusal.go).
//
// A list of aborted transactions comes with every answer. One answer is held at a time, so memory is bounded by MaxBytes,
// or by the largest batch where that is more.
//
// A hole before the first batch of an answer may be compacted or have been deleted in the moment between two fetches, so
// the partition's start is asked for whenever there is one, also when the batch holds no message.
//
// Messages are spread by murmur2 of the key, as Kafka's own producer does, so that a person stays in one partition
// whichever of the two sent.
//
// Shares of a group are ranges of partitions, decided by kafka-go in the member that leads. The group only shares out
// work: safety against two writers is the lake's epochs, so nothing depends on a session being long enough.
package kafka
