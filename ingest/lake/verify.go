package lake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
)

// A Problem is something that is wrong with the lake.
type Problem struct {
	Table string
	Path  string // of the file; "" when it is about the table
	Says  string // truncated: it has 10 bytes of 20
}

// String returns the problem as a line for people.
func (p Problem) String() string {
	if p.Path == "" {
		return p.Table + ": " + p.Says
	}
	return p.Path + ": " + p.Says
}

// A VerifyReport says what Verify looked at and what it found.
type VerifyReport struct {
	Tables    int
	Files     int // whose every byte was read
	Bytes     int64
	Unchecked int // files of Iceberg's metadata whose checksum nobody noted; they can be read
	Problems  []Problem
}

// Verify reads every byte of every file that a retained snapshot of the tables refers to, Iceberg's own included, and
// compares each with its hash, its size and the number of rows the table counts on. It checks that the files of received
// rows tile the offsets of each partition without hole or overlap, and that no watermark ever fell. It takes a lease, so
// that it can run beside a pipeline. Progress is told how many bytes of how many are read; nil = nobody asks.
func (l *Lake) Verify(ctx context.Context, tables []string, progress func(done, total int64)) (_ *VerifyReport, err error) {
	lease, err := l.Pin(ctx, "verify")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lease.Release()) }()
	v := &verifier{lake: l, report: &VerifyReport{}, progress: progress}
	found := make([]tableFiles, 0, len(tables))
	for _, name := range tables {
		files, err := v.metadata(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("verify %s: %w", name, err)
		}
		found = append(found, files)
		for _, f := range files.data {
			v.total += f.Bytes
		}
	}
	for _, files := range found {
		if err := v.data(ctx, files); err != nil {
			return nil, fmt.Errorf("verify %s: %w", files.table, err)
		}
	}
	v.report.Tables = len(tables)
	return v.report, nil
}

// A verifier carries what Verify knows so far.
type verifier struct {
	lake        *Lake
	report      *VerifyReport
	progress    func(done, total int64)
	done, total int64
}

// tableFiles are the data files of a table's retained snapshots, by path.
type tableFiles struct {
	table string
	data  []File
}

func (v *verifier) problem(table, path, format string, args ...any) {
	v.report.Problems = append(v.report.Problems, Problem{table, path, fmt.Sprintf(format, args...)})
}

// metadata checks a table's metadata from the catalog down. What cannot be trusted is not read: the data files it would
// have named are then taken from their folder, for their names say what they hold.
func (v *verifier) metadata(ctx context.Context, name string) (tableFiles, error) {
	m := &metadataCheck{verifier: v, table: name, data: map[string]File{}, checked: map[string]bool{}}
	var err error
	if m.sums, err = v.lake.checksums(ctx, v.lake.path(name)); err != nil {
		return tableFiles{}, err
	}
	location, err := v.lake.metadataLocation(ctx, name)
	if err != nil {
		return tableFiles{}, err
	}
	if err := m.walk(ctx, localPath(location)); err != nil {
		return tableFiles{}, err
	}
	if m.blind {
		if err := m.takeAll(ctx); err != nil {
			return tableFiles{}, err
		}
	}
	files := tableFiles{table: name}
	for _, path := range sortedKeys(m.data) {
		files.data = append(files.data, m.data[path])
	}
	return files, nil
}

// metadataLocation returns where the catalog says that the table's metadata is. It does not read it.
func (l *Lake) metadataLocation(ctx context.Context, name string) (location string, err error) {
	id := identifier(name)
	err = l.cfg.Catalog.QueryRowContext(ctx,
		"select metadata_location from iceberg_tables where table_namespace = ? and table_name = ?",
		strings.Join(id[:len(id)-1], "."), id[len(id)-1]).Scan(&location)
	if err != nil {
		return "", fmt.Errorf("look for table in catalog: %w", err)
	}
	return location, nil
}

// A metadataCheck walks the metadata of one table.
type metadataCheck struct {
	*verifier
	table   string
	sums    map[string]checksum
	checked map[string]bool // files of metadata
	data    map[string]File
	blind   bool // something could not be trusted: it cannot be told which files are needed
}

func (m *metadataCheck) walk(ctx context.Context, current string) error {
	sound, err := m.isSound(ctx, current)
	if err != nil || !sound {
		m.blind = true
		return err
	}
	t, err := m.lake.loadTable(ctx, m.table)
	if err != nil {
		m.blind = true
		m.problem(m.table, current, "cannot be read: %v", err)
		return nil
	}
	history := []iceberg.Properties{}
	for entry := range t.Metadata().PreviousFiles() {
		p, err := m.previous(ctx, localPath(entry.MetadataFile))
		if err != nil {
			return err
		}
		if p != nil {
			history = append(history, p)
		}
	}
	m.checkMarks(append(history, t.Properties()))
	io, err := t.FS(ctx)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, s := range t.Metadata().Snapshots() {
		if err := m.snapshot(ctx, io, t, s, seen); err != nil {
			return err
		}
	}
	if !m.blind {
		s, err := m.lake.snapshot(ctx, m.table, t)
		if err != nil {
			return err
		}
		return m.checkTiling(ctx, s)
	}
	return nil
}

