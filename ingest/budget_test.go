package ingest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
)

func TestWhoeverWaitsForMemoryIsServedInTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pressed := 0
		b := &budget{limit: 100, pressed: func() { pressed++ }}
		if err := b.acquire(t.Context(), 60); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var served []int64
		wait := func(bytes int64) {
			go func() {
				err := b.acquire(t.Context(), bytes)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					served = append(served, bytes)
				}
			}()
			synctest.Wait()
		}
		wait(70)
		wait(10) // it would fit, and it is not its turn
		if len(served) > 0 || pressed != 2 {
			t.Fatalf("served %v, pressed %d times", served, pressed)
		}
		// Of the 60 some may be on their way into a buffer: they pass without anything being written.
		for held, blocks := range map[int64]bool{0: false, 30: false, 31: true, 60: true} {
			if got := b.blockedBy(held); got != blocks {
				t.Errorf("%d in buffers keep those who wait from going on: %v, want %v", held, got, blocks)
			}
		}
		b.release(60)
		synctest.Wait()
		if len(served) != 2 || b.inUse() != 80 {
			t.Errorf("served %v, %d bytes in use, want both and 80", served, b.inUse())
		}
	})
}

func TestAMessageLargerThanTheBudgetHasItAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &budget{limit: 100, pressed: func() {}}
		if err := b.acquire(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			if err := b.acquire(t.Context(), 1000); err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		select {
		case <-done:
			t.Fatal("it did not wait")
		default:
		}
		b.release(1)
		<-done
		b.correct(-900) // its true weight
		b.release(100)
		if b.inUse() != 0 {
			t.Errorf("%d bytes are in use, want none", b.inUse())
		}
	})
}

func TestWhoeverGivesUpWaitingLeavesTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &budget{limit: 100, pressed: func() {}}
		if err := b.acquire(t.Context(), 80); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		gaveUp := make(chan error, 1)
		go func() { gaveUp <- b.acquire(ctx, 90) }()
		synctest.Wait()
		served := make(chan error, 1)
		go func() { served <- b.acquire(t.Context(), 20) }()
		synctest.Wait()
		cancel()
		if err := <-gaveUp; !errors.Is(err, context.Canceled) {
			t.Errorf("it gave up with %v", err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
		if b.inUse() != 100 {
			t.Errorf("%d bytes are in use, want 100", b.inUse())
		}
	})
}
