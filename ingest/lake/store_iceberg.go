package lake

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	iceio "github.com/apache/iceberg-go/io"

	"github.com/diurna-health/diurna/internal/failpoint"
)

// propertyStore is the property of a lake's catalog by which Iceberg finds the lake's store.
const propertyStore = "diurna.store"

// icebergStores are the stores of the open lakes, by the value of propertyStore. Iceberg keeps one registry of file
// systems for the whole process and hands it strings only, so this has to be as wide.
var icebergStores sync.Map

// registerStores takes the places of iceberg-go's own file systems. The local one never syncs: a power cut after a commit
// could leave the catalog pointing at an empty metadata file.
var registerStores = sync.OnceFunc(func() {
	for _, scheme := range []string{"file", "", "s3"} {
		iceio.Unregister(scheme)
		iceio.Register(scheme, openIcebergIO)
	}
})

func openIcebergIO(ctx context.Context, location *url.URL, properties map[string]string) (iceio.IO, error) {
	if s, ok := icebergStores.Load(properties[propertyStore]); ok {
		return icebergIO{ctx, s.(Store)}, nil
	}
	if location.Scheme == "s3" {
		return nil, fmt.Errorf("no lake is open at %s", location.Redacted())
	}
	return icebergIO{ctx, NewLocalStore("/", osFS{})}, nil // a table of somebody else in this process
}

// announceStore lets Iceberg find the store and returns the value of propertyStore, and what takes it back.
func announceStore(s Store) (key string, forget func()) {
	registerStores()
	key = rand.Text()
	icebergStores.Store(key, s)
	return key, func() { icebergStores.Delete(key) }
}

// icebergIO lets Iceberg keep its metadata in a Store, by the store's own rules of what is durable.
type icebergIO struct {
	ctx   context.Context //nolint:containedctx // Iceberg's interface has no room for it; it opens one of these per operation
	store Store
}

// Open implements iceio.IO.
func (i icebergIO) Open(name string) (iceio.File, error) {
	path := localPath(name)
	f, err := i.store.Open(i.ctx, path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &icebergFile{io.NewSectionReader(f, 0, f.Size()), f, path}, nil
}

// ReadFile implements iceio.ReadFileIO.
func (i icebergIO) ReadFile(name string) ([]byte, error) {
	f, err := i.store.Open(i.ctx, localPath(name))
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer f.Close()
	content := make([]byte, f.Size())
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, f.Size()), content); err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return content, nil
}

// Create implements iceio.WriteFileIO.
func (i icebergIO) Create(name string) (iceio.FileWriter, error) {
	w, err := i.store.Create(i.ctx, localPath(name))
	if err != nil {
		return nil, err
	}
	return &icebergWriter{w, strings.HasSuffix(name, ".metadata.json")}, nil
}

// WriteFile implements iceio.WriteFileIO.
func (i icebergIO) WriteFile(name string, content []byte) error {
	w, err := i.Create(name)
	if err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		_ = w.Close() // the write's error says more
		return err
	}
	return w.Close()
}

// Remove implements iceio.IO.
func (i icebergIO) Remove(name string) error { return i.store.Remove(i.ctx, localPath(name)) }

type icebergFile struct {
	*io.SectionReader
	file OpenFile
	path string
}

// Close implements iceio.File.
func (f *icebergFile) Close() error { return f.file.Close() }

// Stat implements iceio.File.
func (f *icebergFile) Stat() (fs.FileInfo, error) { return icebergFileInfo{f.path, f.Size()}, nil }

// icebergFileInfo says what Iceberg asks of a file: its size.
type icebergFileInfo struct {
	path string
	size int64
}

func (i icebergFileInfo) Name() string     { return filepath.Base(i.path) }
func (i icebergFileInfo) Size() int64      { return i.size }
func (icebergFileInfo) Mode() fs.FileMode  { return 0o400 }
func (icebergFileInfo) ModTime() time.Time { return time.Time{} }
func (icebergFileInfo) IsDir() bool        { return false }
func (icebergFileInfo) Sys() any           { return nil }

type icebergWriter struct {
	io.WriteCloser
	last bool // of a commit's files: what comes next is the compare-and-set
}

// ReadFrom implements iceio.FileWriter.
func (w *icebergWriter) ReadFrom(r io.Reader) (int64, error) { return io.Copy(w.WriteCloser, r) }

// Close makes the file durable.
func (w *icebergWriter) Close() error {
	if err := w.WriteCloser.Close(); err != nil {
		return err
	}
	if !w.last {
		return failpoint.Hit("commit.after_manifest")
	}
	if err := failpoint.Hit("commit.after_metadata"); err != nil {
		return err
	}
	return failpoint.Hit("commit.before_cas")
}

// localPath turns a location of a table's metadata into the path of an object, and location the other way round. Only
// local paths differ from their locations.
func localPath(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.Scheme != "file" {
		return location
	}
	return filepath.FromSlash(u.Path)
}

func fileURI(path string) string {
	if strings.Contains(path, "://") {
		return path
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
}
