package kafka

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// holders knows who works which partition, and notices when two do.
type holders struct {
	mu    sync.Mutex
	of    map[int32]string
	fault error
}

func (h *holders) take(who string, partitions []int32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range partitions {
		if other, taken := h.of[p]; taken {
			h.fault = fmt.Errorf("partition %d is worked by %s and %s", p, other, who)
		}
		h.of[p] = who
	}
}

func (h *holders) release(who string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for p, other := range h.of {
		if other == who {
			delete(h.of, p)
		}
	}
}

// check returns nil when the partitions are all worked, and by exactly these members.
func (h *holders) check(partitions int, members []string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fault != nil {
		return h.fault
	}
	working := map[string]bool{}
	for _, who := range h.of {
		working[who] = true
	}
	if len(h.of) != partitions || len(working) != min(len(members), partitions) {
		return fmt.Errorf("%d of %d partitions are worked, by %d of %d members: %v", len(h.of), partitions, len(working), len(members), h.of)
	}
	for _, who := range members {
		if !working[who] {
			return fmt.Errorf("member %s works nothing", who)
		}
	}
	return nil
}

// A member of a group that can be killed: its connections fall silent without a word.
type member struct {
	name  string
	file  string // in the roster
	leave context.CancelFunc
	dead  chan struct{} // closed by a kill
	done  chan error
}

func (c *cluster) joinGroup(t *testing.T, topic, group, name string, session time.Duration, h *holders) *member {
	t.Helper()
	cfg := c.config(topic)
	cfg.SessionTimeout = session
	return joinGroupAs(t, cfg, group, name, h)
}

func joinGroupAs(t *testing.T, cfg Config, group, name string, h *holders) *member {
	t.Helper()
	m := &member{name: name, dead: make(chan struct{}), done: make(chan error, 1)}
	cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &mortalConn{Conn: conn, dead: m.dead}, nil
	}
	opened := openWith(t, cfg)
	ctx, leave := context.WithCancel(t.Context())
	m.leave = leave
	go func() {
		m.done <- opened.Join(ctx, group, func(ctx context.Context, partitions []int32) error {
			h.take(name, partitions)
			defer h.release(name)
			select {
			case <-ctx.Done():
			case <-m.dead:
			}
			return ctx.Err()
		})
	}()
	return m
}

// mortalConn is a connection of a process that can be killed without its system saying goodbye for it.
type mortalConn struct {
	net.Conn
	dead chan struct{}
}

func (c *mortalConn) Write(b []byte) (int, error) {
	select {
	case <-c.dead:
		return len(b), nil
	default:
		return c.Conn.Write(b)
	}
}

func (c *cluster) groupSharesOut(t *testing.T) {
	t.Parallel()
	const partitions = 6
	topic := c.NewTopic(t, partitions)
	h := &holders{of: map[int32]string{}}
	rng := rand.New(rand.NewPCG(20, 1))
	var members []*member
	names := func() (all []string) {
		for _, m := range members {
			all = append(all, m.name)
		}
		return all
	}
	counts := map[string]int{}
	for event := range 20 {
		what := "join"
		if len(members) > 1 {
			what = []string{"join", "leave", "kill"}[rng.IntN(3)]
		}
		if len(members) == 4 && what == "join" {
			what = "leave"
		}
		counts[what]++
		switch what {
		case "join":
			members = append(members, c.joinGroup(t, topic, "workers", fmt.Sprint("member ", event), 3*time.Second, h))
		case "leave":
			i := rng.IntN(len(members))
			members[i].leave()
			if err := <-members[i].done; err != nil {
				t.Fatalf("leave: %v", err)
			}
			members = slices.Delete(members, i, i+1)
		case "kill":
			i := rng.IntN(len(members))
			close(members[i].dead)
			h.release(members[i].name)
			defer func(m *member) {
				m.leave()
				<-m.done
			}(members[i])
			members = slices.Delete(members, i, i+1)
		}
		c.Until(t, what, func() error { return h.check(partitions, names()) })
	}
	for _, m := range members {
		m.leave()
		if err := <-m.done; err != nil {
			t.Errorf("leave: %v", err)
		}
	}
	t.Logf("%v", counts)
}

