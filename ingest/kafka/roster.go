package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	kafkago "github.com/segmentio/kafka-go"
)

// rosterPause is how often a member looks for others of its machine that are gone.
const rosterPause = 500 * time.Millisecond

// A roster is a folder in which the members of groups on one machine stand: a file each, which its process holds locked.
// The lock of a process that was killed ends with it, at once and whatever it was doing, while the group would wait for
// the session to end. So whoever finds a file that is not locked, a neighbour or the next process, leaves the group for
// its member. A process that is only frozen keeps its lock and its session.
type roster struct {
	topic *Topic
	dir   string

	mu   sync.Mutex
	own  string       // our file; "" = there is none
	lock *flock.Flock // on it
}

// A rosterEntry is what stands in a file.
type rosterEntry struct {
	Group  string `json:"group"`
	Member string `json:"member"`
}

const (
	rosterSuffix = ".member"
	rosterTemp   = ".writing-"
)

// enter writes down which member of a group this process is, if that is not what stands there already.
func (r *roster) enter(e rosterEntry) error {
	if r.dir == "" {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	path := filepath.Join(r.dir, strings.ReplaceAll(e.Member, string(filepath.Separator), "_")+rosterSuffix)
	if r.own == path {
		return nil
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return err
	}
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	// Locked before it has its name: a file that is found is never one that is not locked yet.
	temp, err := os.CreateTemp(r.dir, rosterTemp+"*")
	if err != nil {
		return err
	}
	lock := flock.New(temp.Name())
	_, err = temp.Write(line)
	if err = errors.Join(err, temp.Close()); err == nil {
		err = lock.Lock()
	}
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, lock.Close(), os.Remove(temp.Name()))
	}
	err = r.strike()
	r.own, r.lock = path, lock
	return err
}

// strike takes our file away. The caller holds the mutex, unless nobody else is left.
func (r *roster) strike() error {
	if r.own == "" {
		return nil
	}
	err := os.Remove(r.own)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	err = errors.Join(err, r.lock.Close())
	r.own, r.lock = "", nil
	return err
}

// leave takes our file away.
func (r *roster) leave() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.strike()
}

// watch looks for members that are gone until ctx ends. What goes wrong is made up for by the end of their sessions.
func (r *roster) watch(ctx context.Context) {
	tick := time.NewTicker(rosterPause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = r.leaveForTheDead(ctx)
		}
	}
}

// leaveForTheDead leaves their groups for the members whose processes are gone.
func (r *roster) leaveForTheDead(ctx context.Context) error {
	if r.dir == "" {
		return nil
	}
	entries, err := os.ReadDir(r.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	r.mu.Lock()
	own := r.own
	r.mu.Unlock()
	var errs []error
	for _, entry := range entries {
		path := filepath.Join(r.dir, entry.Name())
		if path != own && strings.HasSuffix(path, rosterSuffix) {
			errs = append(errs, r.leaveForOne(ctx, path))
		}
	}
	return errors.Join(errs...)
}

func (r *roster) leaveForOne(ctx context.Context, path string) error {
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY)) // a file that is gone meanwhile is not made anew
	defer lock.Close()                                  //nolint:errcheck // the descriptor's end gives the lock back
	dead, err := lock.TryLock()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || !dead {
		return err
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var e rosterEntry
	if err := json.Unmarshal(data, &e); err != nil {
		return errors.Join(fmt.Errorf("read %s: %w", filepath.Base(path), err), os.Remove(path))
	}
	if err := r.topic.leaveFor(ctx, e); err != nil {
		return err
	}
	return os.Remove(path)
}

// leaveFor leaves a group for one of its members. That it is no member any more is no error.
func (t *Topic) leaveFor(ctx context.Context, e rosterEntry) error {
	err := t.once(ctx, func(ctx context.Context) error {
		resp, err := t.client.LeaveGroup(ctx, &kafkago.LeaveGroupRequest{GroupID: e.Group, Members: []kafkago.LeaveGroupRequestMember{{ID: e.Member}}})
		if err != nil {
			return err
		}
		err = resp.Error
		for _, m := range resp.Members {
			err = errors.Join(err, m.Error)
		}
		if errors.Is(err, kafkago.UnknownMemberId) || errors.Is(err, kafkago.GroupIdNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("leave group %s for a member that is gone: %w", e.Group, err)
	}
	return nil
}
