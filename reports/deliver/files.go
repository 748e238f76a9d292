package deliver

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/diurna-health/diurna/internal/ledger"
)

// FilesName is the name of the channel Files.
const FilesName = "file"

// secretName is the ledger's secret that file names are made with.
const secretName = "outbox file names"

// Reports are health data: their files are open to their owner only.
const (
	dirMode  fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600
)

// idempotencyKey is a hash of the delivery's key: it can be shown to a receiver without telling who the person is.
func idempotencyKey(q queuedRow) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %s %d %s", q.UserID, q.period(), q.Number, q.channel))
	return hex.EncodeToString(sum[:])
}

// Files is the channel that writes reports into a folder, for whatever picks them up from there:
//
//	<kind>/<period>/<name>.html, .txt and .json
//
// A file is whole or not there, and survives a power cut once Deliver has returned.
type Files struct {
	dir    string
	secret []byte
}

var _ Channel = (*Files)(nil)

// NewFiles returns the channel that writes into dir. The secret that names are made with is kept in the ledger.
func NewFiles(ctx context.Context, db *sql.DB, dir string) (*Files, error) {
	secret, err := ledger.Secret(ctx, db, secretName)
	if err != nil {
		return nil, fmt.Errorf("name files: %w", err)
	}
	return &Files{dir: dir, secret: secret}, nil
}

// Name returns the channel's name.
func (f *Files) Name() string { return FilesName }

// Path returns where a report lies, without its ending.
func (f *Files) Path(k Key) string {
	return filepath.Join(f.dir, k.kind(), k.period(), f.name(k.UserID))
}

func (f *Files) name(userID string) string {
	mac := hmac.New(sha256.New, f.secret)
	mac.Write([]byte(userID))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// Deliver writes the report's files, in the place of an older revision's.
func (f *Files) Deliver(_ context.Context, d Delivery) error {
	path := f.Path(d.Key)
	if err := makeDirs(filepath.Dir(path)); err != nil {
		return fmt.Errorf("make folder of reports: %w", err)
	}
	for _, file := range []struct {
		ending string
		data   []byte
	}{{".json", d.JSON}, {".txt", d.Text}, {".html", d.HTML}} {
		if err := writeWhole(path+file.ending, file.data); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// Withdraw removes all files of a person.
func (f *Files) Withdraw(_ context.Context, userID string) error {
	paths, err := fs.Glob(os.DirFS(f.dir), "*/*/"+f.name(userID)+".*")
	if err != nil {
		return fmt.Errorf("find reports: %w", err)
	}
	for _, path := range paths {
		path = filepath.Join(f.dir, filepath.FromSlash(path))
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove report: %w", err)
		}
		if err := syncDir(filepath.Dir(path)); err != nil {
			return fmt.Errorf("remove report: %w", err)
		}
	}
	return nil
}

// writeWhole replaces a file so that whoever looks at it, and whoever comes after a power cut, sees the old content or
// the new, never a part. A file that is already as it should be stays.
func writeWhole(path string, data []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil
	}
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".writing") // one writer, so one name: it leaves no litter
	w, err := os.OpenFile(temp, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	if err == nil {
		err = w.Sync()
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return os.Rename(temp, path)
}

// makeDirs makes the folder and makes sure that its name, and its parents', survive a power cut.
func makeDirs(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeDirs(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
