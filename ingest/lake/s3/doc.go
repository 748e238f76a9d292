// Package s3 keeps a lake in an S3 bucket. It is a lake.Store: everything the lake promises on a disk it promises here,
// and tests hold both to the same contract.
//
// # Guarantees
//
//   - An object that was published is in the bucket, whole, under a name that holds its hash, and that name never holds
//     other bytes: every write is conditional on the name being free (If-None-Match: *).
//   - A reply that got lost is not guessed at. When a write fails, or finds its name taken, the object is read back: the
//     same bytes are success, other bytes are lake.ErrDiffers, nothing there is a failure that may be tried again.
//     Nothing is ever deleted because of an error.
//   - What is read has the hash that its name, or for Iceberg's metadata the note stored with it, promises; anything else
//     is fetched again and then refused.
//   - The copies on the local disk never take more than the size they were given, the files on their way in included. A
//     copy in use is not taken away, by this process or another one.
//
// Why that is enough: a commit is one compare-and-set of a row in the ledger, on a disk as on S3. It refers to objects
// that were all confirmed by the bucket before, and S3 has shown writes to every reader at once since 2020. So S3 needs
// no renames, no locks and no order of its own. Two writers that race for the same table meet at the ledger, where one of
// them loses with lake.ErrConflict; two that publish the same bytes meet at the name, where both win.
//
// # Decisions
//
// The client is minio-go. It gives every header of a single PUT to us, which the two properties we need are made of:
// If-None-Match and the SHA-256 of the body (in the signature, so that the server refuses a body that was damaged on its
// way, and as x-amz-checksum-sha256). It is tested against many servers and adds about 2 MB to the binary. The AWS SDK
// can do the same; it is several times the size, and its default checksums of 2025 were refused by other servers.
//
// One object is one PUT. Uploads in parts leave parts behind that somebody must tidy up, and a resumed one can lose a
// file (Flink has). Our files are tens of MiB; S3 takes 5 GiB at once.
//
// A name that is taken is settled by reading the object, not by what the server says of its checksum: not every server
// keeps one, and it happens only when a reply was lost or a batch was received again. What was there already is written
// once more over itself (If-Match), for its date tells a sweep that somebody counts on it.
//
// The tests run against gofakes3 in the same process, and by `make test-s3` against versitygw, which checks signatures and
// checksums and stores on a disk. It is run as a program, for its module brings eighty others. It showed that copying an
// object onto itself, which renewed the date at first, does so on some servers only.
//
// Dates are the server's, in seconds: the grace of a sweep has to be longer than two clocks may differ.
//
// DuckDB reads copies on the local disk: its own S3 support is an extension that has to be downloaded, and would check no
// hash. The copies are named by the hash of their bytes, so that they survive a restart, and are checked again when a
// process uses them for the first time. Who uses one holds a lock on the file (flock), so a query in another process is
// safe too; the oldest go first, by the time of the file.
//
// A bucket has no free space to ask for, and no folders to make.
package s3
