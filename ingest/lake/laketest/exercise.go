package laketest

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/ingest/lake"
)

// Put publishes content below a folder, under a name that holds its digest.
func Put(t *testing.T, s lake.Store, folder, content string) lake.Object {
	t.Helper()
	object, err := put(t.Context(), s, content, func(d lake.Digest) string { return nameIn(folder, d) })
	if err != nil {
		t.Fatal(err)
	}
	return object
}

func nameIn(folder string, d lake.Digest) string { return folder + "/rows-" + d.Short() + ".parquet" }

func put(ctx context.Context, s lake.Store, content string, path func(lake.Digest) string) (lake.Object, error) {
	tmp, err := s.CreateTemp(ctx, s.Root()+"/table/data")
	if err != nil {
		return lake.Object{}, err
	}
	_, err = io.WriteString(tmp, content)
	if err := errors.Join(err, tmp.Close()); err != nil {
		return lake.Object{}, err
	}
	return s.Publish(ctx, tmp.Path(), path)
}

// Get reads an object whole.
func Get(t *testing.T, s lake.Store, path string) string {
	t.Helper()
	f, err := s.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// Exercise holds a store to the contract of lake.Store. Each part begins with an empty store.
func Exercise(t *testing.T, open func(*testing.T) lake.Store) {
	t.Helper()
	parts := map[string]func(*testing.T, lake.Store){
		"what is published is there, with its digest": publishedIsThere,
		"the same bytes may be published again":       sameBytesAgain,
		"a name is never given other bytes":           otherBytesAreRefused,
		"many publish the same bytes at once":         manyPublishTheSame,
		"what is created is there once it is closed":  createdIsThere,
		"a list has everything below a folder":        listHasEverything,
		"what is missing says so":                     missingSaysSo,
		"what is removed is gone":                     removedIsGone,
		"what is moved is elsewhere":                  movedIsElsewhere,
		"pieces can be read from many places at once": piecesCanBeRead,
		"a context that ended ends the work":          endedContext,
		"an abandoned temporary file can be removed":  abandonedTemporary,
		"local paths can be read by everybody":        localPathsCanBeRead,
	}
	for name, part := range parts {
		t.Run(name, func(t *testing.T) { part(t, open(t)) })
	}
}

func publishedIsThere(t *testing.T, s lake.Store) {
	t.Helper()
	object := Put(t, s, s.Root()+"/table/data", "some rows")
	if !strings.HasPrefix(object.Path, s.Root()+"/table/data/rows-") || object.Bytes != 9 {
		t.Errorf("published %+v", object)
	}
	if got := Get(t, s, object.Path); got != "some rows" {
		t.Errorf("read %q", got)
	}
	digest, size, err := s.Digest(t.Context(), object.Path)
	if err != nil || size != 9 || digest != sha256.Sum256([]byte("some rows")) {
		t.Errorf("digest %s of %d bytes, error %v", digest, size, err)
	}
	stat, err := s.Stat(t.Context(), object.Path)
	if err != nil || stat.Bytes != 9 || stat.Path != object.Path {
		t.Errorf("stat is %+v, error %v", stat, err)
	}
	if got := paths(t, s, s.Root()); !slices.Equal(got, []string{object.Path}) {
		t.Errorf("the store has %v, want the object alone", got)
	}
}

func sameBytesAgain(t *testing.T, s lake.Store) {
	t.Helper()
	folder := s.Root() + "/table/data"
	first, second := Put(t, s, folder, "rows"), Put(t, s, folder, "rows")
	if first.Path != second.Path {
		t.Errorf("the same bytes have the names %s and %s", first.Path, second.Path)
	}
	if got := paths(t, s, s.Root()); len(got) != 1 {
		t.Errorf("the store has %v", got)
	}
}

func otherBytesAreRefused(t *testing.T, s lake.Store) {
	t.Helper()
	path := s.Root() + "/table/data/name"
	always := func(lake.Digest) string { return path }
	if _, err := put(t.Context(), s, "first", always); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"other", "of another length"} {
		if _, err := put(t.Context(), s, other, always); !errors.Is(err, lake.ErrDiffers) {
			t.Errorf("publishing other bytes gave %v, want ErrDiffers", err)
		}
	}
	if got := Get(t, s, path); got != "first" {
		t.Errorf("the object holds %q now", got)
	}
}

