package home

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"

	"github.com/diurna-health/diurna/schemas"
)

// Layout is the version of the layout that this package makes and reads.
const Layout = 1

const (
	layoutFile = "home.json"
	lockFile   = "run.lock"
	runFile    = "run.json"
	tempPrefix = ".writing-"

	dirMode  fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600
)

// A Home is an existing home. It is safe for use from any goroutine.
type Home struct {
	dir         string
	userBuckets int
}

// layout is what home.json holds.
type layout struct {
	Layout      int `json:"layout"`
	UserBuckets int `json:"user_buckets"`
}

// Init opens the home in dir and makes it first when there is none. userBuckets is the number of partitions people are
// spread over; it is fixed when a home is made. 0 means 1 for a new home and "as it is" for an existing one; any
// other number must be the one the home was made with.
//
// The error is a *schemas.Error when dir is a file, cannot be written, holds files of something else, or was made by a
// newer Diurna.
func Init(dir string, userBuckets int) (*Home, error) {
	if userBuckets < 0 {
		return nil, invalid("the number of user buckets is %d: it must be 1 or more", userBuckets)
	}
	dir, err := makeDir(dir)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, layoutFile)); errors.Is(err, fs.ErrNotExist) {
		if err := makeLayout(dir, max(userBuckets, 1)); err != nil {
			return nil, err
		}
	}
	h, err := Open(dir)
	if err != nil {
		return nil, err
	}
	if userBuckets != 0 && userBuckets != h.userBuckets {
		return nil, invalid("the home %s was made with %d user buckets, not %d: the number is fixed when a home is made",
			dir, h.userBuckets, userBuckets)
	}
	for _, sub := range []string{h.LakeDir(), h.BrokerDir(), h.OutboxDir()} {
		if err := os.MkdirAll(sub, dirMode); err != nil {
			return nil, fmt.Errorf("make folder of the home: %w", err)
		}
	}
	return h, nil
}

// Open opens an existing home and writes nothing. The error is a *schemas.Error: CodeNotFound when there is no home in
// dir, CodeInvalid when dir is a file or the home was made by a newer Diurna.
func Open(dir string) (*Home, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find home: %w", err)
	}
	data, err := os.ReadFile(filepath.Join(dir, layoutFile))
	switch {
	case err == nil:
	case isFile(dir):
		return nil, invalid("the home %s is a file: give a folder with --home", dir)
	case errors.Is(err, fs.ErrNotExist):
		return nil, &schemas.Error{
			Code: schemas.CodeNotFound,
			Message: fmt.Sprintf("there is no home in %s: give another with --home, or make one with "+
				"`diurna import` or `diurna run`", dir),
		}
	default:
		return nil, fmt.Errorf("read home: %w", err)
	}
	var l layout
	if err := json.Unmarshal(data, &l); err != nil || l.Layout < 1 || l.UserBuckets < 1 && l.Layout == Layout {
		return nil, &schemas.Error{
			Code:    schemas.CodeInternal,
			Message: fmt.Sprintf("%s is damaged: restore it from a backup", filepath.Join(dir, layoutFile)),
			Err:     err,
		}
	}
	if l.Layout > Layout {
		return nil, invalid("the home %s has layout %d and this diurna knows layout %d: use a newer diurna",
			dir, l.Layout, Layout)
	}
	return &Home{dir: dir, userBuckets: l.UserBuckets}, nil
}

// Dir returns the absolute path of the home.
func (h *Home) Dir() string { return h.dir }

// UserBuckets returns the number of partitions people are spread over, at least 1.
func (h *Home) UserBuckets() int { return h.userBuckets }

// LakeDir returns the folder of the tables.
func (h *Home) LakeDir() string { return filepath.Join(h.dir, "lake") }

// LedgerPath returns the file of the SQLite ledger.
func (h *Home) LedgerPath() string { return filepath.Join(h.dir, "ledger.db") }

// BrokerDir returns the folder of the embedded broker's log.
func (h *Home) BrokerDir() string { return filepath.Join(h.dir, "broker") }

// MembersDir returns where the ingesters that share a topic as a group stand.
func (h *Home) MembersDir() string { return filepath.Join(h.dir, "members") }

// OutboxDir returns the folder of what waits to be delivered.
func (h *Home) OutboxDir() string { return filepath.Join(h.dir, "outbox") }

// makeDir makes dir when it is absent and proves that it is a folder that can be written.
func makeDir(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find home: %w", err)
	}
	if isFile(dir) {
		return "", invalid("the home %s is a file: give a folder with --home", dir)
	}
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return "", notWritable(dir, err)
	}
	// Permission bits do not tell: only writing does (read-only mounts, access lists, quotas).
	f, err := os.CreateTemp(dir, tempPrefix)
	if err != nil {
		return "", notWritable(dir, err)
	}
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		return "", notWritable(dir, err)
	}
	return dir, nil
}

// makeLayout writes home.json into a folder that has none. It holds the lock of those that set up meanwhile, and looks
// again once it has it, so that of two processes the second finds what the first has made. It is not the lock of a
// pipeline: a process that comes a moment later must not be told that the home is in use.
func makeLayout(dir string, userBuckets int) error {
	lock := flock.New(filepath.Join(dir, setUpLockFile), flock.SetPermissions(fileMode))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock home: %w", err)
	}
	defer lock.Close() //nolint:errcheck // the process's end would do the same

	path := filepath.Join(dir, layoutFile)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// A home is backed up and erased as a whole: it must not share its folder with anything else.
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("list home: %w", err)
	}
	for _, e := range entries {
		if e.Name() != setUpLockFile && !strings.HasPrefix(e.Name(), tempPrefix) {
			return invalid("%s is no home of diurna and not empty: give a new or empty folder with --home", dir)
		}
	}
	return writeJSON(path, layout{Layout: Layout, UserBuckets: userBuckets}, nil)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

func notWritable(dir string, err error) error {
	return &schemas.Error{
		Code:    schemas.CodeInvalid,
		Message: fmt.Sprintf("the home %s cannot be written: give another with --home, or make it writable", dir),
		Err:     err,
	}
}

func invalid(format string, args ...any) error {
	return &schemas.Error{Code: schemas.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}
