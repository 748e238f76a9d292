package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
)

// Sweep removes the files of a table that no retained snapshot refers to and that are older than grace, and returns how
// many there were. Grace protects files that are published but not yet committed, so it must be longer than any commit
// takes.
func (l *Lake) Sweep(ctx context.Context, name string, grace time.Duration) (int, error) {
	// What is on the disk is listed before what is referred to: a file that is committed in between is then kept.
	candidates, err := l.filesOlderThan(name, grace)
	if err != nil {
		return 0, fmt.Errorf("list folder of table %s: %w", name, err)
	}
	t, err := l.loadTable(ctx, name)
	if err != nil {
		return 0, err
	}
	live, err := referenced(ctx, t)
	if err != nil {
		return 0, fmt.Errorf("list references of table %s: %w", name, err)
	}
	removed := 0
	for _, path := range candidates {
		if live[path] {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return removed, fmt.Errorf("remove file of table %s: %w", name, err)
		}
		removed++
	}
	return removed, nil
}

func (l *Lake) filesOlderThan(name string, grace time.Duration) ([]string, error) {
	limit := l.cfg.Now().Add(-grace)
	var paths []string
	err := filepath.WalkDir(l.tableDir(name), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a temporary file that was renamed meanwhile
		}
		if err == nil && !info.ModTime().After(limit) {
			paths = append(paths, path)
		}
		return err
	})
	return paths, err
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
