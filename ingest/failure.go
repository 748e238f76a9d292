package ingest

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/diurna-health/diurna/schemas"
)

// errOtherSource is in the chain of the error of a lake that counts in the offsets of another topic.
var errOtherSource = errors.New("the offsets in this lake are another topic's")

func otherSource(lake, here string) error {
	return &schemas.Error{Code: schemas.CodeConflict, Err: errOtherSource, Message: fmt.Sprintf(
		"this lake was filled from the Kafka topic %s, and this is %s. Point --brokers at the old cluster or restore the old "+
			"topic; if the old one is gone for good, start once with --new-source: what the lake has is kept, and the new "+
			"topic is read from its beginning", lake, here)}
}

func rewoundError(why error) error {
	return &schemas.Error{Code: schemas.CodeConflict, Err: why, Message: "the Kafka topic is not the one this lake was filled " +
		"from, or has lost its end. Restore the topic; if it was made anew on purpose, start once with --new-source: what the " +
		"lake has is kept, and the new topic is read from its beginning"}
}

func gapError(partition int32, from, to int64) error {
	return &schemas.Error{Code: schemas.CodeConflict, Message: fmt.Sprintf(
		"Kafka deleted the messages %d to %d of partition %d before they were read: its retention is shorter than this ingest "+
			"was behind. Restore them if you can; otherwise start with --on-gap record, which notes the loss in the table "+
			"%s and goes on behind it", from, to-1, partition, schemas.TableIngestGaps)}
}

func fencedError(partition int32) error {
	return &schemas.Error{Code: schemas.CodeConflict, Message: fmt.Sprintf(
		"partition %d is ingested by another process by now, and this one is set to stop then (ingest.on_fenced)", partition)}
}

func stormError(s storm) error {
	return &schemas.Error{Code: schemas.CodeConflict, Message: fmt.Sprintf(
		"%d of %d messages within a minute could not be read at all: a producer may have gone wrong. No more are read until "+
			"the next start. Look at them with `diurna dlq list`; if they are what they should be, start with --on-storm go-on",
		s.rejected, s.messages)}
}

// The codes with which SQLite says that the disk is full: SQLITE_FULL, and SQLITE_IOERR_SHMSIZE for its shared memory.
const (
	sqliteFull    = 13
	sqliteShmSize = 4874
)

// IsDiskFull reports whether an error comes from a disk that has no room, be it the file system's or the ledger's.
func IsDiskFull(err error) bool {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return true
	}
	coded, ok := errors.AsType[interface {
		error
		Code() int
	}](err)
	return ok && (coded.Code() == sqliteFull || coded.Code() == sqliteShmSize)
}
