package lake

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// An FS is what a LocalStore needs of a file system. Errors about a missing file are fs.ErrNotExist.
type FS interface {
	Create(path string) (FSFile, error) // made, or emptied
	Open(path string) (FSFile, error)   // for reading and syncing
	Rename(from, to string) error       // atomic; replaces
	Remove(path string) error
	Mkdir(path string) error // fs.ErrExist when it is there
	SyncDir(path string) error
	Stat(path string) (fs.FileInfo, error)
	ReadDir(path string) ([]fs.FileInfo, error)
	Free(path string) (bytes int64, known bool, err error)
}

// An FSFile is an open file of an FS.
type FSFile interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.Closer
	Sync() error
}

// osFS is the file system of this machine. What the lake holds is for its owner's eyes alone.
type osFS struct{}

func (osFS) Create(path string) (FSFile, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
}

func (osFS) Open(path string) (FSFile, error) { return os.Open(path) }

func (osFS) Rename(from, to string) error { return os.Rename(from, to) }

func (osFS) Remove(path string) error { return os.Remove(path) }

func (osFS) Mkdir(path string) error { return os.Mkdir(path, 0o700) }

func (osFS) Stat(path string) (fs.FileInfo, error) { return os.Stat(path) }

func (osFS) SyncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	if err := d.Sync(); err != nil {
		_ = d.Close() // the sync's error says more
		return err
	}
	return d.Close()
}

func (osFS) ReadDir(path string) ([]fs.FileInfo, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	infos := make([]fs.FileInfo, 0, len(entries))
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // a temporary file that got its name meanwhile
		}
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}

func (osFS) Free(path string) (bytes int64, known bool, err error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(path, &stat); err != nil {
		return 0, false, fmt.Errorf("ask for free space: %w", err)
	}
	return int64(stat.Bavail) * stat.Bsize, true, nil
}
