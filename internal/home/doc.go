// Package home is the folder in which one installation of Diurna keeps everything it owns.
//
//	home.json    the layout's version and what was fixed when the home was made
//	lake/        the tables
//	copies/      what is kept here of a lake that lies in a bucket
//	ledger.db    the SQLite ledger, with its -wal and -shm beside it
//	broker/      the log of the embedded broker
//	outbox/      what waits to be delivered
//	members/     which ingesters on this machine share a topic as a group
//	ballast      given up when the disk is full, so that what makes room has some to work in
//	setup.lock   held by a process while it makes what a home lacks
//	ingest.lock  held by a process that ingests the whole topic alone
//	run.lock     held by the running pipeline; names its process
//	run.json     where the running pipeline listens
//
// # Guarantees
//
// A home is made once and whole: home.json is written before anything else, in one rename, under
// setup.lock, so two processes that make the same home agree on its user buckets. At most one process holds run.lock;
// the operating system lets go of it when that process dies, however it dies. Only the holder can write run.json, and a run.json
// whose writer is gone is never believed.
//
// # Decisions
//
// The writer of run.json holds a second lock, on that very file, for as long as it lives; a reader believes the file it
// can not lock. A process number that was reused, or a file left by a kill -9, would make a file alone lie, and asking
// run.lock instead would leave a moment in which a new pipeline has the lock and the old one's file is still there.
//
// A home holds health data, so its folders are open to their owner only.
package home
