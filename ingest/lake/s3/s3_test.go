package s3_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/ingest/lake/laketest"
	"github.com/diurna-health/diurna/ingest/lake/s3"
	"github.com/diurna-health/diurna/schemas"
)

// A server is an S3 server with an empty bucket.
type server struct {
	url, key, secret string
	bucket           string
}

func startServer(t *testing.T) server {
	t.Helper()
	s := server{key: "key", secret: "secret", bucket: "health-" + strings.ToLower(rand.Text())[:12]}
	if gatewayURL != "" {
		s.url, s.key, s.secret = gatewayURL, gatewayKey, gatewaySecret
	} else {
		inProcess := httptest.NewServer(gofakes3.New(s3mem.New()).Server())
		t.Cleanup(inProcess.Close)
		s.url = inProcess.URL
	}
	client, err := minio.New(strings.TrimPrefix(s.url, "http://"), &minio.Options{Creds: credentials.NewStaticV4(s.key, s.secret, "")})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.MakeBucket(t.Context(), s.bucket, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s server) root() string { return "s3://" + s.bucket + "/some/lake" }

func (s server) config(t *testing.T, transport http.RoundTripper) s3.Config {
	t.Helper()
	return s3.Config{
		Location: s.root(), Endpoint: s.url, Region: "us-east-1", AccessKey: s.key, SecretKey: s.secret,
		PathStyle: true, CacheDir: t.TempDir(), CacheBytes: 64 << 20, Retries: 1, Pause: time.Millisecond, Transport: transport,
		Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	}
}

func (s server) open(t *testing.T, transport http.RoundTripper) *s3.Store {
	t.Helper()
	return open(t, s.config(t, transport))
}

func open(t *testing.T, cfg s3.Config) *s3.Store {
	t.Helper()
	store, err := s3.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// A faultyTransport lets a test break requests.
type faultyTransport struct {
	mu    sync.Mutex
	count map[string]int // by method
	fault func(*http.Request, func() (*http.Response, error)) (*http.Response, error)
}

func (f *faultyTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	if f.count == nil {
		f.count = map[string]int{}
	}
	f.count[r.Method]++
	fault := f.fault
	f.mu.Unlock()
	send := func() (*http.Response, error) { return http.DefaultTransport.RoundTrip(r) }
	if fault == nil {
		return send()
	}
	return fault(r, send)
}

func (f *faultyTransport) set(fault func(*http.Request, func() (*http.Response, error)) (*http.Response, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault, f.count = fault, map[string]int{}
}

func (f *faultyTransport) counted(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count[method]
}

var errBroken = errors.New("the connection broke")

func TestABucketKeepsTheContractOfStores(t *testing.T) {
	t.Parallel()
	laketest.Exercise(t, func(t *testing.T) lake.Store {
		t.Helper()
		return startServer(t).open(t, nil)
	})
}

func TestALostReplyIsSettledByReadingBack(t *testing.T) {
	t.Parallel()
	broken := &faultyTransport{}
	s := startServer(t).open(t, broken)
	lost := map[string]bool{} // by object: of each, one reply
	broken.set(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		res, err := send()
		if r.Method == http.MethodPut && !lost[r.URL.Path] && err == nil {
			lost[r.URL.Path] = true
			_ = res.Body.Close()
			return nil, errBroken // it was stored; we shall never know
		}
		return res, err
	})
	object := laketest.Put(t, s, s.Root()+"/t", "rows")
	if puts := broken.counted(http.MethodPut); puts != 2 {
		t.Errorf("%d requests to write, want 2: the one, and the renewal of its date", puts)
	}
	w, err := s.Create(t.Context(), s.Root()+"/t/v1.metadata.json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Errorf("metadata whose reply was lost: %v", err)
	}
	broken.set(nil)
	if got := laketest.Get(t, s, object.Path); got != "rows" {
		t.Errorf("read %q", got)
	}
}

func TestAConnectionThatBreaksInTheMiddleOfAWriteIsTriedAgain(t *testing.T) {
	t.Parallel()
	broken := &faultyTransport{}
	s := startServer(t).open(t, broken)
	var failures atomic.Int32
	broken.set(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.Method == http.MethodPut && failures.Add(1) <= 2 {
			r.Body = struct {
				io.Reader
				io.Closer
			}{io.MultiReader(io.LimitReader(r.Body, r.ContentLength/2), brokenReader{}), r.Body}
		}
		return send()
	})
	content := strings.Repeat("row ", 100_000)
	object := laketest.Put(t, s, s.Root()+"/t", content)
	if got := laketest.Get(t, s, object.Path); got != content {
		t.Errorf("read %d bytes, want %d", len(got), len(content))
	}
	if failures.Load() < 3 {
		t.Errorf("the connection broke %d times, so this shows nothing", failures.Load())
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errBroken }

func TestAWriteThatNeverSucceedsFailsAndLeavesNothing(t *testing.T) {
	t.Parallel()
	broken := &faultyTransport{}
	s := startServer(t).open(t, broken)
	broken.set(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.Method == http.MethodPut {
			return nil, errBroken
		}
		return send()
	})
	tmp, err := s.CreateTemp(t.Context(), s.Root()+"/t")
	if err != nil {
		t.Fatal(err)
	}
	if err := tmp.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = s.Publish(t.Context(), tmp.Path(), func(d lake.Digest) string { return s.Root() + "/t/rows-" + d.Short() + ".parquet" })
	if !errors.Is(err, errBroken) {
		t.Errorf("publishing gave %v, want the connection's error", err)
	}
	if _, err := os.Stat(tmp.Path()); err != nil {
		t.Errorf("the spooled file is gone although it was not stored: %v", err)
	}
}

func TestAFetchThatBreaksOffOrBringsOtherBytesIsDoneAgain(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("row ", 50_000)
	for name, damage := range map[string]func(*http.Response){
		"breaks off": func(r *http.Response) {
			r.Body = io.NopCloser(io.MultiReader(io.LimitReader(r.Body, 1000), brokenReader{}))
		},
		"brings other bytes": func(r *http.Response) {
			all, _ := io.ReadAll(r.Body)
			all[len(all)/2] ^= 1
			r.Body = io.NopCloser(bytes.NewReader(all))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := startServer(t)
			object := laketest.Put(t, srv.open(t, nil), srv.root()+"/t", content)
			broken := &faultyTransport{}
			reader := srv.open(t, broken) // with copies of its own
			var bad atomic.Int32
			bad.Store(2)
			fault := func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
				res, err := send()
				if r.Method == http.MethodGet && err == nil && bad.Add(-1) >= 0 {
					damage(res)
				}
				return res, err
			}
			broken.set(fault)
			if got := laketest.Get(t, reader, object.Path); got != content {
				t.Errorf("read %d bytes that are not those written", len(got))
			}

			bad.Store(1000)
			if _, err := srv.open(t, broken).Open(t.Context(), object.Path); err == nil {
				t.Error("what never came whole was opened all the same")
			} else if name == "brings other bytes" && !errors.Is(err, lake.ErrDamaged) {
				t.Errorf("opening gave %v, want ErrDamaged", err)
			}
		})
	}
}