// A group answers a join only once all its members have joined or are given up.
func (c *cluster) leavingWaitsForNobody(t *testing.T) {
	t.Parallel()
	name := c.NewTopic(t, 1)
	topic := c.open(t, name)
	h := &holders{of: map[int32]string{}}
	hanging := c.joinGroup(t, name, "slow", "hanging", 20*time.Second, h)
	c.Until(t, "join", func() error { return h.check(1, []string{"hanging"}) })
	close(hanging.dead)
	ctx, leave := context.WithTimeout(t.Context(), time.Second)
	defer leave()
	start := time.Now()
	err := topic.Join(ctx, "slow", func(ctx context.Context, _ []int32) error {
		<-ctx.Done()
		return nil
	})
	if took := time.Since(start); err != nil || took > 6*time.Second {
		t.Errorf("leaving took %s: %v", took, err)
	}
	// And nobody waits for who has left, though its join was under way: the member that hangs is the only one.
	request := kmsg.NewPtrDescribeGroupsRequest()
	request.Groups = []string{"slow"}
	resp, err := request.RequestWith(t.Context(), c.Admin)
	if err != nil {
		t.Fatal(err)
	}
	if members := resp.Groups[0].Members; len(members) != 1 {
		t.Errorf("the group has %d members, want the one that hangs", len(members))
	}
	hanging.leave()
	<-hanging.done
}

