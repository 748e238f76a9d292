package lake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// trashDir is the folder of what was swept, beside the tables: _trash/20261121T10Z/silver/series_hours/data/...
const trashDir = "_trash"

// trashStamp names a batch by the hour it was thrown away in.
const trashStamp = "20060102T15Z"

func (l *Lake) trashPath(file string) string {
	return l.store.Root() + "/" + path.Join(trashDir, l.cfg.Now().UTC().Format(trashStamp), relative(l.store, file))
}

// A Trash is what was swept and can still be put back.
type Trash struct {
	Files int
	Bytes int64
}

// Trash returns what lies in the trash.
func (l *Lake) Trash(ctx context.Context) (Trash, error) {
	var t Trash
	thrown, err := l.listTrash(ctx)
	for _, f := range thrown {
		t.Files++
		t.Bytes += f.Bytes
	}
	return t, err
}

// EmptyTrash removes for good what was thrown away longer ago than keepFor, and then the oldest of the rest until it has
// no more than maxBytes, and returns how many files that were. A table whose files are rewritten often would otherwise
// fill the disk with a day of its past.
func (l *Lake) EmptyTrash(ctx context.Context, keepFor time.Duration, maxBytes int64) (int, error) {
	thrown, err := l.listTrash(ctx)
	if err != nil {
		return 0, err
	}
	var total int64
	for _, f := range thrown {
		total += f.Bytes
	}
	limit := l.cfg.Now().Add(-keepFor)
	removed := 0
	folders := map[string]bool{}
	for _, f := range thrown { // the oldest first
		// A batch is as young as the end of its hour.
		if keepFor > 0 && f.hour.Add(time.Hour).After(limit) && total <= maxBytes {
			break
		}
		if err := l.store.Remove(ctx, f.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return removed, fmt.Errorf("empty the trash: %w", err)
		}
		total -= f.Bytes
		removed++
		for dir := path.Dir(f.Path); path.Base(dir) != trashDir; dir = path.Dir(dir) {
			folders[dir] = true
		}
	}
	l.removeEmptyFolders(ctx, folders)
	return removed, nil
}

// removeEmptyFolders removes those of the folders that are empty, the deepest first; in a bucket there are none.
func (l *Lake) removeEmptyFolders(ctx context.Context, folders map[string]bool) {
	if strings.Contains(l.store.Root(), "://") {
		return
	}
	deepest := slices.SortedFunc(maps.Keys(folders), func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, dir := range deepest {
		_ = l.store.Remove(ctx, dir) // refused while something is in it
	}
}

type thrownFile struct {
	Object
	hour time.Time
}

// listTrash lists the trash, the oldest batch first.
func (l *Lake) listTrash(ctx context.Context) ([]thrownFile, error) {
	folder := l.store.Root() + "/" + trashDir
	var thrown []thrownFile
	for object, err := range l.store.List(ctx, folder) {
		if err != nil {
			return nil, fmt.Errorf("list the trash: %w", err)
		}
		batch, _, _ := strings.Cut(strings.TrimPrefix(object.Path, folder+"/"), "/")
		hour, err := time.Parse(trashStamp, batch)
		if err != nil {
			continue // not put there by us
		}
		thrown = append(thrown, thrownFile{object, hour})
	}
	slices.SortFunc(thrown, func(a, b thrownFile) int {
		return cmp.Or(a.hour.Compare(b.hour), strings.Compare(a.Path, b.Path))
	})
	return thrown, nil
}

// inTrash returns where in the trash a file lies; "" when it does not.
func (l *Lake) inTrash(ctx context.Context, file string) (string, error) {
	thrown, err := l.listTrash(ctx)
	if err != nil {
		return "", err
	}
	for _, f := range slices.Backward(thrown) {
		if strings.HasSuffix(f.Path, "/"+relative(l.store, file)) {
			return f.Path, nil
		}
	}
	return "", nil
}
