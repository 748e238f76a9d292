package lake

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/diurna-health/diurna/internal/failpoint"
	"github.com/diurna-health/diurna/schemas"
)

// A LocalStore keeps a lake in a folder. Whatever it has said to be durable survives a power cut: bytes are synced before
// they get their name, and the folder after it.
type LocalStore struct {
	root string
	fs   FS

	durable sync.Map // folders whose name this process has seen synced
}

// OpenLocal returns the store in a folder of this machine, which need not be there yet.
func OpenLocal(dir string) (*LocalStore, error) {
	root, err := realPath(dir)
	if err != nil {
		return nil, fmt.Errorf("folder of the lake: %w", err)
	}
	return NewLocalStore(root, osFS{}), nil
}

// NewLocalStore returns the store in a folder of any file system.
func NewLocalStore(root string, fs FS) *LocalStore { return &LocalStore{root: root, fs: fs} }

// realPath returns the one path of a folder, by whatever links it was reached; the folder itself may not be there yet.
func realPath(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if resolved, err := filepath.EvalSymlinks(dir); err == nil {
		return resolved, nil
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(dir))
	if err != nil {
		return "", err
	}
	return filepath.Join(parent, filepath.Base(dir)), nil
}

// Root implements Store.
func (s *LocalStore) Root() string { return s.root }

// CreateTemp implements Store. The name ends in .tmp.
func (s *LocalStore) CreateTemp(_ context.Context, folder string) (Temp, error) {
	if err := s.mkdir(folder); err != nil {
		return nil, err
	}
	// The number of the process is for people who find the file. It is not enough to tell two writers apart: each
	// container has a process 1.
	path := filepath.Join(folder, strconv.Itoa(os.Getpid())+"-"+rand.Text()+".tmp")
	f, err := s.fs.Create(path)
	if err != nil {
		return nil, err
	}
	return localTemp{f, path}, nil
}

type localTemp struct {
	FSFile
	path string
}

// Path implements Temp.
func (t localTemp) Path() string { return t.path }

// Publish implements Store. This order is what makes it safe: the bytes are on the disk before they have the name that
// promises them, and the name is in the folder before anybody may refer to it.
func (s *LocalStore) Publish(_ context.Context, temp string, path func(Digest) string) (Object, error) {
	if err := failpoint.Hit("seal.before_fsync"); err != nil {
		return Object{}, err
	}
	digest, size, err := s.syncAndHash(temp)
	if err != nil {
		return Object{}, fmt.Errorf("sync temporary file: %w", err)
	}
	name := path(digest)
	if err := s.mkdir(filepath.Dir(name)); err != nil {
		return Object{}, err
	}
	if err := s.checkSame(name, digest); err != nil {
		return Object{}, err
	}
	if err := failpoint.Hit("seal.before_rename"); err != nil {
		return Object{}, err
	}
	// Over an object with the same bytes too: its time becomes that of the youngest writer who counts on it.
	if err := s.fs.Rename(temp, name); err != nil {
		return Object{}, err
	}
	if err := failpoint.Hit("seal.before_dirsync"); err != nil {
		return Object{}, err
	}
	if err := s.fs.SyncDir(filepath.Dir(name)); err != nil {
		return Object{}, fmt.Errorf("sync folder: %w", err)
	}
	return Object{Path: name, Bytes: size}, nil
}

func (s *LocalStore) syncAndHash(path string) (d Digest, size int64, err error) {
	f, err := s.fs.Open(path)
	if err != nil {
		return d, 0, err
	}
	defer f.Close()
	if d, size, err = digestOf(f); err != nil {
		return d, size, err
	}
	return d, size, f.Sync()
}

func digestOf(r io.Reader) (d Digest, size int64, err error) {
	h := sha256.New()
	size, err = io.Copy(h, r)
	h.Sum(d[:0])
	return d, size, err
}

// checkSame refuses a name under which other bytes lie.
func (s *LocalStore) checkSame(path string, want Digest) error {
	f, err := s.fs.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	got, _, err := digestOf(f)
	if err != nil {
		return err
	}
	if got != want {
		return differs(path)
	}
	return nil
}

// differs is the error about an object that does not hold what its name says.
func differs(path string) error {
	return &schemas.Error{Code: schemas.CodeConflict, Err: ErrDiffers, Message: fmt.Sprintf(
		"the file %s does not hold the bytes its name promises: it is damaged. Nothing was overwritten. Move it away, "+
			"then start again: it is written anew from what was received", path)}
}

