// Package deliver keeps what reports were made and hands them over: a frozen snapshot for each revision, an outbox with
// one row for each channel, and the channels themselves.
//
//	Outbox.Put      in the caller's transaction: snapshot and outbox rows, all or nothing
//	Outbox.Deliver  queued rows -> channels -> marked
//	Files           the channel that writes outbox/<kind>/<period>/<name>.html, .txt and .json
//
// # Guarantees
//
//   - The key of a delivery is (person, kind, period, revision, channel). It is put once and marked once. A channel may
//     be called again for the same key when the process died between the hand-over and the mark; it is then given the
//     same snapshot and must be idempotent, as Files is.
//   - What is rendered is the frozen snapshot, never the tables. The ledger refuses to change a snapshot.
//   - An older revision never replaces a newer one: it is withdrawn when a newer one has been put.
//   - People are asked for again when their report is handed over. Who is no longer there gets nothing.
//   - The text of a push holds no health value.
//
// # Decisions
//
// File names are made from the person's id with a secret of the installation, so that a listing of the folder tells
// nobody apart. The snapshot is frozen and files are not: a correction replaces the files of its period, and all its
// revisions stay in the ledger.
package deliver