func TestAConnectionThatStandsStillIsGivenUp(t *testing.T) {
	t.Parallel()
	srv := startServer(t)
	object := laketest.Put(t, srv.open(t, nil), srv.root()+"/t", "rows")
	broken := &faultyTransport{}
	cfg := srv.config(t, broken)
	cfg.Timeout = 300 * time.Millisecond
	s := open(t, cfg)
	var still atomic.Int32
	broken.set(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if (r.Method == http.MethodGet || r.Method == http.MethodPut) && still.Add(1)%2 == 1 {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		return send()
	})
	if got := laketest.Get(t, s, object.Path); got != "rows" {
		t.Errorf("read %q", got)
	}
	laketest.Put(t, s, srv.root()+"/t", "other rows")
	if still.Load() < 4 {
		t.Errorf("%d requests: nothing stood still, so this shows nothing", still.Load())
	}
}

func TestMetadataThatIsDamagedOnItsWayIsFetchedAgain(t *testing.T) {
	t.Parallel()
	broken := &faultyTransport{}
	s := startServer(t).open(t, broken)
	path := s.Root() + "/t/metadata/v1.metadata.json"
	w, err := s.Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(`{"format-version":2}`)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var bad atomic.Int32
	broken.set(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		res, err := send()
		if r.Method == http.MethodGet && err == nil && bad.Add(1) == 1 {
			_ = res.Body.Close()
			res.Body = io.NopCloser(strings.NewReader(`{"format-version":3}`))
		}
		return res, err
	})
	if got := laketest.Get(t, s, path); got != `{"format-version":2}` {
		t.Errorf("read %q", got)
	}
}

func TestRepublishingRenewsTheDate(t *testing.T) {
	t.Parallel()
	srv := startServer(t)
	s := srv.open(t, nil)
	path := laketest.Put(t, s, s.Root()+"/t", "rows").Path
	first, err := s.Stat(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond) // S3 counts in seconds
	laketest.Put(t, s, s.Root()+"/t", "rows")
	second, err := s.Stat(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if !second.ModTime.After(first.ModTime) {
		t.Errorf("the object is still of %v: a sweep could take it away from who counts on it again", second.ModTime)
	}
	if got := laketest.Get(t, srv.open(t, nil), path); got != "rows" {
		t.Errorf("after renewal it holds %q", got)
	}
}

func TestSettingsThatCannotWorkAreRefusedWithASentence(t *testing.T) {
	t.Parallel()
	srv := startServer(t)
	for part, change := range map[string]func(*s3.Config){
		"write s3://bucket/prefix": func(c *s3.Config) { c.Location = "health/lake" },
		"there is no bucket":       func(c *s3.Config) { c.Location = "s3://nothing-here/lake" },
		"cannot be reached":        func(c *s3.Config) { c.Endpoint = "http://127.0.0.1:1" },
		"cannot be used":           func(c *s3.Config) { c.Endpoint = "not a url" },
	} {
		cfg := srv.config(t, nil)
		change(&cfg)
		_, err := s3.Open(t.Context(), cfg)
		if schemas.ErrorCode(err) != schemas.CodeInvalid || !strings.Contains(err.Error(), part) {
			t.Errorf("got %v, want a sentence with %q", err, part)
		}
	}
}

// cached returns the sizes of the local copies.
func cached(t *testing.T, cfg s3.Config) (files int, total int64) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(cfg.CacheDir, "files"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
	}
	return len(entries), total
}