// isSound reports whether a file of the metadata is what was written; when it is not, that is a problem. A file that
// nobody refers to any more may have gone since the table was loaded.
func (m *metadataCheck) isSound(ctx context.Context, path string) (bool, error) {
	m.checked[path] = true
	digest, size, err := m.lake.store.Digest(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		needed, err := m.isStillNeeded(ctx, path)
		if err == nil && needed {
			m.problem(m.table, path, "missing")
		}
		return false, err
	}
	if err != nil {
		return false, err
	}
	m.report.Files++
	m.report.Bytes += size
	want, noted := m.sums[path]
	if !noted {
		m.report.Unchecked++
		return true, nil
	}
	if says := damage(digest, size, want.digest.String(), want.bytes); says != "" {
		m.problem(m.table, path, "%s", says)
		return false, nil
	}
	return true, nil
}

func (m *metadataCheck) isStillNeeded(ctx context.Context, path string) (bool, error) {
	location, err := m.lake.metadataLocation(ctx, m.table)
	if err != nil || localPath(location) == path {
		return true, err
	}
	t, err := m.lake.loadTable(ctx, m.table)
	if err != nil {
		return true, nil // it cannot be told: better say so than keep silent
	}
	for entry := range t.Metadata().PreviousFiles() {
		if localPath(entry.MetadataFile) == path {
			return true, nil
		}
	}
	live, err := referenced(ctx, t)
	return err != nil || live[path], nil // as above
}

