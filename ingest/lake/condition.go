package lake

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// A Condition is what a person wants to know of a table.
type Condition struct {
	*Snapshot
	Rows       int64
	Bytes      int64
	Samples    int64 // values in the lists of the column values; 0 for tables without
	SmallFiles int   // files with less than a quarter of the rows that a file may have
	Snapshots  int   // that are kept
	Oldest     time.Time
}

// Condition returns the condition of a table. It reads metadata only.
func (l *Lake) Condition(ctx context.Context, name string) (*Condition, error) {
	t, err := l.loadTable(ctx, name)
	if err != nil {
		return nil, err
	}
	s, err := l.snapshot(ctx, name, t)
	if err != nil {
		return nil, err
	}
	c := &Condition{Snapshot: s, Snapshots: len(t.Metadata().Snapshots())}
	for _, f := range s.Files {
		c.Rows += f.Rows
		c.Bytes += f.Bytes
		if isSmall(f) {
			c.SmallFiles++
		}
	}
	if c.Snapshots > 0 {
		c.Oldest = committedAt(t.Metadata().Snapshots()[0]).UTC()
	}
	values, ok := t.Schema().FindFieldByName("values")
	if list, isList := values.Type.(*iceberg.ListType); !ok || !isList || t.CurrentSnapshot() == nil {
		return c, nil
	} else if c.Samples, err = valuesOf(ctx, t, list.ElementID); err != nil {
		return nil, fmt.Errorf("count samples of %s: %w", name, err)
	}
	return c, nil
}

// valuesOf counts the values of a column that are not null, from the manifests.
func valuesOf(ctx context.Context, t *table.Table, column int) (n int64, err error) {
	io, err := t.FS(ctx)
	if err != nil {
		return 0, err
	}
	manifests, err := t.CurrentSnapshot().Manifests(io)
	if err != nil {
		return 0, err
	}
	for _, m := range manifests {
		for e, err := range m.Entries(io, true) {
			if err != nil {
				return 0, err
			}
			df := e.DataFile()
			n += df.ValueCounts()[column] - df.NullValueCounts()[column]
		}
	}
	return n, nil
}
