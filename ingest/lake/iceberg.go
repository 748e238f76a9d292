package lake

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	catalogsql "github.com/apache/iceberg-go/catalog/sql"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"github.com/diurna-health/diurna/internal/failpoint"
)

// propertyCommit holds the ID of the last commit. Every commit requires it to be that of its base, which makes
// Iceberg's check of the snapshot a check of the whole table: two commits that only set properties conflict too.
const propertyCommit = "diurna.commit"

// propertyMadeAt holds when the table was made, in ms: what was there under its name before is not in its metadata.
const propertyMadeAt = "diurna.made-at-ms"

// Create implements TableLog.
func (l *Lake) Create(ctx context.Context, spec TableSpec) error {
	ident := identifier(spec.Name)
	if exists, err := l.catalog.CheckTableExists(ctx, ident); err != nil {
		return fmt.Errorf("look for table %s: %w", spec.Name, err)
	} else if exists {
		return nil
	}
	if err := l.createNamespace(ctx, ident[:1]); err != nil {
		return err
	}
	schema, err := icebergSchema(spec.Columns)
	if err != nil {
		return fmt.Errorf("schema of table %s: %w", spec.Name, err)
	}
	partition, err := partitionSpec(schema, spec.PartitionBy)
	if err != nil {
		return fmt.Errorf("partitions of table %s: %w", spec.Name, err)
	}
	_, err = l.catalog.CreateTable(ctx, ident, schema,
		catalog.WithLocation(fileURI(l.path(cmp.Or(spec.folder, spec.Name)))),
		catalog.WithPartitionSpec(&partition),
		catalog.WithProperties(tableProperties(spec, l.cfg.Now())))
	if errors.Is(err, catalog.ErrTableAlreadyExists) {
		return nil // another process was quicker, with the same specification
	}
	if err != nil {
		return fmt.Errorf("create table %s: %w", spec.Name, err)
	}
	return nil
}

func (l *Lake) createNamespace(ctx context.Context, namespace table.Identifier) error {
	err := l.catalog.CreateNamespace(ctx, namespace, nil)
	if err != nil && !errors.Is(err, catalog.ErrNamespaceAlreadyExists) {
		return fmt.Errorf("create namespace %s: %w", namespace[0], err)
	}
	return nil
}

func partitionSpec(schema *iceberg.Schema, columns []string) (iceberg.PartitionSpec, error) {
	fields := make([]iceberg.PartitionField, len(columns))
	for i, name := range columns {
		f, ok := schema.FindFieldByName(name)
		if !ok {
			return iceberg.PartitionSpec{}, fmt.Errorf("no column %s", name)
		}
		fields[i] = iceberg.PartitionField{
			SourceIDs: []int{f.ID}, FieldID: 1000 + i, Name: name, Transform: iceberg.IdentityTransform{},
		}
	}
	return iceberg.NewPartitionSpec(fields...), nil
}

func tableProperties(spec TableSpec, now time.Time) iceberg.Properties {
	p := iceberg.Properties{
		"format-version": "2",
		// Bounds in full, for people and positions are found by them; a cut user_id would bound nothing.
		table.DefaultWriteMetricsModeKey:          "full",
		table.ManifestMergeEnabledKey:             "true",
		table.ManifestMinMergeCountKey:            "20",
		table.MetadataDeleteAfterCommitEnabledKey: "true",
		table.MetadataPreviousVersionsMaxKey:      "30",
		propertyCommit:                            "",
		propertyMadeAt:                            strconv.FormatInt(now.UnixMilli(), 10),
	}
	maps.Copy(p, spec.Properties)
	return p
}

// Load implements TableLog.
func (l *Lake) Load(ctx context.Context, name string) (*Snapshot, error) {
	t, err := l.loadTable(ctx, name)
	if err != nil {
		return nil, err
	}
	return l.snapshot(ctx, name, t)
}

func (l *Lake) loadTable(ctx context.Context, name string) (*table.Table, error) {
	ident := identifier(name)
	var location string
	err := l.cfg.Catalog.QueryRowContext(ctx,
		"select metadata_location from iceberg_tables where catalog_name = ? and table_namespace = ? and table_name = ?",
		l.catalog.Name(), strings.Join(catalog.NamespaceFromIdent(ident), "."), catalog.TableNameFromIdent(ident)).Scan(&location)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("look up table %s: %w", name, err)
	}
	if t, ok := l.seen.at(name, location); ok {
		return t, nil
	}
	t, err := l.catalog.LoadTable(ctx, ident)
	if errors.Is(err, catalog.ErrNoSuchTable) || errors.Is(err, catalog.ErrNoSuchNamespace) {
		return nil, fmt.Errorf("%w: %s", ErrNoTable, name)
	}
	if err != nil {
		return nil, fmt.Errorf("load table %s: %w", name, err)
	}
	l.seen.keep(name, t)
	return t, nil
}

