// Package failpoint makes a process fail where a test says. A place that must be safe to fail at calls Hit with its
// name; nothing happens there unless the process was armed.
//
// # Decisions
//
// The points are compiled in and cost one atomic load each: what is tested is what is shipped. Tools that rewrite the
// source to put them in make the tested program another one than the reviewed one.
//
// The set of armed points is the process's own, not a value passed around: a point must be able to stand anywhere, also
// below code that is not ours, and a process that a test means to kill has nobody to pass it down.
package failpoint

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// EnvVar is the environment variable that arms the points of a diurna process.
const EnvVar = "DIURNA_FAILPOINTS"

// ErrInjected is what Hit returns at a point armed with "error".
var ErrInjected = errors.New("injected failure")

var (
	armed  atomic.Bool
	mu     sync.Mutex
	points map[string]*point
)

type point struct {
	action string
	pause  time.Duration
	after  int // the first hits that pass
	times  int // how often it then fails; 0 = always
}

// Arm sets the armed points from a list like "commit.before_cas=kill,seal.mid=sleep:200ms@3,gc.mid=error@0x2":
// NAME=ACTION, then @N to let the first N hits pass, or @NxM to fail M times only after them. The actions are kill
// (SIGKILL of the own process), freeze (SIGSTOP), error, enospc, panic and sleep:DURATION. An empty list disarms all.
func Arm(list string) error {
	set := map[string]*point{}
	for entry := range strings.SplitSeq(list, ",") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		name, p, err := parse(entry)
		if err != nil {
			return fmt.Errorf("failpoint %q: %w", entry, err)
		}
		set[name] = p
	}
	mu.Lock()
	defer mu.Unlock()
	points = set
	armed.Store(len(set) > 0)
	return nil
}

func parse(entry string) (string, *point, error) {
	name, action, ok := strings.Cut(entry, "=")
	if !ok || name == "" {
		return "", nil, errors.New("want NAME=ACTION")
	}
	p := &point{}
	action, count, counted := strings.Cut(action, "@")
	if counted {
		after, times, limited := strings.Cut(count, "x")
		var errAfter, errTimes error
		if p.after, errAfter = strconv.Atoi(after); limited {
			if p.times, errTimes = strconv.Atoi(times); p.times < 1 {
				errTimes = strconv.ErrRange
			}
		}
		if errAfter != nil || errTimes != nil || p.after < 0 {
			return "", nil, errors.New("want @N or @NxM")
		}
	}
	action, pause, paused := strings.Cut(action, ":")
	p.action = action
	switch action {
	case "sleep":
		d, err := time.ParseDuration(pause)
		if err != nil {
			return "", nil, errors.New("want sleep:DURATION")
		}
		p.pause = d
		return name, p, nil
	case "kill", "freeze", "error", "enospc", "panic":
		if !paused {
			return name, p, nil
		}
	}
	return "", nil, errors.New("want kill, freeze, error, enospc, panic or sleep:DURATION")
}

// Hit does what the point of this name is armed for, which is nothing when it is not.
func Hit(name string) error {
	if !armed.Load() {
		return nil
	}
	mu.Lock()
	p := points[name]
	if p == nil {
		mu.Unlock()
		return nil
	}
	if p.after > 0 {
		p.after--
		mu.Unlock()
		return nil
	}
	if p.times > 0 {
		if p.times--; p.times == 0 {
			delete(points, name)
		}
	}
	mu.Unlock()
	return p.fail(name)
}

func (p *point) fail(name string) error {
	switch p.action {
	case "kill":
		return signal(syscall.SIGKILL)
	case "freeze":
		return signal(syscall.SIGSTOP)
	case "sleep":
		time.Sleep(p.pause) //nolint:forbidigo // that is what was asked for
		return nil
	case "enospc":
		return fmt.Errorf("failpoint %s: %w", name, syscall.ENOSPC)
	case "panic":
		panic("failpoint " + name)
	default:
		return fmt.Errorf("failpoint %s: %w", name, ErrInjected)
	}
}

// signal returns only once a frozen process goes on; a killed one never does.
func signal(sig syscall.Signal) error {
	if err := syscall.Kill(os.Getpid(), sig); err != nil {
		return fmt.Errorf("signal the own process: %w", err)
	}
	time.Sleep(10 * time.Millisecond) //nolint:forbidigo // a signal may take effect on another thread a moment later
	return nil
}
