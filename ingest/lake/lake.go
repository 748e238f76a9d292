package lake

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
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
	Dir         string        // the folder that holds the tables, when Store is nil
	Store       Store         // where the tables are
	Catalog     *sql.DB       // the ledger: its Iceberg catalog tables are made on first use
	UserBuckets int           // partitions of people; fixed when the lake is made
	LeaseFor    time.Duration // how long a lease lasts unless renewed; 0 = 2 min
	Now         func() time.Time
	Logger      *slog.Logger
}

// A Lake is the tables under one folder.
type Lake struct {
	cfg      Config
	store    Store
	forget   func() // takes the store from Iceberg's reach
	catalog  *catalogsql.Catalog
	commitMu sync.Mutex

	unwritable bool // the ledger lacks the lake's tables, and cannot be given them

	seen seenTables
}

// Open opens the lake, which may be empty. It makes nothing but the lake's and the catalog's own tables in the ledger.
func Open(ctx context.Context, cfg Config) (*Lake, error) {
	l, err := open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := checkPlace(ctx, l.cfg); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// open opens the lake wherever its tables say that it is.
func open(ctx context.Context, cfg Config) (*Lake, error) {
	if cfg.Store == nil {
		local, err := OpenLocal(cfg.Dir)
		if err != nil {
			return nil, err
		}
		cfg.Store = local
	}
	key, forget := announceStore(&summingStore{Store: cfg.Store, db: cfg.Catalog})
	c, err := openCatalog(cfg, key)
	if err != nil {
		forget()
		return nil, err
	}
	unwritable, err := makeLedgerTables(ctx, cfg.Catalog)
	if err != nil {
		forget()
		return nil, err
	}
	return &Lake{cfg: cfg, store: cfg.Store, forget: forget, catalog: c, unwritable: unwritable}, nil
}

// Store returns where the lake's bytes live.
func (l *Lake) Store() Store { return l.store }

// Close lets go of the lake. What it said is true is true already: only a process that opens many lakes needs this.
func (l *Lake) Close() { l.forget() }

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
	if path := localPath(location); !strings.HasPrefix(path, cfg.Store.Root()+"/") {
		return &schemas.Error{Code: schemas.CodeConflict, Message: fmt.Sprintf(
			"this lake lies in %s, but it was made elsewhere, and its tables name their files by where they were (%s): "+
				"move it back to its old place, say with lake.location where it is now, or make it "+
				"anew from its files with `diurna lake repair --from-files`", cfg.Store.Root(), path)}
	}
	return nil
}

// A TableSpec describes a table to Create.
type TableSpec struct {
	Name        string   // namespace.table: gold.activity_days
	Columns     []Column // in order
	PartitionBy []string // names of columns, each constant within a file
	Properties  map[string]string

	folder string // the name of the table in whose folder it lies; "" = its own
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

	version string   // the metadata file; what Commit compares
	commits []string // IDs of the commits that made the retained snapshots
}

// A File is an immutable Parquet file of a snapshot.
type File struct {
	Path      string // in the lake's store: absolute, or s3://bucket/...
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
	// Pin takes a lease: what is current from then on can be read until the lease is released. The owner is a role.
	Pin(ctx context.Context, owner string) (*Lease, error)
}