func (l *Lake) snapshot(ctx context.Context, name string, t *table.Table) (*Snapshot, error) {
	s := &Snapshot{
		Table:      name,
		Properties: maps.Clone(t.Properties()),
		Columns:    columnsOf(t.Schema()),
		version:    t.MetadataLocation(),
	}
	for _, past := range t.Metadata().Snapshots() {
		if past.Summary != nil {
			s.commits = append(s.commits, past.Summary.Properties[propertyCommit])
		}
	}
	current := t.CurrentSnapshot()
	if current == nil {
		return s, nil
	}
	s.ID = current.SnapshotID
	seen, ok := l.seen.filesOf(name, s.ID)
	if !ok {
		var err error
		if seen, err = liveFiles(ctx, t, current, seen.manifests); err != nil {
			return nil, fmt.Errorf("list files of table %s: %w", name, err)
		}
		l.seen.keepFiles(name, seen)
	}
	s.Files = seen.files
	return s, nil
}

// liveFiles lists the files of a snapshot, and reads those of its manifests that are not known. Files come in order of
// path, so that whoever reads them in order reads them the same way each time.
func liveFiles(ctx context.Context, t *table.Table, s *table.Snapshot, known map[string][]File) (fileList, error) {
	list := fileList{snapshot: s.SnapshotID, manifests: map[string][]File{}}
	fs, err := t.FS(ctx)
	if err != nil {
		return list, err
	}
	manifests, err := s.Manifests(fs)
	if err != nil {
		return list, err
	}
	for _, m := range manifests {
		files, ok := known[m.FilePath()]
		if !ok {
			if files, err = filesIn(m, fs, t); err != nil {
				return list, err
			}
		}
		list.manifests[m.FilePath()] = files
		list.files = append(list.files, files...)
	}
	slices.SortFunc(list.files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return list, nil
}

func filesIn(m iceberg.ManifestFile, fs iceio.IO, t *table.Table) ([]File, error) {
	var files []File
	for e, err := range m.Entries(fs, true) {
		if err != nil {
			return nil, err
		}
		f, err := fileOf(e.DataFile(), t)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func fileOf(df iceberg.DataFile, t *table.Table) (File, error) {
	f := File{Path: localPath(df.FilePath()), Rows: df.Count(), Bytes: df.FileSizeBytes()}
	var err error
	if f.Lower, err = bounds(df.LowerBoundValues(), t.Schema()); err != nil {
		return File{}, err
	}
	if f.Upper, err = bounds(df.UpperBoundValues(), t.Schema()); err != nil {
		return File{}, err
	}
	spec := t.Spec()
	f.Partition = make(map[string]int64, spec.NumFields())
	for _, field := range spec.Fields() {
		f.Partition[field.Name] = f.Lower[field.Name].Int
	}
	return f, nil
}

func bounds(values map[int][]byte, schema *iceberg.Schema) (map[string]Bound, error) {
	out := make(map[string]Bound, len(values))
	for id, raw := range values {
		field, ok := schema.FindFieldByID(id)
		if !ok {
			continue // of a column within a list
		}
		if _, top := schema.FindFieldByName(field.Name); !top {
			continue
		}
		literal, err := iceberg.LiteralFromBytes(field.Type, raw)
		if err != nil {
			return nil, fmt.Errorf("bound of column %s: %w", field.Name, err)
		}
		switch v := literal.Any().(type) {
		case string:
			out[field.Name] = Bound{Text: v}
		case int32:
			out[field.Name] = Bound{Int: int64(v)}
		case int64:
			out[field.Name] = Bound{Int: v}
		case iceberg.Date:
			out[field.Name] = Bound{Int: int64(v)}
		case iceberg.Timestamp:
			out[field.Name] = Bound{Int: int64(v)}
		}
	}
	return out, nil
}

// Commit implements TableLog. The order that makes it safe: the files are on the disk already (Publish), Iceberg writes
// and syncs its metadata beside them, and one compare-and-set of a row in the catalog makes all of it true at once.
func (l *Lake) Commit(ctx context.Context, c Commit) (*Snapshot, error) {
	return l.commit(ctx, c, DefaultExpiry(), expireAbove)
}

// commit is Commit that expires snapshots by the policy when there are more than so many.
func (l *Lake) commit(ctx context.Context, c Commit, keep Expiry, expireAbove int) (*Snapshot, error) {
	l.commitMu.Lock() // one committer a process; other processes are kept out by the compare-and-set
	defer l.commitMu.Unlock()

	name := c.Base.Table
	if err := failpoint.Hit("commit.before"); err != nil {
		return nil, fmt.Errorf("commit %s: %w", name, err)
	}
	t, err := l.loadTable(ctx, name)
	if err != nil {
		return nil, err
	}
	if t.MetadataLocation() != c.Base.version {
		return nil, fmt.Errorf("%w: %s", ErrConflict, name)
	}
	if _, err := l.bringBack(ctx, c.Add); err != nil {
		return nil, fmt.Errorf("commit %s: %w", name, err)
	}
	tx := t.NewTransaction()
	if err := stage(ctx, tx, c, l.cfg.Now()); err != nil {
		return nil, fmt.Errorf("stage commit of %s: %w", name, err)
	}
	pending, err := tx.TableCommit()
	if err != nil {
		return nil, fmt.Errorf("stage commit of %s: %w", name, err)
	}
	// First of all, for it is the only one whose failure is told apart from other errors: Iceberg's own have no type.
	pending.Requirements = slices.Insert(pending.Requirements, 0, table.Requirement(unchangedSince{c.Base.Properties[propertyCommit]}))
	if m := t.Metadata(); len(m.Snapshots()) > expireAbove {
		old, err := l.expired(ctx, m, keep)
		if err != nil {
			return nil, err
		}
		if len(old) > 0 { // their files are removed by Sweep, which knows who may still read them
			pending.Updates = append(pending.Updates, table.NewRemoveSnapshotsUpdate(old, false))
		}
	}
	committed, location, err := l.catalog.CommitTable(ctx, t.Identifier(), pending.Requirements, pending.Updates)
	if errors.Is(err, ErrConflict) || errors.Is(err, table.ErrCommitFailed) {
		return nil, fmt.Errorf("%w: %s", ErrConflict, name)
	}
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", name, err)
	}
	l.seen.keep(name, table.New(t.Identifier(), committed, location, t.FS, l.catalog))
	if err := errors.Join(failpoint.Hit("commit.after_cas"), failpoint.Hit("commit.lost_reply")); err != nil {
		return nil, fmt.Errorf("commit %s: %w", name, err)
	}
	if _, err := l.bringBack(ctx, c.Add); err != nil {
		return nil, fmt.Errorf("look for what was committed to %s: %w", name, err)
	}
	return l.Load(ctx, name)
}

func stage(ctx context.Context, tx *table.Transaction, c Commit, now time.Time) error {
	summary := iceberg.Properties{propertyCommit: c.ID, summaryCommittedAt: strconv.FormatInt(now.UnixMilli(), 10)}
	switch add, remove := uris(c.Add), uris(c.Remove); {
	case len(remove) > 0:
		if err := tx.ReplaceDataFiles(ctx, remove, add, summary); err != nil {
			return err
		}
	case len(add) > 0:
		if err := tx.AddFiles(ctx, add, summary, false); err != nil {
			return err
		}
	}
	properties := iceberg.Properties{propertyCommit: c.ID}
	maps.Copy(properties, c.Properties)
	return tx.SetProperties(properties)
}

// unchangedSince is the requirement that nobody committed since the commit with this ID.
type unchangedSince struct{ commit string }

// Validate implements table.Requirement.
func (r unchangedSince) Validate(m table.Metadata) error {
	if m == nil || m.Properties()[propertyCommit] != r.commit {
		return ErrConflict
	}
	return nil
}

// GetType implements table.Requirement.
func (unchangedSince) GetType() string { return "assert-unchanged-since" }

// Drop implements TableLog.
func (l *Lake) Drop(ctx context.Context, name string) error {
	err := l.catalog.DropTable(ctx, identifier(name))
	if errors.Is(err, catalog.ErrNoSuchTable) {
		return fmt.Errorf("%w: %s", ErrNoTable, name)
	}
	if err != nil {
		return fmt.Errorf("drop table %s: %w", name, err)
	}
	return nil
}

// Tables returns the names of all tables, sorted.
func (l *Lake) Tables(ctx context.Context) ([]string, error) {
	namespaces, err := l.catalog.ListNamespaces(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("list namespaces: %w", err)
	}
	var names []string
	for _, namespace := range namespaces {
		for ident, err := range l.catalog.ListTables(ctx, namespace) {
			if err != nil {
				return nil, fmt.Errorf("list tables: %w", err)
			}
			names = append(names, strings.Join(ident, "."))
		}
	}
	slices.Sort(names)
	return names, nil
}

func identifier(name string) table.Identifier { return strings.Split(name, ".") }

func uris(paths []string) []string {
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = fileURI(p)
	}
	return out
}

var _ TableLog = (*Lake)(nil)

func openCatalog(cfg Config, store string) (*catalogsql.Catalog, error) {
	c, err := catalogsql.NewCatalog("diurna", cfg.Catalog, catalogsql.SQLite, iceberg.Properties{
		"warehouse":   fileURI(cfg.Store.Root()),
		propertyStore: store,
	})
	if err != nil {
		return nil, fmt.Errorf("open catalog: %w", err)
	}
	return c, nil
}