// Create implements Store.
func (s *LocalStore) Create(_ context.Context, path string) (io.WriteCloser, error) {
	if err := s.mkdir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	f, err := s.fs.Create(path)
	if err != nil {
		return nil, err
	}
	return &durableFile{FSFile: f, store: s, path: path}, nil
}

// A durableFile is synced, its folder included, when it is closed.
type durableFile struct {
	FSFile
	store *LocalStore
	path  string
}

// Close makes the file durable.
func (f *durableFile) Close() error {
	if err := f.Sync(); err != nil {
		_ = f.FSFile.Close() // the sync's error says more
		return err
	}
	if err := f.FSFile.Close(); err != nil {
		return err
	}
	return f.store.fs.SyncDir(filepath.Dir(f.path))
}

// Open implements Store.
func (s *LocalStore) Open(_ context.Context, path string) (OpenFile, error) {
	info, err := s.fs.Stat(path)
	if err != nil {
		return nil, err
	}
	f, err := s.fs.Open(path)
	if err != nil {
		return nil, err
	}
	return sizedFile{f, info.Size()}, nil
}

type sizedFile struct {
	FSFile
	size int64
}

// Size implements OpenFile.
func (f sizedFile) Size() int64 { return f.size }

// Digest implements Store.
func (s *LocalStore) Digest(_ context.Context, path string) (Digest, int64, error) {
	f, err := s.fs.Open(path)
	if err != nil {
		return Digest{}, 0, err
	}
	defer f.Close()
	return digestOf(f)
}

// Stat implements Store.
func (s *LocalStore) Stat(_ context.Context, path string) (Object, error) {
	info, err := s.fs.Stat(path)
	if err != nil {
		return Object{}, err
	}
	return Object{Path: path, Bytes: info.Size(), ModTime: info.ModTime()}, nil
}

// List implements Store.
func (s *LocalStore) List(ctx context.Context, folder string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) { s.list(ctx, folder, yield) }
}

func (s *LocalStore) list(ctx context.Context, folder string, yield func(Object, error) bool) bool {
	if err := ctx.Err(); err != nil {
		return yield(Object{}, err)
	}
	entries, err := s.fs.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		return yield(Object{}, err)
	}
	for _, e := range entries {
		path := filepath.Join(folder, e.Name())
		if e.IsDir() {
			if !s.list(ctx, path, yield) {
				return false
			}
			continue
		}
		if !yield(Object{Path: path, Bytes: e.Size(), ModTime: e.ModTime()}, nil) {
			return false
		}
	}
	return true
}

// Remove implements Store. A file that comes back after a power cut is one that nobody refers to, so nothing is synced.
func (s *LocalStore) Remove(_ context.Context, path string) error { return s.fs.Remove(path) }

// Move implements Store.
func (s *LocalStore) Move(_ context.Context, from, to string) error {
	if err := s.mkdir(filepath.Dir(to)); err != nil {
		return err
	}
	if err := s.fs.Rename(from, to); err != nil {
		return err
	}
	// The new name first: a power cut between the two leaves both, the other way round it could leave neither.
	if err := s.fs.SyncDir(filepath.Dir(to)); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	if err := s.fs.SyncDir(filepath.Dir(from)); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}

// Free implements Store.
func (s *LocalStore) Free(context.Context) (bytes int64, known bool, err error) {
	return s.fs.Free(s.root)
}

// Local implements Store: the objects are files already.
func (s *LocalStore) Local(_ context.Context, paths []string) (local []string, release func(), err error) {
	return paths, func() {}, nil
}

// mkdir makes a folder and its missing parents and syncs each parent, so that the new names survive a power cut. A
// folder that is there need not be durable, the root included: whoever made it may have been killed before the sync. So
// each is synced once in the life of a process.
func (s *LocalStore) mkdir(dir string) error {
	_, err := s.fs.Stat(dir)
	if _, ok := s.durable.Load(dir); err == nil && (ok || len(dir) < len(s.root)) {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := s.mkdir(parent); err != nil {
			return err
		}
	}
	if err != nil {
		if err := s.fs.Mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	if err := s.fs.SyncDir(parent); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	s.durable.Store(dir, nil)
	return nil
}

var _ Store = (*LocalStore)(nil)
