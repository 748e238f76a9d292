package lake

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	iceio "github.com/apache/iceberg-go/io"
)

// registerDurableFS replaces iceberg-go's local file system, which never syncs: a power cut after a commit could leave
// the catalog pointing at an empty metadata file.
var registerDurableFS = sync.OnceFunc(func() {
	factory := func(context.Context, *url.URL, map[string]string) (iceio.IO, error) { return durableFS{}, nil }
	for _, scheme := range []string{"file", ""} {
		iceio.Unregister(scheme)
		iceio.Register(scheme, factory)
	}
})

// durableFS is iceberg-go's local file system with one difference: what Create and WriteFile wrote is on the disk, and
// its name in the folder, before they return.
type durableFS struct{ iceio.LocalFS }

// Create returns a file that is synced, folder included, when it is closed.
func (fs durableFS) Create(name string) (iceio.FileWriter, error) {
	path := localPath(name)
	if err := mkdirDurable(filepath.Dir(path)); err != nil {
		return nil, err
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &durableFile{File: f}, nil
}

// WriteFile writes content and syncs it.
func (fs durableFS) WriteFile(name string, content []byte) error {
	f, err := fs.Create(name)
	if err != nil {
		return err
	}
	if _, err := f.Write(content); err != nil {
		_ = f.Close() // the write's error says more
		return err
	}
	return f.Close()
}

type durableFile struct{ *os.File }

func (f *durableFile) Close() error {
	if err := f.Sync(); err != nil {
		_ = f.File.Close() // the sync's error says more
		return err
	}
	if err := f.File.Close(); err != nil {
		return err
	}
	return syncDir(filepath.Dir(f.Name()))
}

// mkdirDurable makes dir and its missing parents and syncs each parent, so that the new names survive a power cut.
func mkdirDurable(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := mkdirDurable(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return err
	}
	return syncDir(parent)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := d.Sync(); err != nil {
		_ = d.Close() // the sync's error says more
		return fmt.Errorf("sync folder: %w", err)
	}
	return d.Close()
}

// localPath turns a location of a table's metadata into a path, and fileURI the other way round.
func localPath(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.Scheme != "file" {
		return location
	}
	return filepath.FromSlash(u.Path)
}

func fileURI(path string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
}
