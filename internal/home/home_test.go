package home_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/internal/home"
	"github.com/diurna-health/diurna/schemas"
)

// holdVariable makes the test binary hold the home it names until its standard input ends: a second process.
const holdVariable = "HOME_TEST_HOLD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdVariable); dir != "" {
		os.Exit(hold(dir))
	}
	os.Exit(m.Run())
}

func hold(dir string) int {
	h, err := home.Open(dir)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	l, err := h.Lock()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	if err := l.WriteRun(home.Addresses{Brokers: []string{"127.0.0.1:9"}, Topic: "t"}); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("held")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	return 0
}

// holdElsewhere starts a process that holds dir and returns a function that kills it the hard way.
func holdElsewhere(t *testing.T, dir string) (pid int, kill func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), holdVariable+"="+dir)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "held\n" {
		t.Fatalf("second process said %q, %v", line, err)
	}
	return cmd.Process.Pid, kill
}

func newHome(t *testing.T) *home.Home {
	t.Helper()
	h, err := home.Init(filepath.Join(t.TempDir(), "home"), 0)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestInitMakesAHomeThatOpenFinds(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "deep", "home")
	made, err := home.Init(dir, 64)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := home.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if opened.UserBuckets() != 64 || opened.Dir() != made.Dir() {
		t.Errorf("opened %s with %d buckets, made %s with 64", opened.Dir(), opened.UserBuckets(), made.Dir())
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if diff := cmp.Diff([]string{"broker", "home.json", "lake", "outbox", "setup.lock"}, names); diff != "" {
		t.Errorf("content of the home (-want +got):\n%s", diff)
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o700 {
		t.Errorf("others may enter the home: mode %o", got)
	}
}

func TestUserBucketsAreFixedWhenAHomeIsMade(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	if h.UserBuckets() != 1 {
		t.Errorf("default is %d buckets, want 1", h.UserBuckets())
	}
	if _, err := home.Init(h.Dir(), 1); err != nil {
		t.Errorf("the same number was refused: %v", err)
	}
	if _, err := home.Init(h.Dir(), 0); err != nil {
		t.Errorf("no number was refused: %v", err)
	}
	wantError(t, second(home.Init(h.Dir(), 2)), schemas.CodeInvalid, "made with 1 user buckets, not 2")
	wantError(t, second(home.Init(h.Dir(), -1)), schemas.CodeInvalid, "must be 1 or more")
}

func TestTwoProcessesThatMakeOneHomeAgree(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "home")
	var wg sync.WaitGroup
	made := make([]error, 8)
	for i := range made {
		wg.Go(func() { _, made[i] = home.Init(dir, i%2+1) })
	}
	wg.Wait()
	h, err := home.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, err := range made {
		if agrees := i%2+1 == h.UserBuckets(); agrees != (err == nil) {
			t.Errorf("home has %d buckets; the one who wanted %d got %v", h.UserBuckets(), i%2+1, err)
		}
	}
}

func TestWhatIsNoHomeIsRefusedWithASentence(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "")
	wantError(t, second(home.Init(file, 0)), schemas.CodeInvalid, "is a file")
	wantError(t, second(home.Open(file)), schemas.CodeInvalid, "is a file")

	wantError(t, second(home.Open(filepath.Join(t.TempDir(), "absent"))), schemas.CodeNotFound, "no home in")

	photos := t.TempDir()
	write(t, filepath.Join(photos, "holiday.jpg"), "x")
	wantError(t, second(home.Init(photos, 0)), schemas.CodeInvalid, "not empty")

	wantError(t, second(home.Init(filepath.Join(file, "below"), 0)), schemas.CodeInvalid, "cannot be written")

	newer := t.TempDir()
	write(t, filepath.Join(newer, "home.json"), `{"layout":2,"people":{}}`)
	wantError(t, second(home.Open(newer)), schemas.CodeInvalid, "use a newer diurna")
	wantError(t, second(home.Init(newer, 0)), schemas.CodeInvalid, "use a newer diurna")

	for _, content := range []string{"", "{", `{"layout":0,"user_buckets":1}`, `{"layout":1}`} {
		damaged := t.TempDir()
		write(t, filepath.Join(damaged, "home.json"), content)
		wantError(t, second(home.Open(damaged)), schemas.CodeInternal, "is damaged")
	}
}

func TestAFolderThatCannotBeWrittenIsRefused(t *testing.T) {
	t.Parallel()
	const dir = "/proc/self" // the one folder that not even root can write
	if _, err := os.Stat(dir); err != nil {
		t.Skip("this system has no /proc")
	}
	wantError(t, second(home.Init(dir, 0)), schemas.CodeInvalid, "cannot be written")
}

