package s3

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/failpoint"
	"github.com/diurna-health/diurna/schemas"
)

const (
	scheme = "s3://"
	// attempts bounds how often a write or a fetch that went wrong is done again here; the client below retries single
	// requests by itself.
	attempts = 4
	// noteDigest is stored with each object. Names of Iceberg's metadata hold no hash.
	noteDigest = "X-Amz-Meta-Diurna-Sha256"
)

// Config says where the bucket is and where copies are kept.
type Config struct {
	Location  string // s3://bucket/prefix
	Endpoint  string // URL or host:port; "" = Amazon's
	Region    string
	AccessKey string // "" = AWS_ACCESS_KEY_ID, ~/.aws/credentials or the machine's role
	SecretKey string
	PathStyle bool // http://host/bucket/... instead of http://bucket.host/...

	CacheDir   string // of the local copies; made when missing
	CacheBytes int64  // what they may take
	Retries    int    // of a single request, by the client; 0 = 10

	// Pause is how long to wait before a write or a fetch that failed is tried again; it doubles. 0 = 100 ms.
	Pause time.Duration
	// Timeout is how long the way of one object may take; a connection that stands still is then given up and another
	// one tried. 0 = 5 min.
	Timeout time.Duration

	Transport http.RoundTripper // nil = the client's own
	Now       func() time.Time
	Logger    *slog.Logger
}

// A Store is a lake in a bucket.
type Store struct {
	client *minio.Core
	bucket string
	prefix string // of keys: "" or "lake/"
	root   string
	spool  string
	pause  time.Duration
	limit  time.Duration // of one object's way
	cache  *cache
}

// Open opens the bucket, which must exist.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	bucket, prefix, err := ParseLocation(cfg.Location)
	if err != nil {
		return nil, err
	}
	client, err := connect(cfg)
	if err != nil {
		return nil, err
	}
	s := &Store{
		client: client, bucket: bucket, root: scheme + strings.TrimSuffix(bucket+"/"+prefix, "/"),
		spool: filepath.Join(cfg.CacheDir, "spool"), pause: cmp.Or(cfg.Pause, 100*time.Millisecond),
		limit: cmp.Or(cfg.Timeout, 5*time.Minute),
	}
	if prefix != "" {
		s.prefix = prefix + "/"
	}
	if s.cache, err = openCache(filepath.Join(cfg.CacheDir, "files"), cfg.CacheBytes, cfg.Now); err != nil {
		return nil, err
	}
	if err := openSpool(s.spool, cfg.Now()); err != nil {
		return nil, err
	}
	return s, s.checkBucket(ctx)
}

// ParseLocation splits s3://bucket/prefix.
func ParseLocation(location string) (bucket, prefix string, err error) {
	rest, ok := strings.CutPrefix(location, scheme)
	bucket, prefix, _ = strings.Cut(rest, "/")
	prefix = strings.Trim(prefix, "/")
	if !ok || bucket == "" || strings.ContainsAny(location, "?#% ") || strings.Contains(prefix, "//") {
		return "", "", invalid(nil, "the location %q is none: write s3://bucket/prefix", location)
	}
	return bucket, prefix, nil
}

func connect(cfg Config) (*minio.Core, error) {
	host, secure := "s3.amazonaws.com", true
	if cfg.Endpoint != "" {
		host = cfg.Endpoint
		if u, err := url.Parse(cfg.Endpoint); err == nil && u.Host != "" {
			host, secure = u.Host, u.Scheme != "http"
		}
	}
	options := &minio.Options{Secure: secure, Region: cfg.Region, Transport: cfg.Transport, MaxRetries: cfg.Retries}
	options.Creds = credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, "")
	if cfg.AccessKey == "" {
		options.Creds = credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{},
		})
	}
	if cfg.PathStyle {
		options.BucketLookup = minio.BucketLookupPath
	}
	client, err := minio.NewCore(host, options)
	if err != nil {
		return nil, invalid(err, "the S3 endpoint %q cannot be used: write a URL like https://s3.example.com", cfg.Endpoint)
	}
	return client, nil
}

func (s *Store) checkBucket(ctx context.Context) error {
	ok, err := s.client.BucketExists(ctx, s.bucket)
	if err != nil {
		return invalid(err, "the bucket %s cannot be reached: check s3.endpoint, s3.region and the keys", s.bucket)
	}
	if !ok {
		return invalid(nil, "there is no bucket %s: make it, or set another lake.location", s.bucket)
	}
	return nil
}

func invalid(err error, format string, args ...any) error {
	return &schemas.Error{Code: schemas.CodeInvalid, Message: fmt.Sprintf(format, args...), Err: err}
}

// Root implements lake.Store.
func (s *Store) Root() string { return s.root }

