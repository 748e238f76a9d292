package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// ErrRewound is returned by Topic.Source and Source.Fetch when the wanted offset lies beyond the end of the partition:
// the topic was made anew, or brokers lost its end. What the offset meant is gone.
var ErrRewound = errors.New("the partition ends before the wanted offset: its topic was made anew or has lost its end")

// A GapError is returned by Topic.Source and Source.Fetch when the messages of [From, To) were deleted before they were
// read. Reading can go on with a new Source at To.
type GapError struct {
	Partition int32
	From, To  int64
}

// Error says what is gone.
func (e *GapError) Error() string {
	return fmt.Sprintf("partition %d: offsets %d to %d were deleted before they were read", e.Partition, e.From, e.To-1)
}

// isTemporary reports whether the same request may succeed in a moment: brokers that start, move or choose a leader.
func isTemporary(err error) bool {
	if code, ok := errors.AsType[kafkago.Error](err); ok {
		return code.Temporary() && !errors.Is(code, kafkago.UnknownTopicOrPartition)
	}
	var netErr net.Error
	return errors.As(err, &netErr) || errors.Is(err, protocol.ErrNoLeader) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.EPIPE) || errors.Is(err, context.DeadlineExceeded)
}
