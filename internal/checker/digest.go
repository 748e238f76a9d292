package checker

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/diurna-health/diurna/schemas"
)

// A rowSet is a fingerprint of rows in which their order does not count and their number does.
type rowSet struct {
	Rows int64
	Sum  string
}

// String returns the fingerprint in short.
func (s rowSet) String() string { return fmt.Sprintf("%d rows (%s)", s.Rows, s.Sum) }

// digest returns the fingerprint of all rows of the files.
func (c *Checker) digest(ctx context.Context, paths []string) (rowSet, error) {
	set := rowSet{Sum: "0"}
	if len(paths) == 0 {
		return set, nil
	}
	// The sum of hashes, unlike their exclusive or, tells one row from three.
	err := c.duck.QueryRowContext(ctx, "select count(*), coalesce(sum(hash(r)::hugeint), 0)::varchar from (select * from "+
		readParquet(paths)+") r").Scan(&set.Rows, &set.Sum)
	if err != nil {
		return rowSet{}, fmt.Errorf("digest rows: %w", err)
	}
	return set, nil
}

// A Digest is the fingerprint of a lake: of each table its rows, and the SHA-256 of its live files in order.
type Digest map[string]TableDigest

// A TableDigest is the fingerprint of a table.
type TableDigest struct {
	Rows  rowSet
	Files []string
}

// Digest returns the fingerprint of the tables whose names begin with the prefix ("" = all). The list of dirty days is
// left out: it tells how the work was cut, not what came of it.
func (c *Checker) Digest(ctx context.Context, prefix string) (Digest, error) {
	found := &findings{}
	tables, err := c.load(ctx, found)
	if err != nil {
		return nil, err
	}
	if len(found.all) > 0 {
		return nil, fmt.Errorf("digest lake: %s", found.all[0])
	}
	d := Digest{}
	for name, t := range tables {
		if !strings.HasPrefix(name, prefix) || name == schemas.TableDirtyDays {
			continue
		}
		one := TableDigest{}
		if one.Rows, err = c.digest(ctx, t.paths()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, f := range t.files() {
			content, err := contentOf(f.path)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			one.Files = append(one.Files, content.sum)
		}
		slices.Sort(one.Files)
		d[name] = one
	}
	return d, nil
}

// SameRows reports the tables whose rows differ between two lakes that were filled with the same messages.
func (d Digest) SameRows(o Digest) []Finding {
	return d.compare(o, func(name string, a, b TableDigest, found *findings) {
		if a.Rows != b.Rows {
			found.add(Replay, name, "rows", "one lake has %s, the other %s", a.Rows, b.Rows)
		}
	})
}

// SameFiles reports the tables whose files are not the same bytes.
func (d Digest) SameFiles(o Digest) []Finding {
	return d.compare(o, func(name string, a, b TableDigest, found *findings) {
		if !slices.Equal(a.Files, b.Files) {
			found.add(Replay, name, "files", "the %d files of one lake are not byte for byte the %d of the other (%s, %s)",
				len(a.Files), len(b.Files), a.Rows, b.Rows)
		}
	})
}

func (d Digest) compare(o Digest, one func(name string, a, b TableDigest, found *findings)) []Finding {
	found := &findings{}
	all := maps.Clone(d)
	maps.Copy(all, o)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		a, inA := d[name]
		b, inB := o[name]
		if inA != inB {
			found.add(Replay, name, "catalog", "only one of the lakes has the table")
			continue
		}
		one(name, a, b, found)
	}
	return found.list()
}

// A Pin is one version of every table, as a reader that takes its time holds it.
type Pin struct {
	checker *Checker
	paths   map[string][]string
	rows    map[string]rowSet
}

// Pin remembers the lake as it is, and what it answers.
func (c *Checker) Pin(ctx context.Context) (*Pin, error) {
	found := &findings{}
	tables, err := c.load(ctx, found)
	if err != nil {
		return nil, err
	}
	p := &Pin{c, map[string][]string{}, map[string]rowSet{}}
	for name, t := range tables {
		p.paths[name] = t.paths()
		if p.rows[name], err = c.digest(ctx, p.paths[name]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return p, nil
}

// Check asks the pinned version again. A file that is gone is an error a reader can understand and is let pass; any
// other answer than the first is a finding.
func (p *Pin) Check(ctx context.Context) ([]Finding, error) {
	found := &findings{}
	for name, paths := range p.paths {
		rows, err := p.checker.digest(ctx, paths)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil && anyGone(paths):
		case err != nil:
			found.add(SnapshotReads, name, "pinned files", "they are there and cannot be read: %v", err)
		case rows != p.rows[name]:
			found.add(SnapshotReads, name, "pinned files", "a reader was told %s, and then %s", p.rows[name], rows)
		}
	}
	return found.list(), nil
}

func anyGone(paths []string) bool {
	return slices.ContainsFunc(paths, func(p string) bool {
		_, err := contentOf(p)
		return gone(err)
	})
}

// trash is the folder in which what was swept lies for a while.
const trash = "_trash"

// Leaks reports every file in the lake that no snapshot refers to and that is no version a table remembers: what a
// sweep, once nothing runs, must have removed. What lies in the trash is not the lake's any more.
func (c *Checker) Leaks(ctx context.Context) ([]Finding, error) {
	found := &findings{}
	tables, err := c.load(ctx, found)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, t := range tables {
		known[t.path] = true
		for _, path := range t.earlier {
			known[path] = true
		}
		for _, l := range t.listings {
			for _, path := range l.metadata {
				known[path] = true
			}
			for _, f := range l.data {
				known[f.path] = true
			}
		}
	}
	err = filepath.WalkDir(c.cfg.Lake, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path == filepath.Join(c.cfg.Lake, trash) {
			return filepath.SkipDir
		}
		if err == nil && !d.IsDir() && !known[path] {
			found.add(NoLeak, "", c.place(path), "nothing refers to the file")
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list lake: %w", err)
	}
	return found.list(), nil
}

// Swept is Leaks for a lake whose snapshots were expired to the last of each table, and whose trash was emptied: nothing
// of its past may be left.
func (c *Checker) Swept(ctx context.Context, mostSnapshots int) ([]Finding, error) {
	found := &findings{}
	tables, err := c.load(ctx, found)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		if n := len(tables[name].snapshots); n > mostSnapshots {
			found.add(NoLeak, name, "snapshots", "there are %d, more than %d", n, mostSnapshots)
		}
	}
	err = filepath.WalkDir(filepath.Join(c.cfg.Lake, trash), func(path string, d fs.DirEntry, err error) error {
		if gone(err) {
			return nil // there is no trash
		}
		if err == nil && !d.IsDir() {
			found.add(NoLeak, "", c.place(path), "the file lies in the trash")
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list trash: %w", err)
	}
	leaks, err := c.Leaks(ctx)
	return append(found.list(), leaks...), err
}