// key returns the key of an object; a path that is not below the root has none.
func (s *Store) key(path string) (string, error) {
	below, ok := strings.CutPrefix(path, s.root+"/")
	if !ok {
		return "", fmt.Errorf("path %s is not below %s", path, s.root)
	}
	return s.prefix + below, nil
}

// CreateTemp implements lake.Store: files are spooled on the local disk, for their hash must be known before their name.
func (s *Store) CreateTemp(context.Context, string) (lake.Temp, error) {
	f, err := os.CreateTemp(s.spool, "*.tmp")
	if err != nil {
		return nil, err
	}
	return spoolFile{f}, nil
}

type spoolFile struct{ *os.File }

// Path implements lake.Temp.
func (f spoolFile) Path() string { return f.Name() }

// openSpool makes the spool and removes what processes that died left in it. No file is written for as long as a day.
func openSpool(dir string, now time.Time) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make spool: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read spool: %w", err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > 24*time.Hour {
			_ = os.Remove(filepath.Join(dir, e.Name())) // the next start tries again
		}
	}
	return nil
}

// Publish implements lake.Store. The object exists when the bucket has said so, or shown it; only then is the spooled
// file let go, as the copy that readers will ask for first.
func (s *Store) Publish(ctx context.Context, temp string, path func(lake.Digest) string) (lake.Object, error) {
	f, err := os.Open(temp)
	if err != nil {
		return lake.Object{}, err
	}
	defer f.Close()
	digest, size, err := digestOf(f)
	if err != nil {
		return lake.Object{}, fmt.Errorf("read spooled file: %w", err)
	}
	name := path(digest)
	if err := s.put(ctx, name, f, size, digest); err != nil {
		return lake.Object{}, err
	}
	if copyName, ok := copyOf(name); !ok || s.cache.adopt(temp, copyName, size) != nil {
		if err := os.Remove(temp); err != nil {
			return lake.Object{}, err
		}
	}
	return lake.Object{Path: name, Bytes: size}, nil
}

func digestOf(r io.Reader) (d lake.Digest, size int64, err error) {
	h := sha256.New()
	size, err = io.Copy(h, r)
	h.Sum(d[:0])
	return d, size, err
}

// put writes an object that is not there yet. Whatever the reply, or when there is none, the bucket itself says how it
// ended.
func (s *Store) put(ctx context.Context, path string, body io.ReadSeeker, size int64, digest lake.Digest) error {
	for attempt := 1; ; attempt++ {
		if _, err := body.Seek(0, io.SeekStart); err != nil {
			return err
		}
		err := s.putOnce(ctx, path, body, size, digest, func(o *minio.PutObjectOptions) { o.SetMatchETagExcept("*") })
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		switch etag, readErr := s.readBack(ctx, path, size, digest); {
		case readErr == nil:
			if err = s.renew(ctx, path, body, size, digest, etag); err == nil {
				return nil
			}
		case !errors.Is(readErr, fs.ErrNotExist):
			return readErr
		}
		if attempt == attempts {
			return fmt.Errorf("put object %s: %w", path, err)
		}
		if err := s.wait(ctx, attempt); err != nil {
			return err
		}
	}
}

