package checker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// content is what a name stood for when it was last looked at.
type content struct {
	table string
	sum   string
	bytes int64
	file  fs.FileInfo
}

// hashInName is how a data file's name ends: the first half of the SHA-256 of its bytes.
var hashInName = regexp.MustCompile(`-([0-9a-f]{32})\.parquet$`)

// checkWhole looks at every file that any snapshot refers to: that it is there, as large as the metadata says, with the
// content that its name promises and that it had before. It returns the files of which all that is true.
func (c *Checker) checkWhole(ctx context.Context, tables map[string]*table, found *findings) (map[string]bool, error) {
	whole := map[string]bool{}
	missing := map[string]string{} // the table by path
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		t := tables[name]
		current := map[string]bool{}
		for _, p := range t.paths() {
			if current[p] {
				found.add(NoDuplicate, name, c.place(p), "the snapshot lists the file twice")
			}
			current[p] = true
		}
		for _, l := range t.listings {
			for _, path := range l.metadata {
				if err := c.compare(name, path, found); err != nil && !gone(err) {
					return nil, err
				}
			}
			for _, f := range l.data {
				if whole[f.path] {
					continue
				}
				ok, err := c.checkData(name, f, found)
				if gone(err) {
					missing[f.path] = name
				} else if err != nil {
					return nil, err
				}
				whole[f.path] = ok
			}
		}
	}
	return whole, c.checkMissing(ctx, missing, found)
}

// checkMissing reports the files that are not there. While others write, a snapshot may expire and its files be removed
// after it was read here; so only what is still referred to counts.
func (c *Checker) checkMissing(ctx context.Context, missing map[string]string, found *findings) error {
	if len(missing) == 0 {
		return nil
	}
	now, err := c.load(ctx, &findings{})
	if err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(missing)) {
		t := now[missing[path]]
		if t == nil {
			continue // dropped meanwhile
		}
		for id, l := range t.listings {
			if slices.ContainsFunc(l.data, func(f dataFile) bool { return f.path == path }) {
				found.add(Atomic, t.table, c.place(path), "the file is not there (of the current snapshot: %t)", id == t.current)
				break
			}
		}
	}
	return nil
}

func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// checkData looks at a data file; the error is fs.ErrNotExist when it is not there.
func (c *Checker) checkData(table string, f dataFile, found *findings) (bool, error) {
	if strings.HasSuffix(f.path, ".tmp") || !strings.HasPrefix(f.path, c.cfg.Lake+string(filepath.Separator)) {
		found.add(Atomic, table, c.place(f.path), "the snapshot lists what is no file of the lake")
		return false, nil
	}
	if err := c.compare(table, f.path, found); err != nil {
		return false, err
	}
	now := c.contents[f.path]
	if now.bytes != f.bytes {
		found.add(Atomic, table, c.place(f.path), "the file has %d bytes, and the metadata says %d", now.bytes, f.bytes)
		return false, nil
	}
	named := hashInName.FindStringSubmatch(f.path)
	if named == nil {
		found.add(Atomic, table, c.place(f.path), "the file's name holds no hash")
		return false, nil
	}
	if !strings.HasPrefix(now.sum, named[1]) {
		found.add(Atomic, table, c.place(f.path), "the file's content is not the one its name promises")
		return false, nil
	}
	return true, nil
}

// compare hashes a file and compares it with what was there under the same name before. One that was not written to since
// is not hashed again: a lake has thousands, and they are looked at after every fault.
func (c *Checker) compare(table, path string, found *findings) error {
	before, known := c.contents[path]
	file, err := os.Stat(path)
	if err != nil {
		return err
	}
	if known && os.SameFile(before.file, file) && before.bytes == file.Size() && before.file.ModTime().Equal(file.ModTime()) {
		return nil
	}
	now, err := contentOf(path)
	if err != nil {
		return err
	}
	now.table = table
	if known && before.sum != now.sum {
		found.add(Immutable, table, c.place(path), "the file is not the one it was")
	}
	c.contents[path] = now
	return nil
}

func contentOf(path string) (content, error) {
	f, err := os.Open(path)
	if err != nil {
		return content{}, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return content{}, fmt.Errorf("hash file: %w", err)
	}
	file, err := f.Stat()
	return content{sum: hex.EncodeToString(h.Sum(nil)), bytes: n, file: file}, err
}

// place names a file from the lake on.
func (c *Checker) place(path string) string {
	if within, err := filepath.Rel(c.cfg.Lake, path); err == nil {
		return within
	}
	return path
}