func manyPublishTheSame(t *testing.T, s lake.Store) {
	t.Helper()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := put(t.Context(), s, "rows", func(d lake.Digest) string { return nameIn(s.Root()+"/table/data", d) }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := paths(t, s, s.Root()); len(got) != 1 {
		t.Errorf("the store has %v", got)
	}
}

func createdIsThere(t *testing.T, s lake.Store) {
	t.Helper()
	path := s.Root() + "/table/metadata/v1.json"
	w, err := s.Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := w.Write([]byte("abc")); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := Get(t, s, path); got != "abcabcabc" {
		t.Errorf("read %q", got)
	}
}

func listHasEverything(t *testing.T, s lake.Store) {
	t.Helper()
	var want []string
	for _, folder := range []string{"/a", "/a/deep/er", "/a=1/b=2", "/ab"} {
		want = append(want, Put(t, s, s.Root()+folder, "in "+folder).Path)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, paths(t, s, s.Root())); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	below := slices.DeleteFunc(slices.Clone(want), func(p string) bool { return !strings.HasPrefix(p, s.Root()+"/a/") })
	if diff := cmp.Diff(below, paths(t, s, s.Root()+"/a")); diff != "" {
		t.Errorf("below a folder whose name others begin with (-want +got):\n%s", diff)
	}
	if got := paths(t, s, s.Root()+"/nothing"); len(got) != 0 {
		t.Errorf("a folder that does not exist has %v", got)
	}
	for _, err := range s.List(t.Context(), s.Root()) {
		if err != nil {
			t.Error(err)
		}
		break // whoever has seen enough may stop
	}
}

func missingSaysSo(t *testing.T, s lake.Store) {
	t.Helper()
	ctx, path := t.Context(), s.Root()+"/table/nothing-"+strings.Repeat("0", 32)+".parquet"
	_, openErr := s.Open(ctx, path)
	_, _, digestErr := s.Digest(ctx, path)
	_, statErr := s.Stat(ctx, path)
	for what, err := range map[string]error{
		"Open": openErr, "Digest": digestErr, "Stat": statErr, "Move": s.Move(ctx, path, path+"2"),
	} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s of what is missing gave %v, want fs.ErrNotExist", what, err)
		}
	}
}

func removedIsGone(t *testing.T, s lake.Store) {
	t.Helper()
	gone, stays := Put(t, s, s.Root()+"/t", "one"), Put(t, s, s.Root()+"/t", "two")
	if err := s.Remove(t.Context(), gone.Path); err != nil {
		t.Fatal(err)
	}
	if got := paths(t, s, s.Root()); !slices.Equal(got, []string{stays.Path}) {
		t.Errorf("left are %v", got)
	}
}

func movedIsElsewhere(t *testing.T, s lake.Store) {
	t.Helper()
	from := Put(t, s, s.Root()+"/t", "one").Path
	to := s.Root() + "/_trash/today" + strings.TrimPrefix(from, s.Root())
	if err := s.Move(t.Context(), from, to); err != nil {
		t.Fatal(err)
	}
	if got := paths(t, s, s.Root()); !slices.Equal(got, []string{to}) {
		t.Errorf("the store has %v", got)
	}
	if got := Get(t, s, to); got != "one" {
		t.Errorf("read %q", got)
	}
}

func piecesCanBeRead(t *testing.T, s lake.Store) {
	t.Helper()
	content := strings.Repeat("0123456789", 100_000)
	object := Put(t, s, s.Root()+"/t", content)
	f, err := s.Open(t.Context(), object.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			piece, at := make([]byte, 1000), (i*7919*50)%(len(content)-1000)
			if n, err := f.ReadAt(piece, int64(at)); err != nil || string(piece[:n]) != content[at:at+1000] {
				t.Errorf("piece at %d: %d bytes, error %v", at, n, err)
			}
		})
	}
	wg.Wait()
	end := make([]byte, 10)
	if n, err := f.ReadAt(end, int64(len(content))-5); n != 5 || !errors.Is(err, io.EOF) {
		t.Errorf("reading over the end gave %d bytes, error %v", n, err)
	}
}

func endedContext(t *testing.T, s lake.Store) {
	t.Helper()
	Put(t, s, s.Root()+"/t", "one")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range s.List(ctx, s.Root()) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the list gave %v, want context.Canceled", err)
		}
	}
}

func abandonedTemporary(t *testing.T, s lake.Store) {
	t.Helper()
	tmp, err := s.CreateTemp(t.Context(), s.Root()+"/t")
	if err != nil {
		t.Fatal(err)
	}
	if err := tmp.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(t.Context(), tmp.Path()); err != nil {
		t.Fatal(err)
	}
	if got := paths(t, s, s.Root()); len(got) != 0 {
		t.Errorf("left are %v", got)
	}
}

func localPathsCanBeRead(t *testing.T, s lake.Store) {
	t.Helper()
	if _, ok := s.(*lake.LocalStore); ok && s.Root() == "/lake" {
		return // on a disk in memory no path is local
	}
	var want, asked []string
	for _, content := range []string{"one", "two", "three"} {
		want = append(want, content)
		asked = append(asked, Put(t, s, s.Root()+"/t", content).Path)
	}
	local, release, err := s.Local(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	var got []string
	for _, path := range local {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(content))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("contents by local path (-want +got):\n%s", diff)
	}
}

// paths lists the objects below a folder, sorted.
func paths(t *testing.T, s lake.Store, folder string) []string {
	t.Helper()
	var found []string
	for object, err := range s.List(t.Context(), folder) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, object.Path)
	}
	slices.Sort(found)
	return found
}
