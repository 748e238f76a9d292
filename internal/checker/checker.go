package checker

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	_ "github.com/duckdb/duckdb-go/v2" // reads the rows
)

// Config says where the lake is.
type Config struct {
	Ledger string // the SQLite database with the catalog
	Lake   string // the folder of the tables
}

// A Checker looks at one lake, again and again. It is for one goroutine.
type Checker struct {
	cfg       Config
	ledger    *sql.DB
	duck      *sql.DB
	manifests map[string][]dataFile // by path
	seen      map[string]*history   // by table
	contents  map[string]content    // by path of every file ever seen
	verified  map[string]bool       // bronze files whose rows are those of the journal
}

// Open opens the lake of a home for looking.
func Open(ctx context.Context, cfg Config) (*Checker, error) {
	dir, err := filepath.EvalSymlinks(cfg.Lake)
	if err != nil {
		return nil, fmt.Errorf("open lake: %w", err)
	}
	cfg.Lake = dir
	c := &Checker{cfg: cfg, manifests: map[string][]dataFile{}, seen: map[string]*history{},
		contents: map[string]content{}, verified: map[string]bool{}}
	if c.ledger, err = openLedger(ctx, cfg.Ledger); err != nil {
		return nil, err
	}
	if c.duck, err = sql.Open("duckdb", "?memory_limit=1GB&threads=1&autoinstall_known_extensions=false"); err != nil {
		return nil, errors.Join(fmt.Errorf("open DuckDB: %w", err), c.ledger.Close())
	}
	return c, nil
}

// Close lets go of the lake.
func (c *Checker) Close() error { return errors.Join(c.duck.Close(), c.ledger.Close()) }

// Check asks of the lake all that must hold at every moment, pipelines running or not: what is below the watermarks is
// what the journal says. The journal may be ahead of the lake, and the lake of the journal by what was acknowledged and
// not yet written down; CheckSettled is for when nothing moves.
func (c *Checker) Check(ctx context.Context, journal *Journal) ([]Finding, error) {
	return c.look(ctx, journal, c.checkFiles, c.checkSilver)
}

// CheckSettled is Check for a lake that has caught up with the whole journal and has nothing more to do: everything must
// be there.
func (c *Checker) CheckSettled(ctx context.Context, journal *Journal) ([]Finding, error) {
	all := func(_ context.Context, tables map[string]*table, journal *Journal, found *findings) error {
		behind(tables, journal.Ends(), found)
		return nil
	}
	return c.look(ctx, journal, all, c.checkFiles, c.checkSilver)
}

// CheckFiles is Check without the comparison of silver with the journal, which takes time and memory for all that was
// ever sent. It is for every moment in between.
func (c *Checker) CheckFiles(ctx context.Context, journal *Journal) ([]Finding, error) {
	return c.look(ctx, journal, c.checkFiles)
}

// A check looks at one version of the tables.
type check func(context.Context, map[string]*table, *Journal, *findings) error

// errVanished says that a file was removed while it was to be read. A Checker has no lease: it looks again.
var errVanished = errors.New("a file was removed while it was read")

// look makes the checks on the tables as they are now.
func (c *Checker) look(ctx context.Context, journal *Journal, checks ...check) ([]Finding, error) {
	const attempts = 5
	found := &findings{}
	for attempt := 1; ; attempt++ {
		err := c.lookOnce(ctx, journal, found, checks)
		switch {
		case !errors.Is(err, errVanished):
			return found.list(), err
		case attempt == attempts:
			found.add(Atomic, "", "files", "each time it is looked at: %v", err)
			return found.list(), nil
		}
	}
}

func (c *Checker) lookOnce(ctx context.Context, journal *Journal, found *findings, checks []check) error {
	tables, err := c.load(ctx, found)
	if err != nil {
		return err
	}
	for _, check := range checks {
		if err := check(ctx, tables, journal, found); err != nil {
			return err
		}
	}
	return nil
}

func (c *Checker) checkFiles(ctx context.Context, tables map[string]*table, journal *Journal, found *findings) error {
	whole, err := c.checkWhole(ctx, tables, found)
	if err != nil {
		return err
	}
	if err := c.checkHistory(ctx, tables, whole, found); err != nil {
		return err
	}
	return c.checkBronze(ctx, tables, whole, journal, found)
}

// unreadable turns an error of reading rows into errVanished when a file is gone, and into a finding otherwise.
func (c *Checker) unreadable(ctx context.Context, table string, paths []string, err error, found *findings) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case anyGone(paths):
		return fmt.Errorf("%s: %w", table, errVanished)
	default:
		found.add(Atomic, table, "rows", "they cannot be read: %v", err)
		return nil
	}
}
