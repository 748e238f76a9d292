package transform_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/diurna-health/diurna/ingest/lake"
)

// A memoryStore keeps its tables in memory and its files in a folder. The lake syncs every commit to the disk, which
// properties over hundreds of commits would mostly wait for.
type memoryStore struct {
	dir    string
	mu     sync.Mutex
	tables map[string]*lake.Snapshot
	last   int64
}

func newMemoryStore(t *testing.T) *memoryStore {
	t.Helper()
	s := &memoryStore{dir: t.TempDir(), tables: map[string]*lake.Snapshot{}}
	for _, spec := range lake.IngestTables() {
		if err := s.Create(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *memoryStore) Create(_ context.Context, spec lake.TableSpec) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tables[spec.Name] == nil {
		s.tables[spec.Name] = &lake.Snapshot{Table: spec.Name, Columns: spec.Columns, Properties: map[string]string{}}
	}
	return nil
}

func (s *memoryStore) Load(_ context.Context, table string) (*lake.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tables[table] == nil {
		return nil, fmt.Errorf("%w: %s", lake.ErrNoTable, table)
	}
	return s.tables[table], nil
}

func (s *memoryStore) Commit(_ context.Context, c lake.Commit) (*lake.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.tables[c.Base.Table]
	if old != c.Base {
		return nil, lake.ErrConflict
	}
	s.last++
	now := &lake.Snapshot{Table: old.Table, ID: s.last, Columns: old.Columns, Properties: maps.Clone(old.Properties)}
	maps.Copy(now.Properties, c.Properties)
	now.Properties["diurna.commit"] = c.ID
	for _, f := range old.Files {
		if !slices.Contains(c.Remove, f.Path) {
			now.Files = append(now.Files, f)
		}
	}
	if len(now.Files)+len(c.Remove) != len(old.Files) {
		return nil, fmt.Errorf("commit removes files that %s does not have", old.Table)
	}
	for _, path := range c.Add {
		f, err := fileWithBounds(path)
		if err != nil {
			return nil, err
		}
		now.Files = append(now.Files, f)
	}
	s.tables[old.Table] = now
	return now, nil
}

func (s *memoryStore) Drop(_ context.Context, table string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tables, table)
	return nil
}

func (s *memoryStore) Local(_ context.Context, files []lake.File) (paths []string, release func(), err error) {
	for _, f := range files {
		paths = append(paths, f.Path)
	}
	return paths, func() {}, nil
}

func (s *memoryStore) Pin(context.Context, string) (*lake.Lease, error) { return &lake.Lease{}, nil }

func (s *memoryStore) Check(context.Context, ...lake.File) error { return nil }

func (s *memoryStore) TempPath(context.Context, string) (string, error) {
	f, err := os.CreateTemp(s.dir, "*.tmp")
	if err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

func (s *memoryStore) Publish(_ context.Context, table, tmp, stem string, _ map[string]int64) (string, error) {
	data, err := os.ReadFile(tmp)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	path := filepath.Join(s.dir, table+"-"+stem+"-"+hex.EncodeToString(sum[:8])+".parquet")
	return path, os.Rename(tmp, path)
}

// fileWithBounds reads a file's bounds from its footer.
func fileWithBounds(path string) (lake.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return lake.File{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return lake.File{}, err
	}
	footer, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		return lake.File{}, err
	}
	out := lake.File{Path: path, Rows: footer.NumRows(), Bytes: info.Size(), Lower: map[string]lake.Bound{}, Upper: map[string]lake.Bound{}}
	for _, group := range footer.Metadata().RowGroups {
		for _, column := range group.Columns {
			statistics := column.MetaData.Statistics
			if len(column.MetaData.PathInSchema) != 1 || len(statistics.MinValue) == 0 {
				continue
			}
			name := column.MetaData.PathInSchema[0]
			low, high := bound(statistics.MinValue, column.MetaData.Type.String()), bound(statistics.MaxValue, column.MetaData.Type.String())
			if old, ok := out.Lower[name]; !ok || low.Int < old.Int || low.Text < old.Text {
				out.Lower[name] = low
			}
			if old, ok := out.Upper[name]; !ok || high.Int > old.Int || high.Text > old.Text {
				out.Upper[name] = high
			}
		}
	}
	return out, nil
}

func bound(value []byte, kind string) lake.Bound {
	switch kind {
	case "INT32":
		return lake.Bound{Int: int64(int32(binary.LittleEndian.Uint32(value)))}
	case "INT64":
		return lake.Bound{Int: int64(binary.LittleEndian.Uint64(value))}
	default:
		return lake.Bound{Text: string(value)}
	}
}
