package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"strconv"
	"sync"

	"github.com/diurna-health/diurna/transform"
)

// A liveReader lends out a reader of the lake that is opened anew once the lake has changed. Opening takes a tenth of a
// second and a reader stands still, so requests share one; an old one is closed when its last borrower gives it back.
type liveReader struct {
	open func(ctx context.Context) (*transform.Reader, error)

	mu      sync.Mutex
	current *sharedReader
	changes int
	name    string // of this process's run of changes
}

type sharedReader struct {
	*transform.Reader
	borrowers int
	stale     bool
}

// Snapshot implements api.Tables: it names the state the lake is in as far as this process knows.
func (l *liveReader) Snapshot(context.Context) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.name == "" {
		l.name = rand.Text()
	}
	return l.name + "-" + strconv.Itoa(l.changes), nil
}

// Open implements api.Tables.
func (l *liveReader) Open(ctx context.Context) (*sql.DB, func() error, error) {
	r, giveBack, err := l.borrow(ctx)
	if err != nil {
		return nil, nil, err
	}
	return r.DB, func() error {
		giveBack()
		return nil
	}, nil
}

// borrow returns the current reader and a function that gives it back.
func (l *liveReader) borrow(ctx context.Context) (*transform.Reader, func(), error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil {
		r, err := l.open(context.WithoutCancel(ctx)) // it serves others after this request
		if err != nil {
			return nil, nil, err
		}
		l.current = &sharedReader{Reader: r}
	}
	r := l.current
	r.borrowers++
	return r.Reader, sync.OnceFunc(func() { l.giveBack(r) }), nil
}

func (l *liveReader) giveBack(r *sharedReader) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.borrowers--
	r.closeUnused()
}

// changed makes the next borrower see the lake as it then is.
func (l *liveReader) changed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes++
	if l.current != nil {
		l.current.stale = true
		l.current.closeUnused()
		l.current = nil
	}
}

func (r *sharedReader) closeUnused() {
	if r.stale && r.borrowers == 0 {
		_ = r.Close() // it was only read from
	}
}