func TestALeftoverOfABrokenOffInitIsNoHindrance(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "setup.lock"), "")
	write(t, filepath.Join(dir, ".writing-123"), "{")
	if _, err := home.Init(dir, 0); err != nil {
		t.Fatal(err)
	}
}

func TestOnePipelineHoldsAHome(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	lock, err := h.Lock()
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("in use by another diurna (process %d)", os.Getpid())
	wantError(t, second(h.Lock()), schemas.CodeConflict, want)
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := h.Lock()
	if err != nil {
		t.Fatalf("the home was given free and still refused: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

// An ingester and a builder that are started together on a new home both make it, and the builder takes it.
func TestWhoeverMakesAHomeIsNotInTheWayOfWhoeverTakesIt(t *testing.T) {
	t.Parallel()
	const rounds, makers = 50, 4
	for range rounds {
		dir := filepath.Join(t.TempDir(), "home")
		var wg sync.WaitGroup
		for range makers {
			wg.Go(func() {
				if _, err := home.Init(dir, 0); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			h, err := home.Init(dir, 0)
			if err != nil {
				t.Error(err)
				return
			}
			lock, err := h.Lock()
			if err != nil {
				t.Error(err)
				return
			}
			if err := lock.Close(); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
	}
}

func TestTheAddressesLastAsLongAsTheLock(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	wantNoRun(t, h)
	lock, err := h.Lock()
	if err != nil {
		t.Fatal(err)
	}
	wantNoRun(t, h)
	addresses := home.Addresses{Brokers: []string{"127.0.0.1:9092"}, Topic: "diurna.sync"}
	if err := lock.WriteRun(addresses); err != nil {
		t.Fatal(err)
	}
	run, ok, err := h.ReadRun()
	if err != nil || !ok {
		t.Fatalf("run not found: %v", err)
	}
	if diff := cmp.Diff(home.Run{Process: os.Getpid(), Addresses: addresses}, run); diff != "" {
		t.Errorf("run (-want +got):\n%s", diff)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	wantNoRun(t, h)
}

func TestAKilledPipelineLetsGoAndIsNotBelieved(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	pid, kill := holdElsewhere(t, h.Dir())
	run, ok, err := h.ReadRun()
	if err != nil || !ok || run.Process != pid {
		t.Fatalf("run of process %d: got %+v, %t, %v", pid, run, ok, err)
	}
	wantError(t, second(h.Lock()), schemas.CodeConflict, fmt.Sprintf("(process %d)", pid))

	kill()
	if _, err := os.Stat(filepath.Join(h.Dir(), "run.json")); err != nil {
		t.Fatalf("the killed process tidied up, so this test shows nothing: %v", err)
	}
	wantNoRun(t, h)
	lock, err := h.Lock()
	if err != nil {
		t.Fatal(err)
	}
	wantNoRun(t, h) // the new holder has not said where it is; the old note must not speak for it
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAStaleNoteIsNeverBelievedWhileAPipelineStarts(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	write(t, filepath.Join(h.Dir(), "run.json"), `{"process":1}`)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if _, ok, err := h.ReadRun(); ok || err != nil {
					t.Errorf("a stale note was believed: %t, %v", ok, err)
					return
				}
			}
		})
	}
	defer wg.Wait()
	defer cancel()
	for range 100 {
		lock, err := h.Lock()
		if err != nil {
			t.Fatalf("those who ask kept a pipeline out: %v", err)
		}
		write(t, filepath.Join(h.Dir(), "run.json"), `{"process":1}`)
		if err := lock.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnAddressMayBeWrittenAgain(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	lock, err := h.Lock()
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range []string{"first", "second"} {
		if err := lock.WriteRun(home.Addresses{Topic: topic}); err != nil {
			t.Fatal(err)
		}
		if run, ok, err := h.ReadRun(); err != nil || !ok || run.Topic != topic {
			t.Errorf("wrote %q, read %+v, %t, %v", topic, run, ok, err)
		}
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
}

func wantNoRun(t *testing.T, h *home.Home) {
	t.Helper()
	if run, ok, err := h.ReadRun(); ok || err != nil {
		t.Errorf("nothing should be found running: got %+v, %t, %v", run, ok, err)
	}
}

func wantError(t *testing.T, err error, code schemas.Code, part string) {
	t.Helper()
	if schemas.ErrorCode(err) != code || !strings.Contains(err.Error(), part) {
		t.Errorf("got error %q (%s), want %s with %q", err, schemas.ErrorCode(err), code, part)
	}
}

func second[T any](_ T, err error) error { return err }

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
