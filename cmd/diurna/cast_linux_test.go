//go:build !race

package main_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/diurna-health/diurna/internal/failpoint"
)

// A role is something the binary does, again and again: whenever its process ends it is started anew, until the role is
// dismissed.
type role struct {
	name string
	args []string
	// check looks at what a process that ended well has printed; nil for processes that are not meant to end.
	check func(stdout string) error

	cast *cast
	mu   sync.Mutex
	cmd  *exec.Cmd // the process that runs now
	doom string    // what the next process is armed with
	ours bool      // we killed the process that runs now
	gone bool      // dismissed
	ends sync.WaitGroup
	up   chan struct{} // closed when the process that runs now was started
}

// A cast is the roles that share a home, and what happened to them.
type cast struct {
	dir string // of their logs
	env []string

	mu     sync.Mutex
	roles  []*role
	deeds  *json.Encoder     // the journal of what was done to whom
	struck map[string]string // by failpoint: the role that died of it
	wrong  []string          // what must not have happened
	starts int
	usage  usage
}

func newCast(t *testing.T, env ...string) *cast {
	t.Helper()
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "deeds.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	c := &cast{dir: dir, env: env, deeds: json.NewEncoder(f), struck: map[string]string{}}
	t.Cleanup(func() {
		c.dismiss()
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			if kept, err := os.MkdirTemp("", "diurna-torture-"); err == nil { //nolint:usetesting // it is to be there when the test is over
				if out, err := exec.Command("cp", "-a", filepath.Dir(dir), kept).CombinedOutput(); err == nil {
					t.Logf("homes, logs and the journal of what was done are kept in %s", kept)
				} else {
					t.Logf("what is left cannot be kept: %v %s", err, out)
				}
			}
		}
	})
	return c
}

// note writes down what was done to a role.
func (c *cast) note(deed, role, detail string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.deeds.Encode(map[string]string{"at": time.Now().Format(time.RFC3339Nano), "deed": deed, "role": role, "detail": detail}) // it is for people
}

func (c *cast) blame(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

// faults returns what must not have happened since it was last asked.
func (c *cast) faults() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	wrong := c.wrong
	c.wrong = nil
	return wrong
}

// add makes a role and starts its first process.
func (c *cast) add(name string, check func(string) error, args ...string) *role {
	r := &role{name: name, args: args, check: check, cast: c, up: make(chan struct{})}
	c.mu.Lock()
	c.roles = append(c.roles, r)
	c.mu.Unlock()
	r.ends.Go(r.live)
	return r
}

// live runs one process after the other. The system kills a process when the thread that started it ends, so this one
// keeps its thread.
func (r *role) live() {
	runtime.LockOSThread()
	for {
		var stdout strings.Builder
		doom, ok := r.begin(&stdout)
		if !ok {
			return
		}
		err := r.cmd.Wait()
		r.mu.Lock()
		ours, gone := r.ours, r.gone
		r.up = make(chan struct{})
		r.mu.Unlock()
		r.judge(err, doom, ours, gone, stdout.String())
		if gone {
			return
		}
		time.Sleep(50 * time.Millisecond) // the machine has other things to do
	}
}

// begin starts a process, armed with what was last asked for.
func (r *role) begin(stdout io.Writer) (doom string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return "", false
	}
	doom, r.ours = r.doom, false
	if r.check == nil {
		r.doom = "" // whoever works for a while comes by; whoever has nothing to do today may have tomorrow
	}
	r.cast.mu.Lock()
	r.cast.starts++
	log, err := os.OpenFile(filepath.Join(r.cast.dir, r.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	r.cast.mu.Unlock()
	if err != nil {
		r.cast.blame("%s cannot log: %v", r.name, err)
		return "", false
	}
	r.cmd = exec.Command(binary, r.args...) // it is ended by dismiss, which the test's end calls
	r.cmd.Env = append(append(os.Environ(), r.cast.env...), failpoint.EnvVar+"="+doom)
	r.cmd.Stdout, r.cmd.Stderr = stdout, log
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // nothing outlives the test
	if err := r.cmd.Start(); err != nil {
		r.cast.blame("%s cannot be started: %v", r.name, err)
		return "", false
	}
	_ = log.Close() // the process has its own
	close(r.up)
	return doom, true
}

// judge says how a process ended.
func (r *role) judge(err error, doom string, ours, gone bool, stdout string) {
	state := r.cmd.ProcessState
	status, _ := state.Sys().(syscall.WaitStatus)
	switch {
	case status.Signal() == syscall.SIGKILL && (ours || gone):
	case status.Signal() == syscall.SIGKILL && doom != "":
		name, _, _ := strings.Cut(doom, "=")
		r.mu.Lock()
		r.doom = ""
		r.mu.Unlock()
		r.cast.mu.Lock()
		r.cast.struck[name] = r.name
		r.cast.mu.Unlock()
		r.cast.note("struck", r.name, doom)
	case doom != "" && state.Exited(): // it did not come by, or was asked to end
		r.cast.note("ended", r.name, doom+": "+state.String())
	case err == nil && r.check != nil:
		if err := r.check(stdout); err != nil {
			r.cast.blame("%s: %v", r.name, err)
		}
	case gone && (err == nil || r.check != nil): // it was asked to end, and need not have finished
	default:
		r.cast.blame("%s ended by itself: %s: %s", r.name, state, lastLines(filepath.Join(r.cast.dir, r.name+".log"), 3))
	}
}

func lastLines(path string, n int) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// signal sends a signal to the process that runs now; it reports false when there is none.
func (r *role) signal(sig syscall.Signal) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cmd == nil || r.cmd.Process == nil {
		return false
	}
	if sig == syscall.SIGKILL {
		r.ours = true
	}
	return r.cmd.Process.Signal(sig) == nil
}

