package lake

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	catalogsql "github.com/apache/iceberg-go/catalog/sql"

	"github.com/diurna-health/diurna/schemas"
)

// Errors of this package.
var (
	// ErrNoTable is returned by Load for a table that does not exist.
	ErrNoTable = errors.New("no such table")
	// ErrConflict is returned by Commit when the table changed since the snapshot the commit is based on.
	ErrConflict = errors.New("table changed meanwhile")
)

// Config says where a lake is.
type Config struct {
	Dir         string  // the folder that holds the tables
	Catalog     *sql.DB // the ledger: its Iceberg catalog tables are made on first use
	UserBuckets int     // partitions of people; fixed when the lake is made
	Now         func() time.Time
	Logger      *slog.Logger
}

// A Lake is the tables under one folder.
type Lake struct {
	cfg      Config
	catalog  *catalogsql.Catalog
	commitMu sync.Mutex

	cacheMu sync.Mutex
	cache   map[string]fileList // by table: the files of the snapshot last seen
}

type fileList struct {
	snapshot int64
	files    []File
}

// Open opens the lake, which may be empty. It makes nothing but the catalog's own tables in the ledger.
func Open(ctx context.Context, cfg Config) (*Lake, error) {
	dir, err := realPath(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("folder of the lake: %w", err)
	}
	cfg.Dir = dir
	c, err := openCatalog(cfg)
	if err != nil {
		return nil, err
	}
	if err := c.CreateSQLTables(ctx); err != nil {
		return nil, fmt.Errorf("make catalog tables: %w", err)
	}
	if err := checkPlace(ctx, cfg); err != nil {
		return nil, err
	}
	return &Lake{cfg: cfg, catalog: c, cache: map[string]fileList{}}, nil
}

// realPath returns the one path of a folder, by whatever links it was reached; the folder itself may not be there yet.
func realPath(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if resolved, err := filepath.EvalSymlinks(dir); err == nil {
		return resolved, nil
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(dir))
	if err != nil {
		return "", err
	}
	return filepath.Join(parent, filepath.Base(dir)), nil
}

// checkPlace refuses a lake that was moved: Iceberg's metadata names every file by its whole path.
func checkPlace(ctx context.Context, cfg Config) error {
	var location string
	err := cfg.Catalog.QueryRowContext(ctx,
		"select metadata_location from iceberg_tables order by table_namespace, table_name limit 1").Scan(&location)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read catalog: %w", err)
	}
	if path := localPath(location); !strings.HasPrefix(path, cfg.Dir+string(filepath.Separator)) {
		return &schemas.Error{Code: schemas.CodeConflict, Message: fmt.Sprintf(
			"this lake lies in %s, but it was made elsewhere, and its tables name their files by where they were (%s): "+
				"move the home back to its old place", cfg.Dir, path)}
	}
	return nil
}

func (l *Lake) cachedFiles(table string, snapshot int64) ([]File, bool) {
	l.cacheMu.Lock()
	defer l.cacheMu.Unlock()
	c, ok := l.cache[table]
	return c.files, ok && c.snapshot == snapshot
}

func (l *Lake) cacheFiles(table string, snapshot int64, files []File) {
	l.cacheMu.Lock()
	defer l.cacheMu.Unlock()
	l.cache[table] = fileList{snapshot, files}
}

// A TableSpec describes a table to Create.
type TableSpec struct {
	Name        string   // namespace.table: gold.activity_days
	Columns     []Column // in order
	PartitionBy []string // names of columns, each constant within a file
	Properties  map[string]string
}

// A Column is a column of a table. Types are those of DuckDB's DESCRIBE: VARCHAR, BOOLEAN, INTEGER, BIGINT, DOUBLE,
// DATE, TIMESTAMP WITH TIME ZONE, BLOB, INTEGER[] and STRUCT(...)[].
type Column struct {
	Name     string
	Type     string
	Required bool
}

// A Snapshot is one version of a table: which files it consists of and what its properties say. It never changes.
type Snapshot struct {
	Table      string
	ID         int64 // 0 = the table has no data yet
	Files      []File
	Properties map[string]string
	Columns    []Column

	version string // the metadata file; what Commit compares
}

// A File is an immutable Parquet file of a snapshot.
type File struct {
	Path      string // absolute
	Rows      int64
	Bytes     int64
	Partition map[string]int64 // by column, for the columns of PartitionBy
	Lower     map[string]Bound // by column, for scalar columns with statistics
	Upper     map[string]Bound
}

// A Bound is an end of a column's range within a file: Text for VARCHAR (it may be cut: then it still bounds), Int for
// everything else (dates in days, times in microseconds).
type Bound struct {
	Text string
	Int  int64
}

// A Commit is one atomic change of one table: files in, files out, properties set, all of it or nothing.
type Commit struct {
	Base       *Snapshot         // what the change was computed from; anything newer makes Commit return ErrConflict
	ID         string            // unique; recorded with the snapshot
	Add        []string          // paths of published files
	Remove     []string          // paths of files of Base
	Properties map[string]string // set; others stay
}

// A TableLog keeps tables as lists of immutable files with atomic commits. It is all the rest of Diurna knows of Apache
// Iceberg.
type TableLog interface {
	// Create makes the table if it does not exist; an existing table is left as it is.
	Create(ctx context.Context, spec TableSpec) error
	// Load returns the current snapshot, ErrNoTable when there is no such table.
	Load(ctx context.Context, table string) (*Snapshot, error)
	// Commit applies c and returns the new snapshot. ErrConflict means that nothing happened. After any other error
	// the outcome is unknown: load, look for c.ID with Snapshot.Has, and decide. Files are never deleted on error.
	Commit(ctx context.Context, c Commit) (*Snapshot, error)
	// Drop removes the table from the catalog; its files stay until they are swept.
	Drop(ctx context.Context, table string) error
}
