package s3_test

import (
	"bytes"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/schemas"
)

// A bucket is what somebody does to the objects behind the lake's back.
type bucket struct {
	t      *testing.T
	client *minio.Client
	name   string
}

func (s server) behindItsBack(t *testing.T) bucket {
	t.Helper()
	client, err := minio.New(strings.TrimPrefix(s.url, "http://"), &minio.Options{Creds: credentials.NewStaticV4(s.key, s.secret, "")})
	if err != nil {
		t.Fatal(err)
	}
	return bucket{t, client, s.bucket}
}

func (b bucket) key(path string) string { return strings.TrimPrefix(path, "s3://"+b.name+"/") }

func (b bucket) read(path string) []byte {
	b.t.Helper()
	object, err := b.client.GetObject(b.t.Context(), b.name, b.key(path), minio.GetObjectOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	defer object.Close()
	content, err := io.ReadAll(object)
	if err != nil {
		b.t.Fatal(err)
	}
	return content
}

func (b bucket) write(path string, content []byte) {
	b.t.Helper()
	if _, err := b.client.PutObject(b.t.Context(), b.name, b.key(path), bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

func (b bucket) remove(path string) {
	b.t.Helper()
	if err := b.client.RemoveObject(b.t.Context(), b.name, b.key(path), minio.RemoveObjectOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

func problems(t *testing.T, l *lake.Lake) []lake.Problem {
	t.Helper()
	tables, err := l.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	report, err := l.Verify(t.Context(), tables, nil)
	if err != nil {
		t.Fatal(err)
	}
	return report.Problems
}

func TestEveryDamagedObjectOfABucketIsFound(t *testing.T) {
	t.Parallel()
	srv, path := startServer(t), filepath.Join(t.TempDir(), "ledger.db")
	l := openLake(t, path, srv.open(t, nil))
	for offset := range int64(3) {
		receive(t, l, offset, 60)
	}
	merge(t, l)
	if found := problems(t, l); len(found) != 0 {
		t.Fatalf("a lake that is right has problems: %v", found)
	}
	files := load(t, l, schemas.TableSyncRecords).Files
	behind := srv.behindItsBack(t)
	for name, damage := range map[string]func(string, []byte){
		"a byte is another one": func(path string, content []byte) {
			content = slices.Clone(content)
			content[len(content)/2] ^= 4
			behind.write(path, content)
		},
		"the end is missing": func(path string, content []byte) { behind.write(path, content[:len(content)-1]) },
		"it is gone":         func(path string, _ []byte) { behind.remove(path) },
	} {
		for _, file := range []string{files[1].Path, load(t, l, schemas.TableSeriesHours).Files[0].Path} {
			content := behind.read(file)
			damage(file, content)
			// The lake that has copies at hand looks at the bucket all the same.
			if found := problems(t, l); len(found) != 1 || found[0].Path != file {
				t.Errorf("%s: the problems of %s are %v", name, filepath.Base(file), found)
			}
			behind.write(file, content)
			if found := problems(t, l); len(found) != 0 {
				t.Errorf("%s, and put right: %v", name, found)
			}
		}
	}
}

func TestWhatIsMissingInABucketIsBroughtBackFromItsTrash(t *testing.T) {
	t.Parallel()
	srv, path := startServer(t), filepath.Join(t.TempDir(), "ledger.db")
	store := srv.open(t, nil)
	l := openLake(t, path, store)
	receive(t, l, 0, 60)
	merge(t, l)
	row := rowsOf[schemas.SeriesHour](t, l, schemas.TableSeriesHours)[0]
	row.DeviceID = "another"
	file, err := lake.WriteRows(t.Context(), l, schemas.TableSeriesHours, "late", map[string]int64{"local_month": 201604, "user_bucket": 0}, nil, []schemas.SeriesHour{row})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond) // S3 counts in seconds
	if n, err := l.Sweep(t.Context(), schemas.TableSeriesHours, 0); n == 0 || err != nil {
		t.Fatalf("the sweep took %d files, error %v, want what nobody refers to", n, err)
	}
	if trash, err := l.Trash(t.Context()); err != nil || trash.Files != 1 {
		t.Fatalf("the trash has %+v, %v", trash, err)
	}
	// What a process does whose commit took so long that a sweep came first.
	if _, err := l.Commit(t.Context(), lake.Commit{Base: load(t, l, schemas.TableSeriesHours), ID: "late", Add: []string{file}}); err != nil {
		t.Fatal(err)
	}
	if found := problems(t, l); len(found) != 0 {
		t.Errorf("problems: %v", found)
	}
	if n, err := l.EmptyTrash(t.Context(), 0, 0); n != 0 || err != nil {
		t.Errorf("%d files were left in the trash, %v", n, err)
	}
	other := openLake(t, path, srv.open(t, nil))
	if got := rowsOf[schemas.SeriesHour](t, other, schemas.TableSeriesHours); len(got) != 2 {
		t.Errorf("%d rows, want 2", len(got))
	}
}

func TestALakeInABucketIsMadeAnewFromItsFiles(t *testing.T) {
	t.Parallel()
	srv, dir := startServer(t), t.TempDir()
	l := openLake(t, filepath.Join(dir, "ledger.db"), srv.open(t, nil))
	for offset := range int64(6) {
		receive(t, l, offset, 60+int32(offset))
		if offset == 2 {
			if _, err := l.Compact(t.Context(), schemas.TableSyncRecords, lake.Compaction{Full: true}); err != nil {
				t.Fatal(err)
			}
		}
	}
	merge(t, l)
	received, silver := rowsOf[schemas.SyncRecord](t, l, schemas.TableSyncRecords), rowsOf[schemas.SeriesHour](t, l, schemas.TableSeriesHours)

	// The ledger is lost.
	db, err := ledger.Open(t.Context(), filepath.Join(dir, "another.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	cfg := lake.Config{Store: srv.open(t, nil), Catalog: db, UserBuckets: 1, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
	var seen int64
	report, err := lake.RepairFromFiles(t.Context(), cfg, lake.Repair{Progress: func(done, _ int64) { seen = done }})
	if err != nil {
		t.Fatal(err)
	}
	if report.Rows != 6 || report.Watermarks[0] != 6 || len(report.Holes) != 0 || seen == 0 {
		t.Errorf("the repair found %+v and looked at %d bytes", report, seen)
	}
	repaired := openLake(t, filepath.Join(dir, "another.db"), srv.open(t, nil))
	merge(t, repaired)
	byOffset := cmpopts.SortSlices(func(a, b schemas.SyncRecord) bool { return a.Offset < b.Offset })
	if diff := cmp.Diff(received, rowsOf[schemas.SyncRecord](t, repaired, schemas.TableSyncRecords), byOffset); diff != "" {
		t.Errorf("received rows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(silver, rowsOf[schemas.SeriesHour](t, repaired, schemas.TableSeriesHours)); diff != "" {
		t.Errorf("silver (-want +got):\n%s", diff)
	}
	if found := problems(t, repaired); len(found) != 0 {
		t.Errorf("problems after the repair: %v", found)
	}
	receive(t, repaired, 6, 66) // life goes on
}
