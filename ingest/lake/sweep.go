package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"github.com/diurna-health/diurna/internal/failpoint"
)

// Sweep takes away the files of a table that no retained snapshot refers to and that are older than grace, and returns
// how many there were. Data files go to the trash, all else is removed: it can be made anew.
//
// Grace protects files that are published but not yet committed, so it must be longer than any commit takes. Received
// rows are protected without it: a file of bronze that ends above the watermark of its partition may be committed yet,
// however old it is. What a lease protects has not been expired, and so is referred to.
func (l *Lake) Sweep(ctx context.Context, name string, grace time.Duration) (int, error) {
	if err := failpoint.Hit("gc.before_list"); err != nil {
		return 0, err
	}
	// What is there is listed before what is referred to: a file that is committed in between is then kept.
	limit := l.cfg.Now().Add(-grace)
	candidates, err := l.objectsUntil(ctx, name, limit)
	if err != nil {
		return 0, fmt.Errorf("list folder of table %s: %w", name, err)
	}
	t, err := l.loadTable(ctx, name)
	if err != nil {
		return 0, err
	}
	if anew, err := l.isMadeAnew(ctx, t); err != nil || anew {
		return 0, err
	}
	live, err := referenced(ctx, t)
	if err != nil {
		return 0, fmt.Errorf("list references of table %s: %w", name, err)
	}
	if err := l.bringBackLive(ctx, name, live); err != nil {
		return 0, fmt.Errorf("look for files of table %s in the trash: %w", name, err)
	}
	needed, err := neededBy(t, live)
	if err != nil {
		return 0, fmt.Errorf("read watermarks of table %s: %w", name, err)
	}
	var gone []swept
	for _, object := range candidates {
		if needed(object.Path) {
			continue
		}
		if err := failpoint.Hit("gc.mid_delete"); err != nil {
			return len(gone), err
		}
		to, err := l.takeAway(ctx, object.Path, limit)
		if err != nil {
			return len(gone), fmt.Errorf("remove file of table %s: %w", name, err)
		}
		if to != staysHere {
			gone = append(gone, swept{object.Path, to})
		}
	}
	if len(gone) == 0 {
		return 0, nil
	}
	back, err := l.putBackNeeded(ctx, name, gone)
	if err != nil {
		return len(gone), fmt.Errorf("look at table %s again: %w", name, err)
	}
	return len(gone) - back, l.forgetChecksums(ctx, gone)
}

// A swept is a file that was taken away: to the trash, or for good ("").
type swept struct{ path, to string }

// staysHere is where takeAway puts what somebody has written again.
const staysHere = "."

func (l *Lake) objectsUntil(ctx context.Context, name string, limit time.Time) ([]Object, error) {
	var objects []Object
	for object, err := range l.store.List(ctx, l.path(name)) {
		if err != nil {
			return nil, err
		}
		if !object.ModTime.After(limit) {
			objects = append(objects, object)
		}
	}
	return objects, nil
}

// takeAway puts a data file into the trash and removes any other. No commit of this process may come between the look at
// its age, which is that of the youngest writer who counts on it, and its going.
func (l *Lake) takeAway(ctx context.Context, path string, limit time.Time) (to string, err error) {
	l.commitMu.Lock()
	defer l.commitMu.Unlock()
	switch object, err := l.store.Stat(ctx, path); {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	case object.ModTime.After(limit):
		return staysHere, nil
	}
	if !strings.HasSuffix(path, ".parquet") {
		if err := l.store.Remove(ctx, path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		return "", nil
	}
	to = l.trashPath(path)
	if err := l.store.Move(ctx, path, to); err != nil {
		return "", err
	}
	if err := failpoint.Hit("gc.after_move"); err != nil {
		return "", err
	}
	if !l.movesKeepTimes() {
		return to, nil
	}
	// Another process may have published the file again after we had looked.
	switch object, err := l.store.Stat(ctx, to); {
	case errors.Is(err, fs.ErrNotExist): // it was brought back
		return staysHere, nil
	case err != nil:
		return "", err
	case object.ModTime.After(limit):
		return staysHere, l.store.Move(ctx, to, path)
	}
	return to, nil
}

// movesKeepTimes reports whether an object that is moved is as old as before. In a bucket it is new.
func (l *Lake) movesKeepTimes() bool { return !strings.Contains(l.store.Root(), "://") }

// putBackNeeded brings back what another process committed while it was being taken away, and returns how many files.
func (l *Lake) putBackNeeded(ctx context.Context, name string, gone []swept) (int, error) {
	t, err := l.loadTable(ctx, name)
	if err != nil {
		return 0, err
	}
	live, err := referenced(ctx, t)
	if err != nil {
		return 0, err
	}
	var paths []string
	for _, s := range gone {
		if s.to != "" && live[s.path] {
			paths = append(paths, s.path)
		}
	}
	return l.bringBack(ctx, paths)
}

// isMadeAnew reports whether the table was dropped and made again since the oldest lease was taken: its own metadata
// does not know which files that reader needs.
func (l *Lake) isMadeAnew(ctx context.Context, t *table.Table) (bool, error) {
	taken, leased, err := l.oldestLease(ctx)
	if err != nil || !leased {
		return false, err
	}
	made, err := strconv.ParseInt(t.Properties()[propertyMadeAt], 10, 64)
	known := err == nil // otherwise it was made before there was this property, and so before the lease
	return known && !time.UnixMilli(made).Before(taken), nil
}

// neededBy returns what tells whether a file may still be needed, whatever its age.
func neededBy(t *table.Table, live map[string]bool) (func(path string) bool, error) {
	marks, err := (&Snapshot{Properties: t.Properties()}).Watermarks(IngestWatermark)
	if err != nil {
		return nil, err
	}
	return func(path string) bool {
		name, isBronze := ParseBronzeName(path)
		return live[path] || isBronze && name.End > marks[name.Partition]
	}, nil
}

// referenced returns the paths of everything the table's retained snapshots and its metadata log name.
func referenced(ctx context.Context, t *table.Table) (map[string]bool, error) {
	live := map[string]bool{localPath(t.MetadataLocation()): true}
	for entry := range t.Metadata().PreviousFiles() {
		live[localPath(entry.MetadataFile)] = true
	}
	io, err := t.FS(ctx)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, s := range t.Metadata().Snapshots() {
		live[localPath(s.ManifestList)] = true
		if err := addManifests(io, s, live, seen); err != nil {
			return nil, err
		}
	}
	return live, nil
}

func addManifests(io iceio.IO, s table.Snapshot, live, seen map[string]bool) error {
	manifests, err := s.Manifests(io)
	if err != nil {
		return err
	}
	for _, m := range manifests {
		if seen[m.FilePath()] {
			continue // snapshots share most of their manifests
		}
		seen[m.FilePath()] = true
		live[localPath(m.FilePath())] = true
		for e, err := range m.Entries(io, true) {
			if err != nil {
				return err
			}
			live[localPath(e.DataFile().FilePath())] = true
		}
	}
	return nil
}
