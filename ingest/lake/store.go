package lake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"time"
)

// Errors of stores.
var (
	// ErrDiffers is returned by Store.Publish when an object of that name holds other bytes. A name holds the hash of
	// what it names, so one of the two is damaged: nothing is overwritten, and a person has to look.
	ErrDiffers = errors.New("immutable object differs")
)

// A Store is where the bytes of a lake live: objects that are written once, named by paths that begin with the root. It
// knows nothing of tables. All methods may be called at the same time from several goroutines and processes. A missing
// object is an error that is fs.ErrNotExist.
type Store interface {
	// Root returns where the lake is: an absolute path, or s3://bucket/prefix. It does not end in a slash.
	Root() string

	// CreateTemp makes a file to write that no reader takes for data. It lies near the folder, on the same medium if that
	// helps Publish. What is not published is given to Remove, by its path; after a crash it is found by List or gone.
	CreateTemp(ctx context.Context, folder string) (Temp, error)

	// Publish makes a finished, closed temporary file an immutable object, under the path it is given for the digest of
	// its bytes. When it returns without error, the object is durable and the temporary file is gone. It never gives a
	// name other bytes: the same bytes again are fine, others are ErrDiffers.
	Publish(ctx context.Context, temp string, path func(Digest) string) (Object, error)

	// Create starts an object at a path that nobody used before, as names with a UUID are. It is durable when Close has
	// returned without error; before that it may be there in part.
	Create(ctx context.Context, path string) (io.WriteCloser, error)

	// Open opens an object for reading. A store that keeps copies nearer by may read from one, checked against the digest
	// in the object's name. The caller closes the file.
	Open(ctx context.Context, path string) (OpenFile, error)

	// Digest reads an object where it lives, past every copy, and returns the digest of its bytes and their number.
	Digest(ctx context.Context, path string) (Digest, int64, error)

	// Stat describes an object without reading it.
	Stat(ctx context.Context, path string) (Object, error)

	// List walks all objects below a folder, temporary ones and those nobody refers to included, in any order. A folder
	// that does not exist is empty. What is made or removed meanwhile may be in it or not.
	List(ctx context.Context, folder string) iter.Seq2[Object, error]

	// Remove removes an object or a temporary file. Of one that is missing it need not say so.
	Remove(ctx context.Context, path string) error

	// Move gives an object another path; what was there is replaced. It is durable when Move returns, but need not be
	// atomic: after a crash both may be there. Readers that have the object open go on.
	Move(ctx context.Context, from, to string) error

	// Free returns how many bytes there is room for; known is false where nobody can say.
	Free(ctx context.Context) (bytes int64, known bool, err error)

	// Local returns paths of the local file system, in the order of the objects, by which a program that is not ours can
	// read them. They stay good until release, which is called once. When all of them do not fit where copies are kept, the
	// error is a *schemas.Error that names the setting.
	Local(ctx context.Context, paths []string) (local []string, release func(), err error)
}

// A Temp is a file on its way to become an object.
type Temp interface {
	io.WriteCloser
	// Path names it to Publish and Remove. Where the store is on the local file system, or spools there, it is a path
	// that another program can write too.
	Path() string
}

// An OpenFile is an object that is open for reading.
type OpenFile interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// An Object is what a store says of one object.
type Object struct {
	Path    string
	Bytes   int64
	ModTime time.Time // when it was published, or a temporary file last written
}

// A Digest is the SHA-256 of an object's bytes.
type Digest [sha256.Size]byte

// String returns the digest in full.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Short returns the half of the digest that stands in an object's name.
func (d Digest) Short() string { return hex.EncodeToString(d[:sha256.Size/2]) }
