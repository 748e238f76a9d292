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

	"github.com/diurna-health/diurna/schemas"
)

var (
	// ErrRewound is returned by Topic.Source and Source.Fetch when the wanted offset lies beyond the end of the
	// partition: brokers lost its end, or the topic was made anew. What the offset meant is gone.
	ErrRewound = errors.New("the partition ends before the wanted offset: its topic was made anew or has lost its end")

	// ErrRecreated is returned by Topic.Source and Source.Fetch when the topic was deleted and made anew, however long
	// it is by now. It is an ErrRewound too.
	ErrRecreated = fmt.Errorf("the topic was deleted and made anew: %w", ErrRewound)

	// ErrStalled is returned by Source.Fetch when the partition has more, none of it comes, and new connections did not
	// help.
	ErrStalled = errors.New("the partition has messages, and none of them comes")
)

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
	if _, final := errors.AsType[*schemas.Error](err); final {
		return false
	}
	if isAlert(err) {
		return false
	}
	if code, ok := errors.AsType[kafkago.Error](err); ok {
		return code.Temporary()
	}
	var netErr net.Error
	return errors.As(err, &netErr) || errors.Is(err, protocol.ErrNoLeader) || errors.Is(err, protocol.ErrNoTopic) ||
		errors.Is(err, protocol.ErrNoPartition) || isHangUp(err) || errors.Is(err, context.DeadlineExceeded)
}

// isAlert reports whether the other side ended the TLS handshake and told why.
func isAlert(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error" // so crypto/tls wraps what it does not export
}

// isHangUp reports whether the other side closed the connection.
func isHangUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}
