package kafka

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

const (
	heartbeatsPerSession = 10                     // so many may be lost before the member is
	hearsWithin          = 500 * time.Millisecond // of a rebalance, which a heartbeat tells
	joinPause            = time.Second
	joinAttempts         = 8
	leaveWithin          = 2 * time.Second
)

// Join is a member of the consumer group until ctx ends; then it leaves the group and returns nil.
//
// For each generation of the group in which this member has partitions it calls work with them, rising, and with a
// context that ends when they are taken away. Work must return within 2 s of that: only then does the member join the
// next generation, so no partition is worked by two members that keep to it. A member that hangs is thrown out by the
// group after Config.SessionTimeout, and another starts while it may still be writing: the group shares out work, it
// does not fence. For a member whose process is gone, the others on its machine leave the group at once (see
// Config.MembersDir).
//
// An error that work returns while its context lives, or one that is not about the context ending, ends the membership
// and is returned. After nil the member joins again.
func (t *Topic) Join(ctx context.Context, groupID string, work func(ctx context.Context, partitions []int32) error) error {
	self := rosterEntry{Group: groupID, Client: t.cfg.ClientID + "-" + rand.Text()}
	stands := &roster{topic: t, dir: t.cfg.MembersDir, dead: map[string]bool{}}
	if err := stands.enter(self); err != nil {
		return fmt.Errorf("join group %s: stand among the members of this machine: %w", groupID, err)
	}
	_ = stands.leaveForTheDead(ctx) // otherwise their sessions have to end
	defer stands.leave()            //nolint:errcheck // whoever finds the file finds the member gone too
	group, err := kafkago.NewConsumerGroup(t.groupConfig(groupID, self.Client))
	if err != nil {
		return fmt.Errorf("join group %s: %w", groupID, err)
	}
	defer t.leave(context.WithoutCancel(ctx), group, self) // who is asked to leave has no time left in ctx
	watching, stop := context.WithCancel(ctx)
	defer stop()
	go stands.watch(watching)

	for failed := 0; ; {
		generation, err := group.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return nil // asked to leave
		case err != nil:
			failed++
			if err = t.explain(ctx, err); failed >= joinAttempts || !canRejoin(err) {
				return fmt.Errorf("join group %s: %w", groupID, err)
			}
			continue
		}
		failed = 0
		if err := t.workGeneration(ctx, generation, work); err != nil {
			return err
		}
	}
}

// leave leaves the group. A join under way is not waited for long: the group answers it only once it has given up on its
// slowest member. Until then nobody knows as which member to leave but the group itself, which is asked.
func (t *Topic) leave(ctx context.Context, group *kafkago.ConsumerGroup, self rosterEntry) {
	left := make(chan struct{})
	go func() {
		defer close(left)
		_ = group.Close() // its error is always nil
	}()
	timer := time.NewTimer(leaveWithin)
	defer timer.Stop()
	select {
	case <-left:
	case <-timer.C:
		ctx, cancel := context.WithTimeout(ctx, leaveWithin)
		defer cancel()
		_, _ = t.leaveFor(ctx, self) // otherwise the session has to end
	}
}

func (t *Topic) groupConfig(groupID, client string) kafkago.ConsumerGroupConfig {
	return kafkago.ConsumerGroupConfig{
		ID:      groupID,
		Brokers: t.cfg.Brokers,
		Topics:  []string{t.cfg.Topic},
		Dialer: &kafkago.Dialer{ClientID: client, DialFunc: t.dial, Timeout: t.cfg.RequestTimeout,
			TLS: t.tls, SASLMechanism: t.login},
		GroupBalancers:         []kafkago.GroupBalancer{kafkago.RangeGroupBalancer{}},
		HeartbeatInterval:      min(t.cfg.SessionTimeout/heartbeatsPerSession, hearsWithin),
		SessionTimeout:         t.cfg.SessionTimeout,
		RebalanceTimeout:       t.cfg.SessionTimeout,
		JoinGroupBackoff:       joinPause,
		Timeout:                t.cfg.SessionTimeout / 2, // so that a silent coordinator is noticed before the session ends
		WatchPartitionChanges:  true,
		PartitionWatchInterval: t.cfg.SessionTimeout / 2,
	}
}

// canRejoin reports whether joining anew may help: also after being thrown out, which a pause of the process can cause.
func canRejoin(err error) bool {
	return isTemporary(err) || errors.Is(err, kafkago.RebalanceInProgress) || errors.Is(err, kafkago.UnknownMemberId) ||
		errors.Is(err, kafkago.IllegalGeneration) || errors.Is(err, kafkago.MemberIDRequired)
}

// workGeneration has the partitions of one generation worked until it ends.
func (t *Topic) workGeneration(ctx context.Context, generation *kafkago.Generation, work func(context.Context, []int32) error) error {
	var partitions []int32
	for _, p := range generation.Assignments[t.cfg.Topic] {
		partitions = append(partitions, int32(p.ID))
	}
	slices.Sort(partitions)

	t.setGeneration(generation.GroupID, generation)
	defer t.setGeneration(generation.GroupID, nil)
	done := make(chan error, 1)
	generation.Start(func(ended context.Context) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(ended, cancel)()
		if len(partitions) == 0 {
			<-ctx.Done()
			done <- nil
			return
		}
		err := work(ctx, partitions)
		if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
			err = nil // the answer to having been asked to end
		}
		done <- err
	})
	return <-done
}

func (t *Topic) setGeneration(groupID string, generation *kafkago.Generation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.generations[groupID] = generation
}

// Hint tells the cluster how far the topic has been taken care of, for the tools that watch how far behind a group is.
// Nothing here ever reads it: where to go on is the lake's to know. Within Join it speaks as that member, which may only
// be while the generation lasts; otherwise it is refused while the group has members.
func (t *Topic) Hint(ctx context.Context, groupID string, next map[int32]int64) error {
	if len(next) == 0 {
		return nil
	}
	t.mu.Lock()
	generation := t.generations[groupID]
	t.mu.Unlock()
	req := &kafkago.OffsetCommitRequest{GroupID: groupID, GenerationID: -1, Topics: map[string][]kafkago.OffsetCommit{}}
	if generation != nil {
		req.GenerationID, req.MemberID = int(generation.ID), generation.MemberID
	}
	for partition, offset := range next {
		req.Topics[t.cfg.Topic] = append(req.Topics[t.cfg.Topic], kafkago.OffsetCommit{Partition: int(partition), Offset: offset})
	}
	err := t.once(ctx, func(ctx context.Context) error {
		resp, err := t.client.OffsetCommit(ctx, req)
		if err != nil {
			return err
		}
		for _, p := range resp.Topics[t.cfg.Topic] {
			if p.Error != nil {
				return fmt.Errorf("partition %d: %w", p.Partition, p.Error)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("hint group %s at its offsets: %w", groupID, err)
	}
	return nil
}