// putOnce writes an object on a condition.
func (s *Store) putOnce(ctx context.Context, path string, body io.Reader, size int64, digest lake.Digest,
	condition func(*minio.PutObjectOptions)) error {
	key, err := s.key(path)
	if err != nil {
		return err
	}
	if err := failpoint.Hit("s3.put.before"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	options := minio.PutObjectOptions{
		DisableContentSha256: true, // of chunks; the whole body's is given
		UserMetadata: map[string]string{
			"X-Amz-Checksum-Sha256": base64.StdEncoding.EncodeToString(digest[:]),
			noteDigest:              digest.String(),
		},
	}
	condition(&options)
	if _, err := s.client.PutObject(ctx, s.bucket, key, body, size, "", digest.String(), options); err != nil {
		return err
	}
	return failpoint.Hit("s3.put.lost_reply")
}

// readBack compares what is stored with what was to be written, and returns its tag when it is the same. Nothing there is
// fs.ErrNotExist.
func (s *Store) readBack(ctx context.Context, path string, size int64, digest lake.Digest) (etag string, err error) {
	info, err := s.stat(ctx, path)
	if err != nil {
		return "", fmt.Errorf("read object %s back: %w", path, err)
	}
	got, gotSize := lake.Digest{}, info.Size
	if gotSize == size {
		if got, gotSize, err = s.Digest(ctx, path); err != nil {
			return "", fmt.Errorf("read object %s back: %w", path, err)
		}
	}
	if gotSize != size || got != digest {
		return "", &schemas.Error{Code: schemas.CodeConflict, Err: lake.ErrDiffers, Message: fmt.Sprintf(
			"the object %s does not hold the bytes its name promises: it is damaged. Nothing was overwritten. Move it away, "+
				"then start again: it is written anew from what was received", path)}
	}
	return info.ETag, nil
}

// renew writes the bytes of an object that was there before once more, over themselves, which dates it to now as a new one
// would be: whoever sweeps the lake may have found it old and referred to by nobody, and must see that somebody counts on
// it again. (Copying an object onto itself is cheaper, but not every server dates it anew.)
func (s *Store) renew(ctx context.Context, path string, body io.ReadSeeker, size int64, digest lake.Digest, etag string) error {
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return s.putOnce(ctx, path, body, size, digest, func(o *minio.PutObjectOptions) { o.SetMatchETag(etag) })
}

// wait waits before the next attempt.
func (s *Store) wait(ctx context.Context, attempt int) error {
	timer := time.NewTimer(s.pause << (attempt - 1))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// Create implements lake.Store. Iceberg's metadata is small: it is kept in memory until it is whole.
func (s *Store) Create(ctx context.Context, path string) (io.WriteCloser, error) {
	return &metadataWriter{ctx: ctx, store: s, path: path}, nil
}

type metadataWriter struct {
	bytes.Buffer
	ctx   context.Context //nolint:containedctx // of the one write, which happens in Close
	store *Store
	path  string
}

// Close stores the object.
func (w *metadataWriter) Close() error {
	content := w.Bytes()
	return w.store.put(w.ctx, w.path, bytes.NewReader(content), int64(len(content)), sha256.Sum256(content))
}

// Open implements lake.Store: data files are read from the local copy, anything else from memory.
func (s *Store) Open(ctx context.Context, path string) (lake.OpenFile, error) {
	if _, ok := copyOf(path); !ok {
		content, err := s.fetch(ctx, path)
		if err != nil {
			return nil, err
		}
		return memoryFile{bytes.NewReader(content)}, nil
	}
	lease, err := s.lease(ctx, path)
	if err != nil {
		return nil, err
	}
	return lease, nil
}

type memoryFile struct{ *bytes.Reader }

// Close implements lake.OpenFile.
func (memoryFile) Close() error { return nil }

// fetch reads an object into memory and checks it against the digest that was stored with it.
func (s *Store) fetch(ctx context.Context, path string) ([]byte, error) {
	var content bytes.Buffer
	err := s.again(ctx, path, func() error {
		content.Reset()
		noted, err := s.get(ctx, path, &content)
		if err != nil {
			return err
		}
		if got := sha256.Sum256(content.Bytes()); noted != "" && noted != hex.EncodeToString(got[:]) {
			return errDamaged
		}
		return nil
	})
	return content.Bytes(), err
}

// errDamaged is what again makes of an object that was fetched and has another digest than it should.
var errDamaged = errors.New("the bytes are not those that were written")

// again does a fetch again that broke off or brought damaged bytes.
func (s *Store) again(ctx context.Context, path string, fetch func() error) error {
	for attempt := 1; ; attempt++ {
		err := fetch()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, fs.ErrNotExist), isTooLarge(err):
			return err
		case attempt == attempts && errors.Is(err, errDamaged):
			return &schemas.Error{Code: schemas.CodeConflict, Err: lake.ErrDamaged, Message: fmt.Sprintf(
				"the object %s is damaged: it was fetched %d times and never had the bytes it was written with", path, attempts)}
		case attempt == attempts:
			return fmt.Errorf("get object %s: %w", path, err)
		}
		if err := s.wait(ctx, attempt); err != nil {
			return err
		}
	}
}

// get copies an object and returns the digest noted with it, "" when there is none.
func (s *Store) get(ctx context.Context, path string, to io.Writer) (noted string, err error) {
	key, err := s.key(path)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	body, info, header, err := s.client.GetObject(ctx, s.bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return "", notExist(err)
	}
	defer body.Close()
	n, err := io.Copy(to, body)
	if err != nil {
		return "", err
	}
	if n != info.Size {
		return "", io.ErrUnexpectedEOF
	}
	return header.Get(noteDigest), nil
}