func TestLocalCopiesNeverTakeMoreThanTheyMayAndTheOldestGoFirst(t *testing.T) {
	t.Parallel()
	srv := startServer(t)
	writer := srv.open(t, nil)
	var objects []string
	for i := range 10 {
		objects = append(objects, laketest.Put(t, writer, writer.Root()+"/t", strings.Repeat(fmt.Sprint(i), 1000)).Path)
	}
	var now atomic.Int64
	now.Store(1_700_000_000)
	counting := &faultyTransport{}
	cfg := srv.config(t, counting)
	cfg.CacheBytes, cfg.Now = 4000, func() time.Time { return time.Unix(now.Load(), 0) }
	s := open(t, cfg)
	counting.set(nil)
	read := func(i int) {
		t.Helper()
		now.Add(1)
		laketest.Get(t, s, objects[i])
		if _, total := cached(t, cfg); total > cfg.CacheBytes {
			t.Fatalf("local copies take %d bytes of %d", total, cfg.CacheBytes)
		}
	}
	for i := range 10 {
		read(i)
		read(0) // always in use
	}
	if gets := counting.counted(http.MethodGet); gets != 10 {
		t.Errorf("%d fetches, want 10: one was always in use, and the others came once", gets)
	}
	counting.set(nil)
	s = open(t, cfg) // a restart
	counting.set(nil)
	read(9)
	read(0)
	if gets := counting.counted(http.MethodGet); gets != 0 {
		t.Errorf("%d fetches after a restart, want none: the copies are still there", gets)
	}
}

func TestACopyInUseIsNotTakenAway(t *testing.T) {
	t.Parallel()
	srv := startServer(t)
	writer := srv.open(t, nil)
	var objects []string
	for i := range 5 {
		objects = append(objects, laketest.Put(t, writer, writer.Root()+"/t", strings.Repeat(fmt.Sprint(i), 1000)).Path)
	}
	cfg := srv.config(t, nil)
	cfg.CacheBytes = 3000
	s := open(t, cfg)
	local, release, err := s.Local(t.Context(), objects[:2])
	if err != nil {
		t.Fatal(err)
	}
	another := open(t, cfg) // as another process with the same copies would
	for range 2 {
		for _, object := range objects[2:] {
			laketest.Get(t, another, object)
		}
	}
	for _, path := range local {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("a copy in use is gone: %v", err)
		}
	}
	if _, _, err := another.Local(t.Context(), objects[2:4]); schemas.ErrorCode(err) != schemas.CodeInvalid || !strings.Contains(err.Error(), "s3.cache") {
		t.Errorf("asking for more than fits gave %v, want a sentence with the setting", err)
	}
	release()
	_, release, err = another.Local(t.Context(), objects[2:5])
	if err != nil {
		t.Fatalf("after the release there is room: %v", err)
	}
	release()
}

func TestADamagedCopyIsFetchedAgain(t *testing.T) {
	t.Parallel()
	srv := startServer(t)
	cfg := srv.config(t, nil)
	s := open(t, cfg)
	object := laketest.Put(t, s, s.Root()+"/t", "some rows").Path
	local, release, err := s.Local(t.Context(), []string{object})
	if err != nil {
		t.Fatal(err)
	}
	release()
	if err := os.WriteFile(local[0], []byte("some rowz"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := laketest.Get(t, open(t, cfg), object); got != "some rows" {
		t.Errorf("a process that started after the damage reads %q", got)
	}
}

func TestManyWhoNeedAFileFetchItOnce(t *testing.T) {
	t.Parallel()
	srv := startServer(t)
	object := laketest.Put(t, srv.open(t, nil), srv.root()+"/t", "rows").Path
	counting := &faultyTransport{}
	s := srv.open(t, counting)
	counting.set(func(_ *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		time.Sleep(50 * time.Millisecond)
		return send()
	})
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			f, err := s.Open(context.Background(), object)
			if err != nil {
				t.Error(err)
				return
			}
			_ = f.Close()
		})
	}
	wg.Wait()
	if gets := counting.counted(http.MethodGet); gets != 1 {
		t.Errorf("%d fetches, want 1", gets)
	}
}
