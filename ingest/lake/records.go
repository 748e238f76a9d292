package lake

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/diurna-health/diurna/schemas"
)

// Records are rows of bronze that become one file. They are held as the file will hold them: by columns, and each page
// encoded as soon as it is full. What waits for its commit takes a few bytes a sample, then less than one, and nothing of
// the rows that were added is kept.
//
// The file depends on the rows and their order alone, not on how they were added nor on what was written before.
type Records struct {
	groups  []recordGroup // that are full
	columns *recordColumns
	rows    int // of the columns
	err     error
}

// NewRecords returns no rows.
func NewRecords() *Records { return &Records{} }

// Add appends rows. They are copied.
func (r *Records) Add(rows []schemas.SyncRecord) {
	if r.columns == nil {
		r.columns = newRecordColumns()
	}
	for len(rows) > 0 {
		n := min(rowGroupRows-r.rows, len(rows))
		r.columns.add(rows[:n])
		rows = rows[n:]
		if r.rows += n; r.rows == rowGroupRows {
			r.groups = append(r.groups, r.group())
			r.columns.reset()
			r.rows = 0
		}
	}
}

// Bytes returns how much memory the rows take.
func (r *Records) Bytes() int64 {
	if r.columns == nil {
		return 0
	}
	bytes := r.columns.bytes()
	for i := range r.groups {
		bytes += len(r.groups[i].pages) + groupOverheadBytes
	}
	return int64(bytes)
}

// group returns the rows of the columns as a group of a file, and leaves them as they are. An error is kept.
func (r *Records) group() recordGroup {
	g, err := r.columns.group(r.rows)
	if err != nil && r.err == nil {
		r.err = err
	}
	return g
}

// WriteRecords writes the rows as one immutable file of bronze and returns its path; a Commit makes it visible. It may be
// called again, and rows may be added in between.
func WriteRecords(ctx context.Context, l *Lake, stem string, partition map[string]int64, metadata map[string]string, r *Records) (string, error) {
	groups := r.groups
	if r.rows > 0 {
		groups = append(slices.Clip(groups), r.group())
	}
	return l.writeFile(ctx, schemas.TableSyncRecords, stem, partition, func(f Temp) error {
		if r.err != nil {
			return r.err
		}
		return writeGroups(f, groups, metadata)
	})
}

// A recordGroup is a group of rows that is encoded. Positions count from its beginning.
type recordGroup struct {
	pages         []byte
	columns       []format.ColumnChunk
	columnIndexes []format.ColumnIndex
	offsetIndexes []format.OffsetIndex
	rows          int64
}

// groupOverheadBytes is about what a group takes beside its pages.
const groupOverheadBytes = 48 << 10

const magic = "PAR1"

// writeGroups writes a file as parquet-go lays it out: groups, indexes of pages, footer.
func writeGroups(f Temp, groups []recordGroup, metadata map[string]string) error {
	if _, err := f.Write([]byte(magic)); err != nil {
		return err
	}
	at, rows := int64(len(magic)), int64(0)
	footer := recordTemplate().footer
	for i := range groups {
		g := &groups[i]
		if _, err := f.Write(g.pages); err != nil {
			return err
		}
		footer.RowGroups = append(footer.RowGroups, g.at(at, i))
		at, rows = at+int64(len(g.pages)), rows+g.rows
	}
	end := tail{at: at}
	end.writeIndexes(groups, footer.RowGroups)
	footer.NumRows = rows
	for _, key := range sortedKeys(metadata) {
		footer.KeyValueMetadata = append(footer.KeyValueMetadata, format.KeyValue{Key: key, Value: metadata[key]})
	}
	size := end.write(&footer)
	end.Write(binary.LittleEndian.AppendUint32(nil, uint32(size)))
	end.WriteString(magic)
	if end.err != nil {
		return end.err
	}
	_, err := f.Write(end.Bytes())
	return err
}

// at returns what the footer says of the group when it lies there, as the n-th.
func (g *recordGroup) at(at int64, n int) format.RowGroup {
	row := format.RowGroup{Columns: slices.Clone(g.columns), NumRows: g.rows, FileOffset: at, Ordinal: int16(n)}
	for i := range row.Columns {
		meta := &row.Columns[i].MetaData
		meta.DataPageOffset += at
		if len(meta.EncodingStats) > 1 { // with a dictionary
			meta.DictionaryPageOffset += at
		}
		row.TotalByteSize += meta.TotalUncompressedSize
		row.TotalCompressedSize += meta.TotalCompressedSize
	}
	return row
}

// A tail is what stands behind the groups of a file.
type tail struct {
	bytes.Buffer

	at  int64 // where it begins
	err error
}

// write appends a structure and returns its size.
func (t *tail) write(v any) int {
	before := t.Len()
	if err := thrift.NewEncoder(new(thrift.CompactProtocol).NewWriter(t)).Encode(v); err != nil && t.err == nil {
		t.err = fmt.Errorf("encode footer: %w", err)
	}
	return t.Len() - before
}

// writeIndexes appends the indexes of all pages and notes in the groups where they lie.
func (t *tail) writeIndexes(groups []recordGroup, in []format.RowGroup) {
	for i := range groups {
		for j := range groups[i].columnIndexes {
			c := &in[i].Columns[j]
			c.ColumnIndexOffset = t.at + int64(t.Len())
			c.ColumnIndexLength = int32(t.write(&groups[i].columnIndexes[j]))
		}
	}
	for i := range groups {
		for j := range groups[i].offsetIndexes {
			index := format.OffsetIndex{PageLocations: slices.Clone(groups[i].offsetIndexes[j].PageLocations)}
			for k := range index.PageLocations {
				index.PageLocations[k].Offset += in[i].FileOffset
			}
			c := &in[i].Columns[j]
			c.OffsetIndexOffset = t.at + int64(t.Len())
			c.OffsetIndexLength = int32(t.write(&index))
		}
	}
}