// notExist gives the error about a missing object the form that callers know.
func notExist(err error) error {
	if r := minio.ToErrorResponse(err); r.Code == minio.NoSuchKey || r.StatusCode == http.StatusNotFound && r.Code != minio.NoSuchBucket {
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	return err
}

// Digest implements lake.Store.
func (s *Store) Digest(ctx context.Context, path string) (d lake.Digest, size int64, err error) {
	err = s.again(ctx, path, func() error {
		h := sha256.New()
		counted := &counter{}
		if _, err := s.get(ctx, path, io.MultiWriter(h, counted)); err != nil {
			return err
		}
		h.Sum(d[:0])
		size = counted.n
		return nil
	})
	return d, size, err
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

// Stat implements lake.Store.
func (s *Store) Stat(ctx context.Context, path string) (lake.Object, error) {
	info, err := s.stat(ctx, path)
	if err != nil {
		return lake.Object{}, err
	}
	return lake.Object{Path: path, Bytes: info.Size, ModTime: info.LastModified}, nil
}

func (s *Store) stat(ctx context.Context, path string) (minio.ObjectInfo, error) {
	key, err := s.key(path)
	if err != nil {
		return minio.ObjectInfo{}, err
	}
	info, err := s.client.StatObject(ctx, s.bucket, key, minio.StatObjectOptions{})
	if err != nil {
		return minio.ObjectInfo{}, notExist(err)
	}
	return info, nil
}

// List implements lake.Store.
func (s *Store) List(ctx context.Context, folder string) iter.Seq2[lake.Object, error] {
	return func(yield func(lake.Object, error) bool) {
		prefix, err := s.key(folder + "/")
		if folder == s.root {
			prefix, err = s.prefix, nil
		}
		if err != nil {
			yield(lake.Object{}, err)
			return
		}
		listing, stop := context.WithCancel(ctx) // the client's own goroutine ends with it
		defer stop()
		for info := range s.client.ListObjectsIter(listing, s.bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
			if info.Err != nil {
				yield(lake.Object{}, info.Err)
				return
			}
			path := s.root + "/" + strings.TrimPrefix(info.Key, s.prefix)
			if !yield(lake.Object{Path: path, Bytes: info.Size, ModTime: info.LastModified}, nil) {
				return
			}
		}
		if ctx.Err() != nil {
			yield(lake.Object{}, context.Cause(ctx))
		}
	}
}

// Remove implements lake.Store. S3 does not say whether there was anything.
func (s *Store) Remove(ctx context.Context, path string) error {
	if filepath.Dir(path) == s.spool {
		return os.Remove(path)
	}
	key, err := s.key(path)
	if err != nil {
		return err
	}
	return s.client.RemoveObject(ctx, s.bucket, key, minio.RemoveObjectOptions{})
}

// Move implements lake.Store: the bucket copies the object, then the old one goes.
func (s *Store) Move(ctx context.Context, from, to string) error {
	source, err := s.key(from)
	if err != nil {
		return err
	}
	target, err := s.key(to)
	if err != nil {
		return err
	}
	if _, err := s.Stat(ctx, from); err != nil {
		return err
	}
	if _, err := s.client.CopyObject(ctx, s.bucket, source, s.bucket, target, nil,
		minio.CopySrcOptions{Bucket: s.bucket, Object: source}, minio.PutObjectOptions{}); err != nil {
		return fmt.Errorf("copy object: %w", notExist(err))
	}
	return s.client.RemoveObject(ctx, s.bucket, source, minio.RemoveObjectOptions{})
}

// Free implements lake.Store.
func (*Store) Free(context.Context) (bytes int64, known bool, err error) { return 0, false, nil }

// Local implements lake.Store.
func (s *Store) Local(ctx context.Context, paths []string) (local []string, release func(), err error) {
	var leases []*lease
	release = func() {
		for _, l := range leases {
			_ = l.Close() // only read from
		}
	}
	for _, path := range paths {
		l, err := s.lease(ctx, path)
		if err != nil {
			release()
			return nil, nil, err
		}
		leases = append(leases, l)
		local = append(local, l.path)
	}
	return local, release, nil
}

// lease holds the local copy of a data file, which is fetched when there is none.
func (s *Store) lease(ctx context.Context, path string) (*lease, error) {
	name, ok := copyOf(path)
	if !ok {
		return nil, fmt.Errorf("object %s has no hash in its name", path)
	}
	return s.cache.lease(ctx, name, func(ctx context.Context, to io.Writer) error {
		_, err := s.get(ctx, path, to)
		return err
	}, func(ctx context.Context, fill func() error) error {
		return s.again(ctx, path, fill)
	}, func(ctx context.Context) (int64, error) {
		object, err := s.Stat(ctx, path)
		return object.Bytes, err
	})
}

// copyOf returns the name of the local copy of a data file: the half of its digest that stands in its own name.
func copyOf(path string) (name string, ok bool) {
	stem, ok := strings.CutSuffix(path, ".parquet")
	if !ok || len(stem) < sha256.Size+1 || stem[len(stem)-sha256.Size-1] != '-' {
		return "", false
	}
	name = stem[len(stem)-sha256.Size:] // half of the digest in hex is as long as all of it in bytes
	if _, err := hex.DecodeString(name); err != nil {
		return "", false
	}
	return name, true
}

var _ lake.Store = (*Store)(nil)
