package gateway

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// A digest is the SHA-256 of something.
type digest [sha256.Size]byte

// keyOf names a batch of a person. The ledger has the hash and not the ids: what is known about people is the lake's.
func keyOf(userID, batchID string) digest {
	return sha256.Sum256([]byte(userID + "\x00" + batchID)) // neither holds a zero byte
}

// contentOf hashes what a batch says. It leaves out when it was sent, which may differ from one try to the next.
func contentOf(b *syncv1.Batch) (digest, error) {
	timeless := *b
	timeless.SentAtMS = 0
	data, err := syncv1.EncodeProto(&timeless)
	if err != nil {
		return digest{}, fmt.Errorf("hash batch: %w", err)
	}
	return sha256.Sum256(data), nil
}

// A receipt is what the ledger remembers of a batch that is in Kafka.
type receipt struct {
	content    digest
	source     string // the cluster and topic in whose offsets it counts
	partition  int32
	offset     int64
	receivedMS int64
}

// receipts remembers batches in the ledger, and which are under way right now.
type receipts struct {
	ledger *sql.DB

	mu    sync.Mutex
	next  *group                   // of entries that wait to be written
	doing map[digest]chan struct{} // closed when the batch is no longer under way

	writing sync.Mutex // one transaction at a time
}

func newReceipts(ledger *sql.DB) *receipts {
	return &receipts{ledger: ledger, doing: map[digest]chan struct{}{}}
}

// begin waits until none of the batches is under way in another request and takes them; end lets them go. It takes them
// in one order, so that two requests never wait for each other.
func (s *receipts) begin(ctx context.Context, keys []digest) (end func(), err error) {
	keys = slices.Clone(keys)
	slices.SortFunc(keys, func(a, b digest) int { return slices.Compare(a[:], b[:]) })
	keys = slices.Compact(keys)
	taken := 0
	end = func() { s.letGo(keys[:taken]) }
	for taken < len(keys) {
		wait := s.tryTake(keys[taken])
		if wait == nil {
			taken++
			continue
		}
		select {
		case <-wait:
		case <-ctx.Done():
			end()
			return nil, ctx.Err()
		}
	}
	return end, nil
}

// tryTake takes a batch, or returns what to wait for.
func (s *receipts) tryTake(key digest) (wait <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if done, ok := s.doing[key]; ok {
		return done
	}
	s.doing[key] = make(chan struct{})
	return nil
}

func (s *receipts) letGo(keys []digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		close(s.doing[key])
		delete(s.doing, key)
	}
}

// find returns what is remembered of a batch; ok is false when nothing is.
func (s *receipts) find(ctx context.Context, key digest) (r receipt, ok bool, err error) {
	var content []byte
	err = s.ledger.QueryRowContext(ctx,
		"select content_sha256, source, partition, offset, received_at_ms from gateway_receipts where key_sha256 = ?", key[:]).
		Scan(&content, &r.source, &r.partition, &r.offset, &r.receivedMS)
	if errors.Is(err, sql.ErrNoRows) {
		return receipt{}, false, nil
	}
	if err != nil {
		return receipt{}, false, fmt.Errorf("look up receipt: %w", err)
	}
	copy(r.content[:], content)
	return r, true, nil
}

// A group is entries that are written in one transaction.
type group struct {
	keys     []digest
	receipts []receipt
	done     chan struct{}
	err      error // once done is closed
}

// writeWithin is how long a transaction may take that no request waits for any more.
const writeWithin = 20 * time.Second

// keep writes receipts, together with those of other requests that come meanwhile, and returns when they are durable.
func (s *receipts) keep(ctx context.Context, keys []digest, kept []receipt) error {
	g, first := s.join(keys, kept)
	if first {
		s.writing.Lock() // whoever comes until it is ours comes along
		s.mu.Lock()
		s.next = nil
		s.mu.Unlock()
		whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeWithin)
		g.err = s.write(whole, g)
		cancel()
		s.writing.Unlock()
		close(g.done)
	}
	select {
	case <-g.done:
		return g.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// join adds entries to the group that is written next; first says that the caller has to write it.
func (s *receipts) join(keys []digest, kept []receipt) (g *group, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == nil {
		s.next, first = &group{done: make(chan struct{})}, true
	}
	s.next.keys = append(s.next.keys, keys...)
	s.next.receipts = append(s.next.receipts, kept...)
	return s.next, first
}

func (s *receipts) write(ctx context.Context, g *group) (err error) {
	tx, err := s.ledger.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("keep receipts: %w", err)
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback() // the error that led here says more
		}
	}()
	insert, err := tx.PrepareContext(ctx, `insert into gateway_receipts
		(key_sha256, content_sha256, source, partition, offset, received_at_ms) values (?, ?, ?, ?, ?, ?)
		on conflict (key_sha256) do update set content_sha256 = excluded.content_sha256, source = excluded.source,
			partition = excluded.partition, offset = excluded.offset, received_at_ms = excluded.received_at_ms`)
	if err != nil {
		return fmt.Errorf("keep receipts: %w", err)
	}
	defer insert.Close() //nolint:errcheck // it ends with the transaction
	for i, r := range g.receipts {
		if _, err := insert.ExecContext(ctx, g.keys[i][:], r.content[:], r.source, r.partition, r.offset, r.receivedMS); err != nil {
			return fmt.Errorf("keep receipts: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("keep receipts: %w", err)
	}
	return nil
}

// drop forgets one batch, so that it is taken when it is sent again.
func (s *receipts) drop(ctx context.Context, key digest) error {
	if _, err := s.ledger.ExecContext(ctx, "delete from gateway_receipts where key_sha256 = ?", key[:]); err != nil {
		return fmt.Errorf("forget receipt: %w", err)
	}
	return nil
}

// forgetGroup is how many receipts are removed at a time: the ledger has other writers.
const forgetGroup = 10_000

// forget removes the receipts from before a time.
func (s *receipts) forget(ctx context.Context, before time.Time) error {
	for {
		result, err := s.ledger.ExecContext(ctx, `delete from gateway_receipts where key_sha256 in
			(select key_sha256 from gateway_receipts where received_at_ms < ? limit ?)`, before.UnixMilli(), forgetGroup)
		if err != nil {
			return fmt.Errorf("forget receipts: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n < forgetGroup {
			return err
		}
	}
}
