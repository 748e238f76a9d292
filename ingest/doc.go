// Package ingest takes sync batches from Kafka into the lake's bronze table, exactly once.
//
// # Guarantees
//
//   - Every message below a partition's watermark is in bronze once: as rows, as rows set aside with a reason, or, when it
//     could not be decoded, as a dead letter with its bytes. Or Kafka had deleted it before anybody could read it, the
//     operator had said to go on, and bronze.ingest_gaps says so.
//   - Whatever dies, freezes, is doubled, is refused, gets no answer or finds the disk full: the worst is that messages are
//     read again.
//   - A partition goes on without anybody's help once a fault is over, or stands in a state with a reason that an operator
//     can read.
//   - What is held in memory is bounded, whatever the backlog.
//
// # Why that is so
//
// Rows and watermark are one commit of one table: files are written first, where nobody sees them, and one compare-and-set
// makes files and watermark true together. A commit goes ahead only if, in the very metadata it replaces, the watermark is
// where its rows begin. So the rows between two watermarks come from one process that read them in order, and nobody can
// commit them again: the watermark is no longer where they begin. That alone keeps rows from being lost or doubled, with
// any number of processes working a partition at once, and however long each of them slept.
//
// Epochs make it quick and visible who works a partition. A process claims it by a commit that raises its epoch, and reads
// from the watermark that commit was based on; a commit of any older epoch is refused. A process that is refused drops
// what it holds, which is in Kafka still, and watches: as long as the other gets on, or there is nothing to get on with,
// it stays away, and the longer the oftener it was refused. Two that own everything therefore do not take turns in
// throwing each other out: one of them comes to commit.
//
// When the outcome of a commit is unknown, bronze is read again: its last commits carry their ids. No file is ever deleted
// because of an error.
//
// A gap is recorded first, and then the watermark moves. Both are based on a look at bronze that shows the partition to be
// ours and to stand at the gap; from there nobody can commit anything else, for the messages are gone. After a crash in
// between the record is used as it stands, though more may have been deleted meanwhile, so that files and skipped gaps tile
// the offsets from the first to the watermark.
//
// Kafka's committed offset is written afterwards, as a hint to lag tools, and never read.
//
// # States
//
// state.go has the states of a partition and the ways between them, protocol.go what leads from one to the other, commit.go
// the order of the durable steps. The protocol waits for nothing and starts nothing: ingester.go runs it with goroutines
// and a clock, simulation_test.go with a seed and every fault we could think of.
//
// # Decisions
//
// A value that cannot be true is set aside and the rest of its batch goes on; the time gate comes first, for a wrong
// clock makes everything else about a value meaningless.
//
// Buffers are kept per Kafka partition, never per date of the data: a batch with a year of late days costs no more
// memory than one with a day.
//
// The wall clock decides only when a buffer is old enough to be written, when to try again and when to take over. Cut early
// or late, the rows are the same.
//
// 2026-11: a second source is told apart by the partition number. When a topic is made anew its offsets begin again, and
// everything that counts offsets (files, merge, dirty days, builds) would take them for the old ones. The lake's partition
// is Kafka's plus a million for every source before, so each source has watermarks of its own and no reader needs to know.
// A column "source" beside partition and offset would have had to enter every key, every watermark and every join.
//
// 2026-11: messages that are lost to Kafka's retention halt their partition by default. Going on is one setting away, but
// it should be somebody's decision: until it is taken the messages may still be restored. A halt is noted in
// bronze.ingest_gaps too, with skipped = false; it hides no hole, for the watermark stays.
//
// 2026-11: a topic that shrank, or that Kafka tells apart from the one before, halts every partition, not only the one that
// shows it: the others may have grown past their watermark already and would be read as if nothing had happened.
//
// 2026-11: paused is no state of its own but lies over the others. A full disk may be met while a partition is claimed, read
// or committed, and it goes on with just that.
//
// The budget counts what a message becomes, not what it weighs on the wire. As rows it is some five hundred bytes for each
// hour of a series: eight times the wire is reserved before decoding and corrected after. What a buffer holds is less, for
// it takes rows apart into pages of the file to be (lake.Records) and asks them what they take. What is fetched and not
// decoded is bounded apart (kafka.Config.PrefetchBytes), or readers that hold fetched messages and wait for room to decode
// them could wait for each other.
//
// Rows live until their buffer has taken them in; then the memory of decoding goes to the next message. That is why the
// reader that made them does not use it again itself: it decodes while they are taken in.
//
// A storm of rejected messages pauses reading after what was taken in is written. Holding it back would lose nothing
// either, but would bring the same messages again with every restart.
//
// 2026-11: a device's clock is estimated and never set right. sent_at is the phone's clock, and how long a batch was on its
// way is in it too: what looks like a clock that is slow may be an app that holds batches back. A correction from the syncs
// that came before would make rows depend on what had arrived until then, and every order of arrival must give the same
// silver; one from all syncs would move days that people have seen when a new one comes. So times stay as they were
// recorded, the estimate (clock.go) is a function of the set of syncs, and a person is told what to do. What is further off
// than ten minutes ahead does not pass the time gate at all.
//
// 2026-11: whose data it is, the wire says with every batch. A device that was sold is another person's from the first
// batch that names them, and everything is keyed by person and device, so nothing moves from one to the other. Whether what
// a new owner's app reads out of a device was recorded before the hand-over cannot be known from the wire: it has no
// pairing events.
//
// 2026-11: a counter that counts up travels as it is read (metric step_counter), and what it comes to is computed from
// silver, where the readings of a device lie in order of time whichever way they came (transform's model
// stg_counter_steps). Differences formed at ingest would depend on what had arrived until then. A fall is a reset, whoever
// made it: the device's epoch is not asked, for it belongs to the sync and not to the reading, and a history that is sent
// again after a reset would look like many. Where a counter has passed its old count before it is read again, the
// difference is less than was walked, and never more.
package ingest
