package home

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"

	"github.com/diurna-health/diurna/schemas"
)

// Addresses say where a running pipeline can be reached.
type Addresses struct {
	Brokers []string `json:"brokers"` // host:port of the Kafka brokers it reads from
	Topic   string   `json:"topic"`
}

// A Run is a pipeline that runs on a home.
type Run struct {
	Process int `json:"process"`
	Addresses
}

// A Lock is the right to change a home. It lasts until Close or the end of the process. It is for one goroutine.
type Lock struct {
	home *Home
	lock *flock.Flock
	note *flock.Flock // on the run.json we wrote; nil before
}

// Lock takes the home for this process. When another one has it, the error is a *schemas.Error with CodeConflict that
// names the other's process.
func (h *Home) Lock() (*Lock, error) {
	lock := flock.New(h.path(lockFile), flock.SetPermissions(fileMode))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock home: %w", err)
	}
	if !ok {
		return nil, &schemas.Error{Code: schemas.CodeConflict, Message: h.inUse()}
	}
	l := &Lock{home: h, lock: lock}
	if err := l.takeOver(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return l, nil
}

// takeOver removes what a pipeline that died left behind and signs the lock with our process number.
func (l *Lock) takeOver() error {
	if err := removeFile(l.home.path(runFile)); err != nil {
		return err
	}
	// In place, not by rename: the lock belongs to this very file.
	if err := os.WriteFile(l.home.path(lockFile), []byte(strconv.Itoa(os.Getpid())+"\n"), fileMode); err != nil {
		return fmt.Errorf("sign lock of home: %w", err)
	}
	return nil
}

// WriteRun tells the processes that look for it where this pipeline can be reached. It may be called again.
func (l *Lock) WriteRun(a Addresses) error {
	var note *flock.Flock
	err := writeJSON(l.home.path(runFile), Run{Process: os.Getpid(), Addresses: a}, func(temp string) error {
		// Before the file has its name nobody else can know it, so the lock is always free.
		note = flock.New(temp)
		return note.Lock()
	})
	if err != nil {
		if note != nil {
			err = errors.Join(err, note.Close())
		}
		return err
	}
	previous := l.note
	l.note = note
	if previous != nil {
		return previous.Close()
	}
	return nil
}

// Close takes the addresses back and gives the home free.
func (l *Lock) Close() error {
	var errs []error
	if l.note != nil {
		errs = append(errs, removeFile(l.home.path(runFile)), l.note.Close())
	}
	// The home last: after it, another pipeline may be writing its own files.
	errs = append(errs, os.Truncate(l.home.path(lockFile), 0), l.lock.Close())
	return errors.Join(errs...)
}

// ReadRun returns the pipeline that runs on the home. ok is false when none does, or when it has not said yet where it
// can be reached; what a dead one has left does not count. It writes nothing.
func (h *Home) ReadRun() (run Run, ok bool, err error) {
	for {
		run, ok, replaced, err := h.readRunOnce()
		if err != nil {
			return Run{}, false, fmt.Errorf("read %s: %w", runFile, err)
		}
		if !replaced {
			return run, ok, nil
		}
	}
}

// readRunOnce opens the file twice, for the lock and for the content; replaced says that these were two files.
func (h *Home) readRunOnce() (run Run, ok, replaced bool, err error) {
	file, err := os.Open(h.path(runFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Run{}, false, false, nil
	}
	if err != nil {
		return Run{}, false, false, err
	}
	defer file.Close()

	note := flock.New(h.path(runFile), flock.SetFlag(os.O_RDONLY))
	defer note.Close()               //nolint:errcheck // gives back a shared lock, if any; the descriptor's end does so too
	orphaned, err := note.TryRLock() // shared, so that those who ask do not see each other
	if errors.Is(err, fs.ErrNotExist) {
		return Run{}, false, false, nil
	}
	if err != nil {
		return Run{}, false, false, err
	}
	same, err := sameFile(file, note)
	if err != nil || !same {
		return Run{}, false, !same, err
	}
	if orphaned {
		return Run{}, false, false, nil
	}
	if err := json.NewDecoder(file).Decode(&run); err != nil {
		return Run{}, false, false, err
	}
	return run, true, false, nil
}

func sameFile(file *os.File, note *flock.Flock) (bool, error) {
	a, err := file.Stat()
	if err != nil {
		return false, err
	}
	b, err := note.Stat()
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // taken away meanwhile
	}
	if err != nil {
		return false, err
	}
	return os.SameFile(a, b), nil
}

func (h *Home) inUse() string {
	const advice = "wait for it to end, stop it, or give another home with --home"
	data, err := os.ReadFile(h.path(lockFile))
	if pid := strings.TrimSpace(string(data)); err == nil && pid != "" {
		return fmt.Sprintf("this home is in use by another diurna (process %s): %s", pid, advice)
	}
	return "this home is in use by another diurna: " + advice
}

func (h *Home) path(name string) string { return filepath.Join(h.dir, name) }

func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", filepath.Base(path), err)
	}
	return nil
}
