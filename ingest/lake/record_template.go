package lake

import (
	"bytes"
	"fmt"
	"slices"
	"sync"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/diurna-health/diurna/schemas"
)

// A template is what all files of bronze have in common.
type template struct {
	footer format.FileMetaData // schema and version
	leaves []recordLeaf
}

// A recordLeaf is what all chunks of a column have in common.
type recordLeaf struct {
	typ        parquet.Type
	meta       format.ColumnMetaData // type, path, encodings and codec
	encoding   format.Encoding       // of its pages
	optional   bool                  // a value may be absent
	repeated   bool
	dictionary bool
}

// recordTemplate reads the template off a file that parquet-go wrote, so that the rows of a table have one schema, whoever
// writes them. It must not be changed.
var recordTemplate = sync.OnceValue(func() *template {
	t, err := readTemplate()
	if err != nil {
		panic(fmt.Sprint("the rows of bronze do not make a file: ", err)) // of no rows but these: it cannot depend on data
	}
	return t
})

func readTemplate() (*template, error) {
	var b bytes.Buffer
	w := parquet.NewGenericWriter[schemas.SyncRecord](&b, fileOptions(nil)...)
	if _, err := w.Write(make([]schemas.SyncRecord, 1)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	f, err := parquet.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		return nil, err
	}
	footer := *f.Metadata()
	t := &template{}
	for _, c := range footer.RowGroups[0].Columns {
		m := c.MetaData
		column, ok := f.Schema().Lookup(m.PathInSchema...)
		if !ok || column.MaxDefinitionLevel > 1 || column.MaxRepetitionLevel > 1 {
			return nil, fmt.Errorf("column %v is of a kind that is not written", m.PathInSchema)
		}
		t.leaves = append(t.leaves, recordLeaf{
			typ: column.Node.Type(),
			meta: format.ColumnMetaData{
				Type: m.Type, Encoding: slices.Clone(m.Encoding), PathInSchema: slices.Clone(m.PathInSchema), Codec: m.Codec,
			},
			encoding: m.EncodingStats[len(m.EncodingStats)-1].Encoding,
			optional: column.MaxDefinitionLevel > 0, repeated: column.MaxRepetitionLevel > 0,
			dictionary: m.DictionaryPageOffset > 0,
		})
	}
	footer.RowGroups, footer.KeyValueMetadata, footer.NumRows = nil, nil, 0
	t.footer = footer
	return t, nil
}
