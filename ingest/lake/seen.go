package lake

import (
	"sync"

	"github.com/apache/iceberg-go/table"
)

// seenTables keeps what was last read of each table, since reading it again costs more than most commits. Files of
// metadata never change: while the catalog names the same one it need not be read, and of a new snapshot's manifests only
// those that the last one did not have.
type seenTables struct {
	mu     sync.Mutex
	tables map[string]*table.Table
	files  map[string]fileList
}

type fileList struct {
	snapshot  int64
	files     []File
	manifests map[string][]File // by path
}

// at returns the table if its metadata file is the one last seen.
func (s *seenTables) at(name, metadataLocation string) (*table.Table, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tables[name]
	return t, ok && t.MetadataLocation() == metadataLocation
}

func (s *seenTables) keep(name string, t *table.Table) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tables == nil {
		s.tables = map[string]*table.Table{}
	}
	s.tables[name] = t
}

// filesOf returns the files of the snapshot last seen, and whether it is this one.
func (s *seenTables) filesOf(name string, snapshot int64) (fileList, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.files[name]
	return l, ok && l.snapshot == snapshot
}

func (s *seenTables) keepFiles(name string, l fileList) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files == nil {
		s.files = map[string]fileList{}
	}
	s.files[name] = l
}
