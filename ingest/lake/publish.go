package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/diurna-health/diurna/schemas"
)

// TempPath returns the path of an empty local file for another program to write, so that Publish can put it among the
// table's data. No reader takes it for data.
func (l *Lake) TempPath(ctx context.Context, table string) (string, error) {
	t, err := l.createTemp(ctx, table)
	if err != nil {
		return "", err
	}
	return t.Path(), t.Close()
}

func (l *Lake) createTemp(ctx context.Context, table string) (Temp, error) {
	t, err := l.store.CreateTemp(ctx, l.path(table, "data"))
	if err != nil {
		return nil, fmt.Errorf("make temporary file of %s: %w", table, err)
	}
	return t, nil
}

// Publish makes the finished file tmp an immutable file of the table and returns its path: durable, named
// stem-<first half of its SHA-256>.parquet, in the folder of its partition. It stays invisible until a Commit adds it.
// Publishing the same bytes under the same stem again is harmless.
func (l *Lake) Publish(ctx context.Context, table, tmp, stem string, partition map[string]int64) (string, error) {
	object, err := l.store.Publish(ctx, tmp, func(d Digest) string {
		return l.path(table, "data", partitionDir(partition), stem+"-"+d.Short()+".parquet")
	})
	if err != nil {
		err = fmt.Errorf("publish file of %s: %w", table, err)
		// Whoever tries again writes it again; what is left of the attempts could fill a disk that is full already.
		if removeErr := l.store.Remove(ctx, tmp); removeErr != nil && !errors.Is(removeErr, fs.ErrNotExist) {
			err = errors.Join(err, removeErr)
		}
		return "", err
	}
	return object.Path, nil
}

// Local returns paths of the local file system by which DuckDB can read the files, in their order, until release.
func (l *Lake) Local(ctx context.Context, files []File) (paths []string, release func(), err error) {
	paths = make([]string, len(files))
	for i, f := range files {
		paths[i] = f.Path
	}
	if paths, release, err = l.store.Local(ctx, paths); err != nil {
		return nil, nil, fmt.Errorf("fetch files of the lake: %w", err)
	}
	return paths, release, nil
}

// partitionDir returns "local_month=201604/user_bucket=0" style folders, columns in order of name, dates as people write
// them.
func partitionDir(partition map[string]int64) string {
	columns := make([]string, 0, len(partition))
	for c := range partition {
		columns = append(columns, c)
	}
	slices.Sort(columns)
	parts := make([]string, len(columns))
	for i, c := range columns {
		value := strconv.FormatInt(partition[c], 10)
		if strings.HasSuffix(c, "_date") {
			value = schemas.Date(partition[c]).String()
		}
		parts[i] = c + "=" + value
	}
	return filepath.Join(parts...)
}

// path returns the path of something of a table: bronze.sync_records lies in bronze/sync_records.
func (l *Lake) path(table string, within ...string) string {
	return l.store.Root() + "/" + filepath.Join(append(strings.Split(table, "."), within...)...)
}
