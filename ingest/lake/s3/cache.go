package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/diurna-health/diurna/internal/failpoint"
	"github.com/diurna-health/diurna/schemas"
)

// errCacheFull is the reason of the error about files that are needed at once and do not fit.
var errCacheFull = errors.New("local copies do not fit")

func isTooLarge(err error) bool { return errors.Is(err, errCacheFull) }

// A cache holds copies of immutable files in a folder that several processes may share. All it knows is in the folder:
// what is there, how large, when last used (the time of the file) and by whom (a shared lock on the file).
type cache struct {
	dir   string
	limit int64
	now   func() time.Time

	mu       sync.Mutex
	fills    map[string]*fill // by name of the copy
	verified map[string]bool  // copies this process has checked
}

// A fill is one fetch that several may wait for.
type fill struct {
	done chan struct{}
	err  error
}

func openCache(dir string, limit int64, now func() time.Time) (*cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make folder of local copies: %w", err)
	}
	return &cache{dir: dir, limit: limit, now: now, fills: map[string]*fill{}, verified: map[string]bool{}}, nil
}

// A lease keeps a copy from being removed.
type lease struct {
	*os.File
	path string
	size int64
}

// Size implements lake.OpenFile.
func (l *lease) Size() int64 { return l.size }

func (c *cache) path(name string) string { return filepath.Join(c.dir, name+".parquet") }

// lease returns the copy of that name. When there is none, or it is damaged, it is fetched; who asks for it meanwhile
// waits for the same fetch.
func (c *cache) lease(ctx context.Context, name string, get func(context.Context, io.Writer) error,
	again func(context.Context, func() error) error, size func(context.Context) (int64, error)) (*lease, error) {
	for {
		l, err := c.hold(name)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return l, err
		}
		f, first := c.begin(name)
		if first {
			f.err = c.fetch(ctx, name, get, again, size)
			c.end(name, f)
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if f.err != nil && (first || ctx.Err() != nil || !isEnded(f.err)) {
			return nil, f.err
		}
		// Somebody else's fetch that ended with his own context says nothing about ours.
	}
}

func isEnded(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func (c *cache) begin(name string) (f *fill, first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.fills[name]; ok {
		return f, false
	}
	f = &fill{done: make(chan struct{})}
	c.fills[name] = f
	return f, true
}

func (c *cache) end(name string, f *fill) {
	c.mu.Lock()
	delete(c.fills, name)
	c.mu.Unlock()
	close(f.done)
}

// hold takes the lock of a copy that is there. The copy is checked when this process meets it for the first time: it may
// have been there through a power cut.
func (c *cache) hold(name string) (*lease, error) {
	path := c.path(name)
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	l, err := c.holdOpen(f, name, path)
	if err != nil {
		_ = f.Close() // only read from
		return nil, err
	}
	return l, nil
}

func (c *cache) holdOpen(f *os.File, name, path string) (*lease, error) {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH); err != nil {
		return nil, fmt.Errorf("lock local copy: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if there, err := os.Stat(path); err != nil || !os.SameFile(info, there) {
		return nil, fs.ErrNotExist // it was removed between opening and locking
	}
	if !c.isVerified(name) {
		digest, _, err := digestOf(f)
		if err != nil {
			return nil, fmt.Errorf("read local copy: %w", err)
		}
		if digest.Short() != name {
			return nil, errors.Join(fs.ErrNotExist, os.Remove(path))
		}
		c.setVerified(name, true)
	}
	now := c.now()
	if err := os.Chtimes(path, now, now); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("date local copy: %w", err)
	}
	return &lease{File: f, path: path, size: info.Size()}, nil
}

func (c *cache) isVerified(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.verified[name]
}

func (c *cache) setVerified(name string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ok {
		c.verified[name] = true
	} else {
		delete(c.verified, name)
	}
}

// fetch fills a copy: room is made for it first, and it gets its name when its digest is right.
func (c *cache) fetch(ctx context.Context, name string, get func(context.Context, io.Writer) error,
	again func(context.Context, func() error) error, size func(context.Context) (int64, error)) error {
	if err := failpoint.Hit("cache.fill"); err != nil {
		return err
	}
	n, err := size(ctx)
	if err != nil {
		return err
	}
	tmp, err := c.reserve(n)
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // it has its name by then, or is no good
	err = again(ctx, func() error {
		if _, err := tmp.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if err := get(ctx, tmp); err != nil {
			return err
		}
		if _, err := tmp.Seek(0, io.SeekStart); err != nil {
			return err
		}
		digest, _, err := digestOf(tmp)
		if err == nil && digest.Short() != name {
			err = errDamaged
		}
		return err
	})
	// It is not synced: what a power cut leaves of it is checked before it is used.
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), c.path(name)); err != nil {
		return fmt.Errorf("name local copy: %w", err)
	}
	c.setVerified(name, true)
	return nil
}

// reserve makes room for n bytes and takes it, with a file of that size.
func (c *cache) reserve(n int64) (*os.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.makeRoom(n); err != nil {
		return nil, err
	}
	tmp, err := os.CreateTemp(c.dir, "*.tmp")
	if err != nil {
		return nil, err
	}
	// The lock says that somebody is at it: what has none was left by a process that died.
	if err := errors.Join(syscall.Flock(int(tmp.Fd()), syscall.LOCK_SH), tmp.Truncate(n)); err != nil {
		return nil, errors.Join(fmt.Errorf("make local copy: %w", err), tmp.Close(), os.Remove(tmp.Name()))
	}
	return tmp, nil
}

// adopt makes a spooled file, whose object was just stored, a copy. It is nobody's loss when there is no room.
func (c *cache) adopt(spooled, name string, size int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.makeRoom(size); err != nil {
		return err
	}
	if err := os.Rename(spooled, c.path(name)); err != nil {
		return err
	}
	c.verified[name] = true
	return nil
}

// makeRoom removes what was not used for the longest time until n more bytes fit. The caller holds the lock.
func (c *cache) makeRoom(n int64) error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return fmt.Errorf("look through local copies: %w", err)
	}
	var infos []fs.FileInfo
	var used int64
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return fmt.Errorf("look through local copies: %w", err)
		}
		infos = append(infos, info)
		used += info.Size()
	}
	slices.SortFunc(infos, func(a, b fs.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), strings.Compare(a.Name(), b.Name()))
	})
	for _, info := range infos {
		if used+n <= c.limit {
			return nil
		}
		gone, err := c.removeUnused(info.Name())
		if err != nil {
			return err
		}
		if gone {
			used -= info.Size()
		}
	}
	if used+n > c.limit {
		return &schemas.Error{Code: schemas.CodeInvalid, Err: errCacheFull, Message: fmt.Sprintf(
			"the files of the lake that are needed at once have more than %d bytes, which is all that local copies may take: "+
				"give them more room with s3.cache", c.limit)}
	}
	return nil
}

// removeUnused removes a copy unless somebody holds it, in this process or another.
func (c *cache) removeUnused(file string) (gone bool, err error) {
	path := filepath.Join(c.dir, file)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("remove local copy: %w", err)
	}
	defer f.Close()
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("lock local copy: %w", err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("remove local copy: %w", err)
	}
	delete(c.verified, strings.TrimSuffix(file, ".parquet"))
	return true, nil
}
