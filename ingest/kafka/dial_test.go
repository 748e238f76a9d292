package kafka

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A badConn is a connection with a fault.
type badConn struct {
	net.Conn
	fault fault
	left  atomic.Int64 // bytes until the fault shows
}

type fault string

const (
	slow      fault = "slow"      // every call takes a while
	sliced    fault = "sliced"    // a few bytes at a time
	reset     fault = "reset"     // the other side resets it in the middle
	halfOpen  fault = "half open" // the other side is gone, and nobody says so
	deafWrite fault = "deaf"      // what is written does not arrive, and nobody says so
)

func (c *badConn) Read(b []byte) (int, error) {
	switch {
	case c.fault == slow:
		<-time.After(2 * time.Millisecond)
	case c.fault == sliced:
		b = b[:min(len(b), 7)]
	case c.left.Load() > 0:
	case c.fault == reset:
		_ = c.Close()
		return 0, syscall.ECONNRESET
	case c.fault == halfOpen:
		for {
			if _, err := c.Conn.Read(b); err != nil {
				return 0, err // the deadline, or that we closed it
			}
		}
	}
	n, err := c.Conn.Read(b)
	c.left.Add(-int64(n))
	return n, err
}

func (c *badConn) Write(b []byte) (int, error) {
	switch {
	case c.fault == slow:
		<-time.After(2 * time.Millisecond)
	case c.fault == sliced:
		for i := range b {
			if i%100 == 0 {
				if _, err := c.Conn.Write(b[i:min(len(b), i+100)]); err != nil {
					return i, err
				}
			}
		}
		return len(b), nil
	case c.left.Load() > 0:
	case c.fault == reset:
		_ = c.Close()
		return 0, syscall.ECONNRESET
	case c.fault == halfOpen, c.fault == deafWrite:
		return len(b), nil
	}
	n, err := c.Conn.Write(b)
	c.left.Add(-int64(n))
	return n, err
}

// A badNetwork makes connections that have a fault, after some bytes that differ.
type badNetwork struct {
	fault fault
	mu    sync.Mutex
	rng   *rand.Rand
	conns int
}

func newBadNetwork(f fault, seed uint64) *badNetwork {
	return &badNetwork{fault: f, rng: rand.New(rand.NewPCG(seed, 1))}
}

func (n *badNetwork) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	c := &badConn{Conn: conn, fault: n.fault}
	c.left.Store(6_000 + n.rng.Int64N(60_000)) // a login and a few requests take some of them
	n.conns++
	return c, nil
}

// badConnectionsLoseNothing sends and reads through connections of every fault. An error that comes through is answered
// as callers do: what was to be sent is sent again, and the source is asked again.
func (c *cluster) badConnectionsLoseNothing(t *testing.T) {
	t.Parallel()
	for i, f := range []fault{slow, sliced, reset, halfOpen, deafWrite} {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			network := newBadNetwork(f, uint64(i))
			cfg := c.config(c.NewTopic(t, 1))
			cfg.Dial, cfg.RequestTimeout = network.dial, 500*time.Millisecond
			cfg.MaxBytes = 8 << 10 // an answer must fit into what a connection carries before it breaks
			if f == slow {
				cfg.RequestTimeout = 5 * time.Second
			}
			var topic *Topic
			c.Until(t, "open the topic", func() (err error) {
				topic, err = Open(t.Context(), cfg)
				return err
			})
			defer topic.Close()
			const messages = 60
			sendThrough(t, topic, messages)
			readThrough(t, topic, messages)
			if network.conns < 3 {
				t.Errorf("only %d connections were made", network.conns)
			}
		})
	}
}

func sendThrough(t *testing.T, topic *Topic, messages int) {
	t.Helper()
	p := topic.Producer()
	defer p.Close()
	pad := make([]byte, 3000)
	for i := range messages {
		for {
			_, err := p.Publish(t.Context(), []Record{{Key: "k", Value: append(fmt.Appendf(nil, "%d ", i), pad...)}})
			if err == nil {
				break
			}
			if t.Context().Err() != nil {
				t.Fatal(err)
			}
		}
	}
}

func readThrough(t *testing.T, topic *Topic, messages int) {
	t.Helper()
	var s Source
	for s == nil {
		var err error
		if s, err = topic.Source(t.Context(), 0, 0); err != nil && t.Context().Err() != nil {
			t.Fatal(err)
		}
	}
	offset := int64(0)
	for next := 0; next < messages; {
		m, err := s.Fetch(t.Context())
		if err != nil {
			if t.Context().Err() != nil {
				t.Fatal(err)
			}
			continue
		}
		if m.Offset != offset {
			t.Fatalf("offset %d came where %d is next", m.Offset, offset)
		}
		offset++
		var i int
		if _, err := fmt.Sscan(string(m.Value), &i); err != nil || i > next {
			t.Fatalf("message %.10q came where %d is missing", m.Value, next)
		}
		next = max(next, i+1)
	}
}
