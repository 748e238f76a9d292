package ingest

import (
	"cmp"
	"slices"
	"time"
)

// What makes an estimate of a device's clock.
const (
	clockSyncs      = 5               // the newest ones are looked at
	clockSyncsLeast = 3               // fewer say nothing
	clockSpreadMost = 2 * time.Minute // among syncs of a stable clock
	clockSkewLeast  = 5 * time.Minute // less is what networks and queues do
)

// A Sync is one sync of one device: what its sender's clock said, and what the broker's did.
type Sync struct {
	BatchID    string
	SentAt     time.Time
	ReceivedAt time.Time
}

// skew returns how far the sender's clock was ahead, less the time the batch was on its way.
func (s *Sync) skew() time.Duration { return s.SentAt.Sub(s.ReceivedAt) }

// A Clock says what the syncs of a device tell about the clock they were stamped by.
type Clock struct {
	Syncs  int           // that the estimate is from
	Skew   time.Duration // the median of how far it is ahead; below 0 = behind, or its syncs are long on their way
	Spread time.Duration // between the largest and the smallest
	Known  bool          // there were enough syncs, and they agree
	Wrong  bool          // known, and further off than networks and queues explain
}

// Correction returns what would have to be added to the device's times: 0 unless its clock is known to be wrong.
func (c Clock) Correction() time.Duration {
	if !c.Wrong {
		return 0
	}
	return -c.Skew.Round(time.Second)
}

// EstimateClock estimates a clock from the syncs of a device, given in any order. A batch that was sent several times
// counts once, as it came first: what came again was stamped when it was sent first.
func EstimateClock(syncs []Sync) Clock {
	newest := firstArrivals(syncs)
	slices.SortFunc(newest, func(a, b Sync) int {
		return cmp.Or(b.ReceivedAt.Compare(a.ReceivedAt), cmp.Compare(b.BatchID, a.BatchID))
	})
	newest = newest[:min(clockSyncs, len(newest))]
	c := Clock{Syncs: len(newest)}
	if len(newest) == 0 {
		return c
	}
	skews := make([]time.Duration, len(newest))
	for i := range newest {
		skews[i] = newest[i].skew()
	}
	slices.Sort(skews)
	c.Skew, c.Spread = skews[len(skews)/2], skews[len(skews)-1]-skews[0]
	c.Known = len(newest) >= clockSyncsLeast && c.Spread <= clockSpreadMost
	c.Wrong = c.Known && c.Skew.Abs() > clockSkewLeast
	return c
}

// firstArrivals returns each batch once.
func firstArrivals(syncs []Sync) []Sync {
	first := map[string]Sync{}
	for _, s := range syncs {
		if was, ok := first[s.BatchID]; !ok || s.ReceivedAt.Before(was.ReceivedAt) || s.ReceivedAt.Equal(was.ReceivedAt) && s.SentAt.Before(was.SentAt) {
			first[s.BatchID] = s
		}
	}
	list := make([]Sync, 0, len(first))
	for _, s := range first {
		list = append(list, s)
	}
	return list
}
