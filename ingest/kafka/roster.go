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
	"time"

	"github.com/gofrs/flock"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// rosterPause is how often a member looks for others of its machine that are gone.
const rosterPause = 500 * time.Millisecond

// A roster is a folder in which the members of groups on one machine stand: a file each, which its process holds locked.
// The lock of a process that was killed ends with it, at once and whatever it was doing, while the group would wait for
// the session to end. So whoever finds a file that is not locked, a neighbour or the next process, leaves the group for
// its member. A process that is only frozen keeps its lock and its session.
//
// A member is known by a client id of its own and not by its member id: that one it learns only when it has joined, and
// it may be killed before.
type roster struct {
	topic *Topic
	dir   string
	own   string       // our file; "" = there is none
	lock  *flock.Flock // on it

	dead map[string]bool // files that were found unlocked before; of one goroutine at a time
}

// A rosterEntry is what stands in a file.
type rosterEntry struct {
	Group  string `json:"group"`
	Client string `json:"client"`
}

const (
	rosterSuffix = ".member"
	rosterTemp   = ".writing-"
)

// enter writes down that this process is about to be a member of a group.
func (r *roster) enter(e rosterEntry) error {
	if r.dir == "" {
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
	path := filepath.Join(r.dir, e.Client+rosterSuffix)
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
	r.own, r.lock = path, lock
	return nil
}

// leave takes our file away.
func (r *roster) leave() error {
	if r.own == "" {
		return nil
	}
	err := os.Remove(r.own)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, r.lock.Close())
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
	var errs []error
	for _, entry := range entries {
		path := filepath.Join(r.dir, entry.Name())
		if path != r.own && strings.HasSuffix(path, rosterSuffix) {
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
	left, err := r.topic.leaveFor(ctx, e)
	if err != nil {
		return err
	}
	if left > 0 || !r.dead[path] {
		r.dead[path] = true // what it had sent before it died may be on its way still: look once more
		return nil
	}
	delete(r.dead, path)
	return os.Remove(path)
}

// leaveFor leaves a group for its members of a client id, and returns how many there were.
func (t *Topic) leaveFor(ctx context.Context, e rosterEntry) (left int, err error) {
	err = t.once(ctx, func(ctx context.Context) error {
		describe := kmsg.NewPtrDescribeGroupsRequest()
		describe.Groups = []string{e.Group}
		described, err := askCoordinator[*kmsg.DescribeGroupsResponse](ctx, t, e.Group, exchange{req: describe, maxVersion: maxDescribeGroupsVersion})
		if err != nil {
			return err
		}
		leave := kmsg.NewPtrLeaveGroupRequest()
		leave.Group = e.Group
		for _, group := range described.Groups {
			if code := kafkago.Error(group.ErrorCode); code != 0 && code != kafkago.GroupIdNotFound {
				return code
			}
			for _, m := range group.Members {
				if m.ClientID == e.Client {
					member := kmsg.NewLeaveGroupRequestMember()
					member.MemberID = m.MemberID
					leave.MemberID, leave.Members = m.MemberID, append(leave.Members, member) // one or the other, by the version
				}
			}
		}
		if left = len(leave.Members); left == 0 {
			return nil
		}
		answer, err := askCoordinator[*kmsg.LeaveGroupResponse](ctx, t, e.Group, exchange{req: leave, maxVersion: maxLeaveGroupVersion})
		if err != nil {
			return err
		}
		codes := []int16{answer.ErrorCode}
		for _, m := range answer.Members {
			codes = append(codes, m.ErrorCode)
		}
		for _, code := range codes {
			if code := kafkago.Error(code); code != 0 && code != kafkago.UnknownMemberId { // a neighbour was quicker
				return code
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("leave group %s for a member that is gone: %w", e.Group, err)
	}
	return left, nil
}
