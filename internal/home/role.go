package home

import (
	"fmt"
	"io"

	"github.com/gofrs/flock"

	"github.com/diurna-health/diurna/schemas"
)

const (
	ingestLockFile = "ingest.lock"
	setUpLockFile  = "setup.lock"
)

// LockIngest takes for this process the right to ingest a home's whole topic alone, until it is closed. When another
// process has it, the error is a *schemas.Error with CodeConflict. It saves work and nothing else: two processes that
// ingest the same partitions fence each other, and lose or double nothing.
func (h *Home) LockIngest() (io.Closer, error) {
	lock := flock.New(h.path(ingestLockFile), flock.SetPermissions(fileMode))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock ingest of home: %w", err)
	}
	if !ok {
		return nil, &schemas.Error{Code: schemas.CodeConflict, Message: "another diurna ingests into this home already: " +
			"stop it, or let both share the topic with --group NAME"}
	}
	return lock, nil
}

// SetUp runs do while no other process does the same on this home: several may start at once, and each makes what is
// missing.
func (h *Home) SetUp(do func() error) error {
	lock := flock.New(h.path(setUpLockFile), flock.SetPermissions(fileMode))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock home: %w", err)
	}
	defer lock.Close() //nolint:errcheck // the process's end would do the same
	return do()
}

// BallastPath returns the file that is given up when the disk is full.
func (h *Home) BallastPath() string { return h.path("ballast") }
