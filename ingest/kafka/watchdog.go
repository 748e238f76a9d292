package kafka

import (
	"context"
	"fmt"
	"time"
)

// stallsAllowed is how many new connections a source makes before it gives up.
const stallsAllowed = 3

// A watchdog notices that a source gets nothing though there is something: brokers and connections can be in a state in
// which they answer every fetch, and never with a message.
type watchdog struct {
	source *source
	timer  *time.Timer
	at     int64 // where the source stood when the timer was set
	stalls int   // since then
}

func newWatchdog(s *source) *watchdog {
	return &watchdog{source: s, timer: time.NewTimer(s.topic.cfg.StallAfter), at: s.next}
}

func (w *watchdog) stop() { w.timer.Stop() }

// check is called after every answer without a message.
func (w *watchdog) check(ctx context.Context) error {
	select {
	case <-w.timer.C:
	default:
		return nil
	}
	w.timer.Reset(w.source.topic.cfg.StallAfter)
	if w.source.next > w.at { // there was something, though nothing for us
		w.at, w.stalls = w.source.next, 0
		return nil
	}
	_, latest, err := w.source.topic.bounds(ctx, w.source.partition)
	if err != nil {
		return err
	}
	if latest <= w.source.next {
		w.stalls = 0
		return nil
	}
	w.stalls++
	if w.stalls > stallsAllowed {
		return fmt.Errorf("partition %d, offset %d of %d, %d new connections: %w",
			w.source.partition, w.source.next, latest, stallsAllowed, ErrStalled)
	}
	w.source.topic.reconnect()
	return nil
}

// reconnect lets go of all connections. What is under way on them comes to its end.
func (t *Topic) reconnect() { t.transport.CloseIdleConnections() }
