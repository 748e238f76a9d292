package lake

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/diurna-health/diurna/schemas"
)

// ErrDamaged is returned for a file of the lake that does not hold the bytes it was written with, or is gone.
var ErrDamaged = errors.New("file of the lake is damaged")

// Check reads a data file where it lives and compares it with the hash in its name and with the size the table knows.
// Whoever writes rows anew calls it on the files they come from: one flipped byte decodes, more often than not, into
// other values without an error, and would be given a fresh hash.
func (l *Lake) Check(ctx context.Context, files ...File) error {
	for _, f := range files {
		says, err := l.checkFile(ctx, f)
		if err != nil {
			return err
		}
		if says != "" {
			return &schemas.Error{Code: schemas.CodeConflict, Err: ErrDamaged, Message: fmt.Sprintf(
				"the file %s is %s: nothing was written from it. `diurna lake verify` finds every damaged file; "+
					"restore this one from a backup, or rebuild with `diurna lake repair --from-files`", f.Path, says)}
		}
	}
	return nil
}

// checkFile says what is wrong with the bytes of a data file; "" when nothing is.
func (l *Lake) checkFile(ctx context.Context, f File) (says string, err error) {
	digest, size, err := l.store.Digest(ctx, f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return "missing", nil
	}
	if err != nil {
		return "", fmt.Errorf("read data file: %w", err)
	}
	return damage(digest, size, hashOf(f.Path), f.Bytes), nil
}

// damage compares what was read with what was written. wantHash may be the beginning of a hash.
func damage(got Digest, size int64, wantHash string, wantSize int64) string {
	switch {
	case wantSize >= 0 && size < wantSize:
		return fmt.Sprintf("truncated: it has %d bytes of %d", size, wantSize)
	case wantSize >= 0 && size > wantSize:
		return fmt.Sprintf("too long: it has %d bytes instead of %d", size, wantSize)
	case wantHash == "":
		return "named without its hash"
	case !strings.HasPrefix(got.String(), wantHash):
		return "altered: its bytes are not those its hash was taken of"
	default:
		return ""
	}
}

// hashOf returns the hash in the name of a data file, stem-<hash>.parquet; "" when there is none.
func hashOf(file string) string {
	name, ok := strings.CutSuffix(path.Base(file), ".parquet")
	if !ok {
		return ""
	}
	h := name[strings.LastIndexByte(name, '-')+1:]
	if raw, err := hex.DecodeString(h); err != nil || len(raw) < sha256.Size/2 {
		return ""
	}
	return h
}

// A summingStore is the store that Iceberg writes its metadata to. It notes the checksum of each file in the ledger, for
// Iceberg chooses names that hold none.
type summingStore struct {
	Store
	db *sql.DB

	mu      sync.Mutex
	pending []checksum // of files that nothing refers to yet
}

type checksum struct {
	path   string // below the root
	digest Digest
	bytes  int64
}

// Create implements Store.
func (s *summingStore) Create(ctx context.Context, path string) (io.WriteCloser, error) {
	w, err := s.Store.Create(ctx, path)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	return &summingWriter{Writer: io.MultiWriter(w, sum), file: w, sum: sum, close: func(d Digest, n int64) error {
		return s.note(ctx, checksum{relative(s.Store, path), d, n})
	}}, nil
}

// note keeps a checksum. Files refer only to files written before them, and the catalog to a metadata file: when that
// one is noted, and all before it with it, everything the coming commit makes true has its checksum.
func (s *summingStore) note(ctx context.Context, c checksum) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = append(s.pending, c)
	if !strings.HasSuffix(c.path, ".metadata.json") {
		return nil
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("note checksums: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	for _, c := range s.pending {
		if _, err := tx.ExecContext(ctx, `insert into lake_checksums (path, sha256, bytes) values (?, ?, ?)
			on conflict (path) do update set sha256 = excluded.sha256, bytes = excluded.bytes`,
			c.path, c.digest.String(), c.bytes); err != nil {
			return fmt.Errorf("note checksums: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("note checksums: %w", err)
	}
	s.pending = nil
	return nil
}

type summingWriter struct {
	io.Writer
	file  io.WriteCloser
	sum   hash.Hash
	n     int64
	close func(Digest, int64) error
}

// Write implements io.Writer.
func (w *summingWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.n += int64(n)
	return n, err
}

// Close makes the file durable, then its checksum.
func (w *summingWriter) Close() error {
	if err := w.file.Close(); err != nil {
		return err
	}
	return w.close(Digest(w.sum.Sum(nil)), w.n)
}

// relative returns the path of an object below the root of its store.
func relative(s Store, path string) string { return strings.TrimPrefix(path, s.Root()+"/") }

// checksums returns what is noted of the files below a folder, by absolute path.
func (l *Lake) checksums(ctx context.Context, folder string) (map[string]checksum, error) {
	prefix := relative(l.store, folder) + "/"
	rows, err := l.cfg.Catalog.QueryContext(ctx,
		"select path, sha256, bytes from lake_checksums where path >= ? and path < ?", prefix, prefix[:len(prefix)-1]+"0") // "0" follows "/"
	if err != nil {
		return nil, fmt.Errorf("read checksums: %w", err)
	}
	defer rows.Close()
	sums := map[string]checksum{}
	for rows.Next() {
		var c checksum
		var text string
		if err := rows.Scan(&c.path, &text, &c.bytes); err != nil {
			return nil, fmt.Errorf("read checksums: %w", err)
		}
		if n, err := hex.Decode(c.digest[:], []byte(text)); err != nil || n != len(c.digest) {
			return nil, fmt.Errorf("read checksums: that of %s is no SHA-256", c.path)
		}
		sums[l.store.Root()+"/"+c.path] = c
	}
	return sums, rows.Err()
}

// forgetChecksums forgets what was noted of files that are gone for good.
func (l *Lake) forgetChecksums(ctx context.Context, gone []swept) error {
	tx, err := l.cfg.Catalog.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("forget checksums: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	for _, s := range gone {
		if s.to != "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, "delete from lake_checksums where path = ?", relative(l.store, s.path)); err != nil {
			return fmt.Errorf("forget checksums: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("forget checksums: %w", err)
	}
	return nil
}