// The session lasts longer than the test waits, and the member that is left behind first is a neighbour's to notice, the
// next one whoever comes after it.
func (c *cluster) theDeadAreLeftFor(t *testing.T) {
	t.Parallel()
	const partitions, session = 4, 2 * time.Minute
	name, h := c.NewTopic(t, partitions), &holders{of: map[int32]string{}}
	cfg := c.config(name)
	cfg.SessionTimeout, cfg.MembersDir = session, filepath.Join(t.TempDir(), "members")
	group := "mortals " + name
	kill := func(m *member) {
		t.Helper()
		path := filepath.Join(cfg.MembersDir, m.file)
		line, err := os.ReadFile(path)
		close(m.dead)
		h.release(m.name)
		m.leave() // nobody hears it
		<-m.done
		// What a process that was killed leaves is a file that nobody holds.
		if err = errors.Join(err, os.WriteFile(path, line, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	known := map[string]bool{}
	join := func(name string) *member {
		m := joinGroupAs(t, cfg, group, name, h)
		c.Until(t, name+" stands in the roster", func() error {
			files, err := os.ReadDir(cfg.MembersDir)
			for _, f := range files {
				if strings.HasSuffix(f.Name(), rosterSuffix) && !known[f.Name()] {
					m.file, known[f.Name()] = f.Name(), true
					return nil
				}
			}
			return errors.Join(err, errors.New("it does not"))
		})
		return m
	}
	one := join("one")
	c.Until(t, "the first joins", func() error { return h.check(partitions, []string{"one"}) })
	two := join("two")
	c.Until(t, "the second joins", func() error { return h.check(partitions, []string{"one", "two"}) })
	start := time.Now()
	kill(one)
	c.Until(t, "the second takes over", func() error { return h.check(partitions, []string{"two"}) })
	t.Logf("a neighbour took over after %s", time.Since(start).Round(10*time.Millisecond))
	kill(two)
	start = time.Now()
	three := join("three")
	c.Until(t, "the third takes over", func() error { return h.check(partitions, []string{"three"}) })
	t.Logf("the next one took over after %s", time.Since(start).Round(10*time.Millisecond))
	// One that is killed before it knows that it is a member is missed as well.
	joining := join("joining")
	kill(joining)
	c.Until(t, "the third goes on alone", func() error {
		left, err := os.ReadDir(cfg.MembersDir)
		if err == nil && len(left) > 1 {
			err = fmt.Errorf("%d members stand in the roster", len(left))
		}
		return errors.Join(err, h.check(partitions, []string{"three"}))
	})
	three.leave()
	if err := <-three.done; err != nil {
		t.Errorf("leave: %v", err)
	}
	if left, err := os.ReadDir(cfg.MembersDir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func (c *cluster) workEndsMembership(t *testing.T) {
	t.Parallel()
	topic := c.open(t, c.NewTopic(t, 2))
	broken := errors.New("broken")
	if err := topic.Join(t.Context(), "g "+topic.Identity().Topic, func(context.Context, []int32) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("Join returns %v", err)
	}
	// nil is no error: the member joins again.
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	calls := 0
	err := topic.Join(ctx, "g "+topic.Identity().Topic, func(ctx context.Context, partitions []int32) error {
		if calls++; calls == 3 {
			leave()
			<-ctx.Done()
			return ctx.Err()
		}
		if !slices.Equal(partitions, []int32{0, 1}) {
			t.Errorf("partitions %v", partitions)
		}
		return nil
	})
	if err != nil || calls != 3 {
		t.Errorf("after %d calls Join returns %v", calls, err)
	}
	// Work that cannot be made an end of says so, also when it was asked to end.
	ctx, leave = context.WithCancel(t.Context())
	err = topic.Join(ctx, "g "+topic.Identity().Topic, func(context.Context, []int32) error {
		leave()
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("work could not end well, and Join returns %v", err)
	}
}

func (c *cluster) hintIsAHint(t *testing.T) {
	name := c.NewTopic(t, 2)
	topic := c.open(t, name)
	committed := func() map[int32]int64 {
		t.Helper()
		group := kmsg.NewOffsetFetchRequestGroup()
		group.Group = "tools " + name
		req := kmsg.NewPtrOffsetFetchRequest()
		req.Group, req.Groups = group.Group, append(req.Groups, group)
		resp, err := req.RequestWith(t.Context(), c.Admin)
		if err == nil {
			err = kerr.ErrorForCode(resp.Groups[0].ErrorCode)
		}
		if err != nil {
			t.Fatal(err)
		}
		got := map[int32]int64{}
		for _, tp := range resp.Groups[0].Topics {
			for _, p := range tp.Partitions {
				got[p.Partition] = p.Offset
			}
		}
		return got
	}
	hint := func(next map[int32]int64) error { return topic.Hint(t.Context(), "tools "+name, next) }
	if err := hint(nil); err != nil {
		t.Errorf("nothing to say: %v", err)
	}
	c.Until(t, "hint", func() error { return hint(map[int32]int64{0: 7, 1: 0}) })
	if got := committed(); got[0] != 7 || got[1] != 0 || len(got) != 2 {
		t.Errorf("committed is %v", got)
	}
	stranger := c.open(t, name)
	err := topic.Join(t.Context(), "tools "+name, func(ctx context.Context, _ []int32) error {
		if err := hint(map[int32]int64{0: 9}); err != nil {
			return err
		}
		// Another process is refused while the group has members, and says so.
		if err := stranger.Hint(ctx, "tools "+name, map[int32]int64{0: 1}); err == nil || !strings.Contains(err.Error(), "hint") {
			t.Errorf("a stranger's hint: %v", err)
		}
		return errEnough
	})
	if !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	if got := committed(); got[0] != 9 {
		t.Errorf("committed is %v", got)
	}
	// And nothing reads it: a source begins where it is told.
	publish(t, topic, "a")
	for _, p := range topic.Partitions() {
		if s := sourceOf(t, topic, p, 0); s.Next() != 0 {
			t.Errorf("partition %d begins at %d", p, s.Next())
		}
	}
}

var errEnough = errors.New("enough")
