package ingest

import (
	"fmt"
	"slices"
	"time"
)

// A State is where a partition stands between being nobody's and being written.
type State string

// The states. A partition is worked from Claiming on: what it holds is in Kafka and only there until Committing is done.
const (
	StateUnassigned State = "unassigned" // nobody here reads it
	StateClaiming   State = "claiming"   // a commit is to raise its epoch: from then on no older owner's commit counts
	StateSeeking    State = "seeking"    // its watermark is compared with what the topic still has
	StateFilling    State = "filling"    // its messages are read into a buffer
	StateSealing    State = "sealing"    // its buffer is being written as files that nobody sees yet
	StateCommitting State = "committing" // one commit is to make files and watermark true
	StateFenced     State = "fenced"     // somebody else has claimed it: nothing is held, and it is watched
	StatePaused     State = "paused"     // nothing more is read until its reason is gone
	StateHalted     State = "halted"     // it cannot go on without a decision of the operator
)

// States lists every state, in the order of a partition's life.
func States() []State {
	return []State{StateUnassigned, StateClaiming, StateSeeking, StateFilling, StateSealing, StateCommitting, StateFenced,
		StatePaused, StateHalted}
}

// A Reason says why a partition is paused or halted. The list is closed.
type Reason string

// The reasons.
const (
	ReasonDiskFull    Reason = "disk_full"    // paused: what is held is kept, and goes on once there is room
	ReasonRejectStorm Reason = "reject_storm" // paused: too many messages are set aside whole
	ReasonReadErrors  Reason = "read_errors"  // paused: the brokers cannot be read; it is tried again
	ReasonGap         Reason = "gap"          // halted: messages were deleted before they were read
	ReasonRewound     Reason = "rewound"      // halted: the topic was made anew, or lost its end
	ReasonSource      Reason = "other_source" // halted: the lake counts in the offsets of another topic
)

// Reasons lists every reason.
func Reasons() []Reason {
	return []Reason{ReasonDiskFull, ReasonRejectStorm, ReasonReadErrors, ReasonGap, ReasonRewound, ReasonSource}
}

// transitions are the ways from one state to another:
//
//	Unassigned ──► Claiming ──► Seeking ──► Filling ──► Sealing ──► Committing ──► Filling
//	                   ▲           │           │                       │
//	                   └── Fenced ◄┴───────────┴───────────────────────┘          Halted
//
// A commit that is refused leads back: to Seeking when the watermark is not where it should be, to Fenced when the
// partition is somebody else's by now. Every state leads to Unassigned: a partition that is taken away lets go of what
// it holds, which is still in Kafka. Paused lies over the others: whatever a partition was doing, it goes on with it.
func transitions(from State) []State {
	switch from {
	case StateUnassigned:
		return []State{StateClaiming}
	case StateClaiming:
		return []State{StateSeeking, StateHalted, StateUnassigned}
	case StateSeeking:
		return []State{StateFilling, StateSealing, StateClaiming, StateFenced, StateHalted, StateUnassigned}
	case StateFilling:
		return []State{StateSealing, StateSeeking, StateClaiming, StateFenced, StateHalted, StateUnassigned}
	case StateSealing:
		return []State{StateCommitting, StateHalted, StateUnassigned}
	case StateCommitting:
		return []State{StateFilling, StateSeeking, StateFenced, StateHalted, StateUnassigned}
	case StateFenced:
		return []State{StateClaiming, StateHalted, StateUnassigned}
	case StateHalted:
		return []State{StateUnassigned}
	case StatePaused:
	}
	return nil
}

// A partition is one partition of the topic as this process works it.
type partition struct {
	number int32 // in Kafka
	state  State // without Paused
	since  time.Time
	reason Reason // of Halted
	why    error  // what a person reads of it

	generation int   // of the source it was claimed in
	epoch      epoch // ours, once claimed

	buffer *buffer // what was read and is not yet sealed
	sealed *sealed // what is sealed and not yet committed; it ends where the buffer starts

	term     int       // counts its readers: what an earlier one still hands over is not heard
	opened   bool      // its reader has found that the topic has what comes next
	openedAt time.Time // when it last did; zero once that reader has failed
	lost     error     // why its reader ended
	failures int       // of reading, in a row
	retryAt  time.Time // of Claiming, of a crossing, and of reading after a failure

	watch watch // of Fenced
}

// enter moves the partition into a state. A way that is not in the table is a slip in this package, and going on after
// it would be a guess.
func (p *partition) enter(s State, now time.Time) {
	if p.state == s {
		return
	}
	if !slices.Contains(transitions(p.state), s) {
		panic(fmt.Sprintf("ingest: partition %d cannot go from %s to %s", p.number, p.state, s))
	}
	p.state, p.since = s, now
}

// watermark is where bronze stands, as far as this process knows.
func (p *partition) watermark() int64 {
	if p.sealed != nil {
		return p.sealed.start
	}
	return p.buffer.start
}

// holds reports whether anything was read that is not yet in bronze.
func (p *partition) holds() bool { return p.sealed != nil || p.buffer.end > p.buffer.start }

// A Status is what an Ingester is doing, for metrics and for whoever asks whether it is ready.
type Status struct {
	Partitions  []PartitionStatus // in order of number
	MemoryBytes int64             // of the budget in use: messages, and the rows they became
}

// A PartitionStatus is what one partition is doing.
type PartitionStatus struct {
	Partition int32
	State     State
	Reason    Reason // "" unless paused or halted
	Detail    string // the reason as a sentence
	Since     time.Time
	Epoch     int64
	Watermark int64 // the next offset wanted in bronze
	Read      int64 // the next offset wanted from Kafka
}

// Problem returns why not everything is well, nil when it is: which partitions are paused or halted, and what to do.
func (s Status) Problem() error {
	for _, p := range s.Partitions {
		if p.State == StatePaused || p.State == StateHalted {
			return fmt.Errorf("partition %d is %s (%s): %s", p.Partition, p.State, p.Reason, p.Detail)
		}
	}
	return nil
}