// previous returns the properties of an earlier version of the table, nil when they cannot be trusted.
func (m *metadataCheck) previous(ctx context.Context, path string) (iceberg.Properties, error) {
	if sound, err := m.isSound(ctx, path); err != nil || !sound {
		return nil, err
	}
	f, err := m.lake.store.Open(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // gone since
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	old, err := table.ParseMetadata(io.NewSectionReader(f, 0, f.Size()))
	if err != nil {
		m.problem(m.table, path, "cannot be read: %v", err)
		return nil, nil
	}
	return old.Properties(), nil
}

// snapshot checks the list of a snapshot's manifests and those not seen before, and notes the data files they name.
func (m *metadataCheck) snapshot(ctx context.Context, io iceio.IO, t *table.Table, s table.Snapshot, seen map[string]bool) error {
	sound, err := m.isSound(ctx, localPath(s.ManifestList))
	if err != nil {
		return err
	}
	if !sound {
		m.blind = true
		return nil
	}
	manifests, err := s.Manifests(io)
	if err != nil {
		m.unreadable(s.ManifestList, err)
		return nil
	}
	for _, manifest := range manifests {
		if seen[manifest.FilePath()] {
			continue
		}
		seen[manifest.FilePath()] = true
		if sound, err = m.isSound(ctx, localPath(manifest.FilePath())); err != nil {
			return err
		}
		if !sound {
			m.blind = true
			continue
		}
		for e, err := range manifest.Entries(io, true) {
			if err != nil {
				m.unreadable(manifest.FilePath(), err)
				break
			}
			f, err := fileOf(e.DataFile(), t)
			if err != nil {
				m.unreadable(manifest.FilePath(), err)
				break
			}
			m.data[f.Path] = f
		}
	}
	return nil
}

func (m *metadataCheck) unreadable(location string, err error) {
	m.blind = true
	m.problem(m.table, localPath(location), "cannot be read: %v", err)
}

// takeAll checks every file of metadata that was ever noted and is still there, and takes every data file there is, of
// those nobody named only what the name says: any of them may be needed.
func (m *metadataCheck) takeAll(ctx context.Context) error {
	for _, path := range sortedKeys(m.sums) {
		if m.checked[path] {
			continue
		}
		if _, err := m.lake.store.Stat(ctx, path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if _, err := m.isSound(ctx, path); err != nil {
			return err
		}
	}
	for object, err := range m.lake.store.List(ctx, m.lake.path(m.table, "data")) {
		if err != nil {
			return err
		}
		if _, known := m.data[object.Path]; !known && hashOf(object.Path) != "" {
			m.data[object.Path] = File{Path: object.Path, Rows: -1, Bytes: -1}
		}
	}
	return nil
}

// data reads the data files of a table.
func (v *verifier) data(ctx context.Context, files tableFiles) error {
	for _, f := range files.data {
		says, err := v.lake.checkFile(ctx, f)
		if err != nil {
			return err
		}
		switch says {
		case "":
			says = v.lake.checkRows(ctx, f)
		case "missing":
			says, err = v.missing(ctx, files.table, f)
		}
		if err != nil {
			return err
		}
		if says != "" {
			v.problem(files.table, f.Path, "%s", says)
		}
		v.report.Files++
		v.report.Bytes += max(f.Bytes, 0)
		if v.done += max(f.Bytes, 0); v.progress != nil {
			v.progress(v.done, v.total)
		}
	}
	return nil
}

// checkRows compares the number of rows in a file's footer with the table's.
func (l *Lake) checkRows(ctx context.Context, f File) (says string) {
	ft, err := l.footer(ctx, f.Path)
	switch {
	case err != nil:
		return fmt.Sprintf("its footer cannot be read: %v", err)
	case f.Rows >= 0 && ft.rows != f.Rows:
		return fmt.Sprintf("it has %d rows instead of %d", ft.rows, f.Rows)
	default:
		return ""
	}
}

// missing says of a file that is not there where it may be; "" when the table does not need it any more.
func (v *verifier) missing(ctx context.Context, name string, f File) (string, error) {
	t, err := v.lake.loadTable(ctx, name)
	if err == nil {
		if live, err := referenced(ctx, t); err == nil && !live[f.Path] {
			return "", nil
		}
	}
	where, err := v.lake.inTrash(ctx, f.Path)
	if err != nil || where == "" {
		return "missing", err
	}
	return "missing; it lies in the trash: move it back from " + where, nil
}

// checkMarks looks whether a watermark or epoch fell or vanished in the history of a table, oldest first.
func (m *metadataCheck) checkMarks(history []iceberg.Properties) {
	before := map[string]int64{}
	for _, properties := range history {
		now := map[string]int64{}
		for key, value := range properties {
			if n, ok := markOf(key, value); ok {
				now[key] = n
			}
		}
		for _, key := range sortedKeys(before) {
			n, ok := now[key]
			switch {
			case !ok:
				m.problem(m.table, "", "%s was %d and is gone", key, before[key])
			case n < before[key]:
				m.problem(m.table, "", "%s fell from %d to %d", key, before[key], n)
			}
		}
		before = now
	}
}

// checkTiling looks whether the files of received rows and the gaps that were skipped tile the offsets of each
// partition, from the first to the watermark.
func (m *metadataCheck) checkTiling(ctx context.Context, s *Snapshot) error {
	marks, err := s.Watermarks(IngestWatermark)
	if err != nil {
		m.problem(m.table, "", "%v", err)
		return nil
	}
	if len(marks) == 0 {
		return nil // not the table of what was received
	}
	pieces := map[int32][]bronzePiece{}
	for _, f := range s.Files {
		name, ok := ParseBronzeName(f.Path)
		if !ok {
			m.problem(m.table, f.Path, "its name does not say which offsets it holds")
			continue
		}
		if lower, upper := f.Lower["offset"].Int, f.Upper["offset"].Int; lower < name.Start || upper >= name.End {
			m.problem(m.table, f.Path, "it holds the offsets %d to %d, and its name says otherwise", lower, upper)
		}
		pieces[name.Partition] = append(pieces[name.Partition], bronzePiece{name, f.Path})
	}
	gaps, err := m.lake.skippedGaps(ctx)
	if err != nil {
		m.problem(m.table, "", "its offsets cannot be checked, because the gaps in them cannot be read: %v", err)
		return nil
	}
	for _, gap := range gaps {
		pieces[gap.Partition] = append(pieces[gap.Partition], bronzePiece{BronzeName: gap})
	}
	for _, p := range sortedKeys(pieces) {
		m.checkPartition(p, pieces[p], marks[p])
	}
	return nil
}

// A bronzePiece is a file, or a gap, that covers offsets.
type bronzePiece struct {
	BronzeName
	path string // "" of a gap
}

func (m *metadataCheck) checkPartition(p int32, pieces []bronzePiece, mark int64) {
	slices.SortFunc(pieces, func(a, b bronzePiece) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
	end := pieces[0].Start
	for _, piece := range pieces {
		switch {
		case piece.path == "" && piece.Start >= mark:
			continue // recorded, and about to be skipped
		case piece.Start > end:
			m.problem(m.table, "", "partition %d: the offsets %d to %d are in no file", p, end, piece.Start-1)
		case piece.Start < end:
			m.problem(m.table, piece.path, "partition %d: the offsets %d to %d are in two files", p, piece.Start, min(end, piece.End)-1)
		}
		end = max(end, piece.End)
	}
	if end != mark {
		m.problem(m.table, "", "partition %d: its files end at offset %d and its watermark is %d", p, end, mark)
	}
}
