// Package gateway is HTTP in front of Kafka, for apps that have no producer of their own:
//
//	POST /v1/sync                   sync batches, one or many; each gets an answer of its own
//	GET  /v1/sync/{batch_id}        what became of a batch, with reasons and remedies
//	GET  /v1/sync.openapi.yaml      what this package promises, as OpenAPI 3.1
//
// A body is one batch or many: a JSON object, a JSON array, JSON lines, one protobuf message, or protobuf messages each
// behind its length; plain, gzip or zstd.
//
// # Guarantees
//
//   - A batch that was answered with "accepted" is in Kafka, acknowledged by all replicas in sync. It is there with the
//     bytes that came, so that a newer version may read from it what this one does not know.
//   - The answer is per batch: a broken one costs none of the others.
//   - The same batch sent again gets the same answer and is not sent to Kafka again, as far back as the ledger remembers.
//     Other content under the same batch_id is refused. What the ledger forgot or could not write down comes to Kafka
//     twice, and changes nothing there: every sample says which sync it is of.
//   - What will be set aside is told at once, by the rules ingest itself uses, each with a remedy for people.
//   - A token that is bound to a person neither sends nor reads anything of another.
//   - Memory is bounded whatever comes: the body before and after it is unpacked, the batches in it, and all requests
//     together. Who comes when there is none left is told to come again, and when.
//   - No log line, metric or error holds a person's id, a batch's or a device's, or a value.
//
// # Decisions
//
// 2026-11: the content of a batch is hashed without sent_at. A phone that got no answer sends the same data again, and
// some stamp the time of sending anew: that is the same batch. Protobuf and JSON of one batch are the same content too.
//
// The ledger keeps a batch's hash and its place in Kafka under a hash of person and batch id: from the place the rows in
// bronze are found by reading one row group, however large the lake is. A batch that a producer sent past the gateway
// has no such entry; it is looked for in the newest days of bronze, one search at a time.
//
// Entries of all requests that end at the same moment are written in one transaction, because each costs a sync of the
// disk and the ledger is also where the lake commits.
//
// Messages of one person are sent one after the other, those of different people side by side: devices without a sync
// number are ordered by arrival.
//
// A decoded batch takes up to a hundred times the memory of its bytes, so no more are decoded at a time than there are
// processors, and only what is to be sent and said of each is kept.
//
// klauspost/compress unpacks zstd, which the standard library does not know, with bounds on window and memory;
// golang.org/x/time/rate keeps the rates and takes the time from us, so that tests set the clock.
//
// A receipt counts only within the topic it was given for, and is dropped when bronze has passed its place without the
// batch: what was lost with a topic, or to its retention, is taken when it is sent again.
package gateway
