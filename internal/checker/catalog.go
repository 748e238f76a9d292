package checker

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver of the ledger
)

// A version is one metadata file of a table: what the table was from one commit to the next.
type version struct {
	table      string
	path       string
	properties map[string]string
	current    int64 // the current snapshot; 0 = none
	snapshots  []snapshot
	earlier    []string // the metadata files of the versions before, oldest first
}

type snapshot struct {
	id      int64
	list    string // its manifest list
	summary map[string]string
}

// A dataFile is a file of rows as the metadata describes it.
type dataFile struct {
	path  string
	rows  int64
	bytes int64
}

// catalog returns the current metadata file of every table.
func (c *Checker) catalog(ctx context.Context) (map[string]string, error) {
	rows, err := c.ledger.QueryContext(ctx, "select table_namespace, table_name, metadata_location from iceberg_tables")
	if err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	defer rows.Close()
	locations := map[string]string{}
	for rows.Next() {
		var namespace, table, location string
		if err := rows.Scan(&namespace, &table, &location); err != nil {
			return nil, fmt.Errorf("read catalog: %w", err)
		}
		locations[namespace+"."+table] = pathOf(location)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	return locations, nil
}

func openLedger(ctx context.Context, path string) (*sql.DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(),
		RawQuery: url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(10000)"}}.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open ledger: %w", err), db.Close())
	}
	return db, nil
}

// pathOf turns a location into a path.
func pathOf(location string) string {
	if u, err := url.Parse(location); err == nil && u.Scheme == "file" {
		return u.Path
	}
	return location
}

// readVersion reads a metadata file. The error is fs.ErrNotExist when it is not there.
func readVersion(table, path string) (*version, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var m struct {
		Properties map[string]string `json:"properties"`
		Current    *int64            `json:"current-snapshot-id"`
		Snapshots  []struct {
			ID      int64             `json:"snapshot-id"`
			List    string            `json:"manifest-list"`
			Summary map[string]string `json:"summary"`
		} `json:"snapshots"`
		Log []struct {
			File string `json:"metadata-file"`
		} `json:"metadata-log"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("read metadata: %w", err)
	}
	v := &version{table: table, path: path, properties: m.Properties}
	if m.Current != nil && *m.Current > 0 {
		v.current = *m.Current
	}
	for _, s := range m.Snapshots {
		v.snapshots = append(v.snapshots, snapshot{s.ID, pathOf(s.List), s.Summary})
	}
	for _, l := range m.Log {
		v.earlier = append(v.earlier, pathOf(l.File))
	}
	return v, nil
}

// A listing is everything a snapshot refers to.
type listing struct {
	data     []dataFile
	metadata []string // its manifest list and manifests
}

var errDeletes = errors.New("it has files of deletions: a list of files is then not the whole truth")

// list reads the manifests of a snapshot.
func (c *Checker) list(s snapshot) (*listing, error) {
	l := &listing{metadata: []string{s.list}}
	manifests, err := c.manifestList(s.list)
	if err != nil {
		return nil, err
	}
	for _, path := range manifests {
		l.metadata = append(l.metadata, path)
		files, err := c.manifest(path)
		if err != nil {
			return nil, err
		}
		l.data = append(l.data, files...)
	}
	return l, nil
}

func (c *Checker) manifestList(path string) ([]string, error) {
	records, err := readAvroFile(path)
	if err != nil {
		return nil, err
	}
	manifests := make([]string, 0, len(records))
	for _, r := range records {
		if content, _ := r["content"].(int64); content != 0 {
			return nil, errDeletes
		}
		location, _ := r["manifest_path"].(string)
		manifests = append(manifests, pathOf(location))
	}
	return manifests, nil
}

// manifest returns the live files of a manifest. Manifests are immutable and shared by many snapshots, so what was read
// is kept.
func (c *Checker) manifest(path string) ([]dataFile, error) {
	if files, ok := c.manifests[path]; ok {
		return files, nil
	}
	records, err := readAvroFile(path)
	if err != nil {
		return nil, err
	}
	const deleted = 2
	var files []dataFile
	for _, r := range records {
		if status, _ := r["status"].(int64); status == deleted {
			continue
		}
		f, _ := r["data_file"].(map[string]any)
		if content, _ := f["content"].(int64); content != 0 {
			return nil, errDeletes
		}
		location, _ := f["file_path"].(string)
		rows, _ := f["record_count"].(int64)
		size, _ := f["file_size_in_bytes"].(int64)
		files = append(files, dataFile{pathOf(location), rows, size})
	}
	c.manifests[path] = files
	return files, nil
}

func readAvroFile(path string) ([]map[string]any, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	records, err := readAvro(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return records, nil
}

// A table is one version of a table with the files of its snapshots.
type table struct {
	*version
	listings map[int64]*listing // by snapshot
}

func (t *table) files() []dataFile {
	if l := t.listings[t.current]; l != nil {
		return l.data
	}
	return nil
}

func (t *table) paths() []string {
	files := t.files()
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.path
	}
	return paths
}

// load reads the tables as they are now. What cannot be read of them is a finding. A file that is gone may have been
// removed because its table went on while it was read: then the table is read again.
func (c *Checker) load(ctx context.Context, found *findings) (map[string]*table, error) {
	const attempts = 5
	tables := map[string]*table{}
	locations, err := c.catalog(ctx)
	if err != nil {
		return nil, err
	}
	for attempt := 1; len(locations) > 0; attempt++ {
		gone := map[string]error{}
		for name, path := range locations {
			t, err := c.loadTable(name, path)
			switch {
			case errors.Is(err, fs.ErrNotExist) && attempt < attempts:
				gone[name] = err
			case err != nil:
				found.add(Atomic, name, filepath.Base(path), "its metadata cannot be read: %v", err)
			default:
				tables[name] = t
			}
		}
		if len(gone) == 0 {
			break
		}
		now, err := c.catalog(ctx)
		if err != nil {
			return nil, err
		}
		again := map[string]string{}
		for name, err := range gone {
			if now[name] == locations[name] {
				found.add(Atomic, name, filepath.Base(locations[name]), "its metadata is not there: %v", err)
			} else if now[name] != "" {
				again[name] = now[name]
			}
		}
		locations = again
	}
	return tables, nil
}

func (c *Checker) loadTable(name, path string) (*table, error) {
	v, err := readVersion(name, path)
	if err != nil {
		return nil, err
	}
	t := &table{version: v, listings: map[int64]*listing{}}
	for _, s := range v.snapshots {
		l, err := c.list(s)
		if err != nil {
			return nil, fmt.Errorf("snapshot %d: %w", s.id, err)
		}
		t.listings[s.id] = l
	}
	return t, nil
}
