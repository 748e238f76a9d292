package lake

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/diurna-health/diurna/schemas"
)

// TempPath returns the path of a file to be written beside the table's data, so that Publish can rename it into place.
// The name ends in .tmp: no reader takes it for data.
func (l *Lake) TempPath(table string) (string, error) {
	dir := filepath.Join(l.tableDir(table), "data")
	if err := mkdirDurable(dir); err != nil {
		return "", fmt.Errorf("make data folder of %s: %w", table, err)
	}
	f, err := os.CreateTemp(dir, fmt.Sprintf("%d-*.tmp", os.Getpid()))
	if err != nil {
		return "", fmt.Errorf("make temporary file of %s: %w", table, err)
	}
	return f.Name(), f.Close()
}

// Publish makes the finished file tmp an immutable file of the table and returns its path: synced, named
// stem-<first half of its SHA-256>.parquet, in the folder of its partition. It stays invisible until a Commit adds it.
// Publishing the same bytes under the same stem again is harmless.
func (l *Lake) Publish(table, tmp, stem string, partition map[string]int64) (string, error) {
	dir := filepath.Join(l.tableDir(table), "data", partitionDir(partition))
	if err := mkdirDurable(dir); err != nil {
		return "", fmt.Errorf("make partition folder of %s: %w", table, err)
	}
	sum, err := syncAndHash(tmp)
	if err != nil {
		return "", fmt.Errorf("sync file of %s: %w", table, err)
	}
	path := filepath.Join(dir, stem+"-"+sum+".parquet")
	if err := os.Rename(tmp, path); err != nil {
		return "", fmt.Errorf("rename file of %s into place: %w", table, err)
	}
	if err := syncDir(dir); err != nil {
		return "", fmt.Errorf("sync folder of %s: %w", table, err)
	}
	return path, nil
}

func syncAndHash(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	if err := f.Sync(); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
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

// tableDir returns the folder of a table: bronze.sync_records lies in bronze/sync_records.
func (l *Lake) tableDir(table string) string {
	return filepath.Join(append([]string{l.cfg.Dir}, strings.Split(table, ".")...)...)
}