// kill ends the process that runs now without warning.
func (r *role) kill() {
	if r.signal(syscall.SIGKILL) {
		r.cast.note("kill", r.name, "")
	}
}

// freeze stops the process for a while.
func (r *role) freeze(d time.Duration) {
	if !r.signal(syscall.SIGSTOP) {
		return
	}
	r.cast.note("freeze", r.name, d.String())
	time.Sleep(d)
	r.signal(syscall.SIGCONT)
}

// arm kills the process that runs now and has the next one armed.
func (r *role) arm(doom string) {
	r.mu.Lock()
	r.doom = doom
	r.mu.Unlock()
	r.cast.note("arm", r.name, doom)
	r.signal(syscall.SIGKILL)
}

// disarm starts the role anew if its process is still armed.
func (r *role) disarm() {
	r.mu.Lock()
	armed := r.cmd != nil && slices.ContainsFunc(r.cmd.Env, func(e string) bool {
		value, ok := strings.CutPrefix(e, failpoint.EnvVar+"=")
		return ok && value != ""
	})
	r.doom = ""
	r.mu.Unlock()
	if armed {
		r.signal(syscall.SIGKILL)
	}
}

// dismiss ends roles in good order; none named = all of them.
func (c *cast) dismiss(roles ...*role) {
	c.mu.Lock()
	if len(roles) == 0 {
		roles = slices.Clone(c.roles)
	}
	c.roles = slices.DeleteFunc(c.roles, func(r *role) bool { return slices.Contains(roles, r) })
	c.mu.Unlock()
	for _, r := range roles {
		r.mu.Lock()
		r.gone = true
		r.mu.Unlock()
		r.signal(syscall.SIGCONT)
		r.signal(syscall.SIGTERM)
		c.note("dismiss", r.name, "")
	}
	for _, r := range roles {
		stop := time.AfterFunc(30*time.Second, func() {
			if !r.signal(syscall.SIGQUIT) { // what it does instead stands in its log
				return
			}
			c.blame("%s did not end within 30s of being asked to", r.name)
			time.Sleep(2 * time.Second)
			r.signal(syscall.SIGKILL)
		})
		r.ends.Wait()
		stop.Stop()
	}
}

// usage is the most that any process took.
type usage struct {
	rssBytes, openFiles int64
	rssRole, filesRole  string
}

// measure looks at what the processes take now.
func (c *cast) measure() {
	c.mu.Lock()
	roles := slices.Clone(c.roles)
	c.mu.Unlock()
	for _, r := range roles {
		r.mu.Lock()
		cmd := r.cmd
		r.mu.Unlock()
		if cmd == nil || cmd.Process == nil {
			continue
		}
		rss, files, err := usageOf(cmd.Process.Pid)
		if err != nil {
			continue // it has ended
		}
		c.mu.Lock()
		if rss > c.usage.rssBytes {
			c.usage.rssBytes, c.usage.rssRole = rss, r.name
		}
		if files > c.usage.openFiles {
			c.usage.openFiles, c.usage.filesRole = files, r.name
		}
		c.mu.Unlock()
	}
}

func usageOf(pid int) (rssBytes, openFiles int64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmRSS:" {
			kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				return 0, 0, err
			}
			rssBytes = kilobytes << 10
		}
	}
	if rssBytes == 0 {
		return 0, 0, errors.New("the process has no memory any more")
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return rssBytes, int64(len(files)), err
}
