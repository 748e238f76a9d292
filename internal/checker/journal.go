package checker

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// A Message is a line of the journal: what the producer was told lies at one offset of the topic.
type Message struct {
	Partition int32 `json:"partition"`
	Offset    int64 `json:"offset"`
	AtMS      int64 `json:"at_ms"` // the broker's time

	// Batch is what must be taken of the message. What of it must be set aside is not part of it but counted in Aside,
	// by reason. It is nil when nobody can decode the message: it is then a dead letter, whose bytes have this SHA-256
	// ("" = they may be cut) for this reason ("" = whichever).
	Batch   *Batch         `json:"batch,omitempty"`
	Aside   map[string]int `json:"aside,omitempty"`
	Refused string         `json:"refused,omitempty"`
	SHA256  string         `json:"sha256,omitempty"`
}

// A Batch is the content of a message, in the checker's own words. Times are milliseconds since 1970-01-01 UTC.
type Batch struct {
	ID     string `json:"id"`
	User   string `json:"user"`
	Device string `json:"device"`
	Epoch  int32  `json:"epoch,omitempty"`
	Seq    int64  `json:"seq,omitempty"`
	Source string `json:"source,omitempty"` // "" = native

	Series    []Series   `json:"series,omitempty"`
	Segments  []Segment  `json:"segments,omitempty"`
	RRRuns    []RRRun    `json:"rr_runs,omitempty"`
	Workouts  []Workout  `json:"workouts,omitempty"`
	Readings  []Reading  `json:"readings,omitempty"`
	Summaries []Summary  `json:"summaries,omitempty"`
	Events    []Event    `json:"events,omitempty"`
	Deletions []Deletion `json:"deletions,omitempty"`
}

// A Series is values that follow each other at a period, or at times of their own (ms from the start); null is missing.
type Series struct {
	Metric    string   `json:"metric"`
	StartMS   int64    `json:"start_ms"`
	OffsetMin int32    `json:"offset_min,omitempty"`
	PeriodMS  int32    `json:"period_ms,omitempty"`
	AtMS      []int32  `json:"times_ms,omitempty"`
	Values    []*int32 `json:"values"`
}

// A Segment is a stretch of one sleep stage.
type Segment struct {
	StartMS        int64  `json:"start_ms"`
	EndMS          int64  `json:"end_ms"`
	StartOffsetMin int32  `json:"start_offset_min,omitempty"`
	EndOffsetMin   int32  `json:"end_offset_min,omitempty"`
	Stage          string `json:"stage"`
}

// An RRRun is an unbroken run of intervals between beats.
type RRRun struct {
	StartMS     int64   `json:"start_ms"`
	OffsetMin   int32   `json:"offset_min,omitempty"`
	IntervalsMS []int32 `json:"intervals_ms"`
}

// A Workout is a workout with its totals by metric and its tracks.
type Workout struct {
	ID             string           `json:"id"`
	Sport          string           `json:"sport"`
	StartMS        int64            `json:"start_ms"`
	EndMS          int64            `json:"end_ms"`
	StartOffsetMin int32            `json:"start_offset_min,omitempty"`
	EndOffsetMin   int32            `json:"end_offset_min,omitempty"`
	Totals         map[string]int32 `json:"totals,omitempty"`
	Track          []Series         `json:"track,omitempty"`
}

// A Reading is a single measurement.
type Reading struct {
	Metric    string `json:"metric"`
	TimeMS    int64  `json:"time_ms"`
	OffsetMin int32  `json:"offset_min,omitempty"`
	Value     int32  `json:"value"`
}

// A Summary is a day's figure; the date is in days since 1970-01-01.
type Summary struct {
	Metric string `json:"metric"`
	Date   int32  `json:"date"`
	Value  int32  `json:"value"`
}

// An Event is something that was true at a time.
type Event struct {
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	StartMS   int64  `json:"start_ms"`
	EndMS     int64  `json:"end_ms,omitempty"` // 0 = no end known
	OffsetMin int32  `json:"offset_min,omitempty"`
	Value     *int32 `json:"value,omitempty"`
	Text      string `json:"text,omitempty"`
}

// A Deletion hides what was recorded in [from, to).
type Deletion struct {
	AllDevices bool   `json:"all_devices,omitempty"`
	Metric     string `json:"metric"`
	FromMS     int64  `json:"from_ms"`
	ToMS       int64  `json:"to_ms"`
}

// A Journal is all messages that a producer was told are stored. It may be written by one goroutine and read by others.
type Journal struct {
	mu       sync.Mutex
	out      *json.Encoder // nil = kept in memory alone
	messages []Message
}

// NewJournal returns an empty journal that also writes every message to w as a line of JSON; w may be nil.
func NewJournal(w io.Writer) *Journal {
	j := &Journal{}
	if w != nil {
		j.out = json.NewEncoder(w)
	}
	return j
}

// ReadJournal reads what a Journal wrote.
func ReadJournal(r io.Reader) (*Journal, error) {
	j := NewJournal(nil)
	lines := json.NewDecoder(bufio.NewReader(r))
	for {
		var m Message
		err := lines.Decode(&m)
		if errors.Is(err, io.EOF) {
			return j, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read journal after %d messages: %w", len(j.messages), err)
		}
		j.messages = append(j.messages, m)
	}
}

// Add adds messages that were acknowledged.
func (j *Journal) Add(messages ...Message) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.messages = append(j.messages, messages...)
	if j.out == nil {
		return nil
	}
	for i := range messages {
		if err := j.out.Encode(&messages[i]); err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
	}
	return nil
}

// Len returns how many messages there are.
func (j *Journal) Len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.messages)
}

// A Position is an offset of a partition.
type Position struct {
	Partition int32
	Offset    int64
}

// Positions returns where the messages lie.
func (j *Journal) Positions() map[Position]bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	at := make(map[Position]bool, len(j.messages))
	for i := range j.messages {
		at[Position{j.messages[i].Partition, j.messages[i].Offset}] = true
	}
	return at
}

// Ends returns, by partition, the offset after the last message.
func (j *Journal) Ends() map[int32]int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	ends := map[int32]int64{}
	for i := range j.messages {
		m := &j.messages[i]
		ends[m.Partition] = max(ends[m.Partition], m.Offset+1)
	}
	return ends
}

// sorted returns the messages in order of partition and offset.
func (j *Journal) sorted() []Message {
	j.mu.Lock()
	messages := slices.Clone(j.messages)
	j.mu.Unlock()
	slices.SortStableFunc(messages, func(a, b Message) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	return messages
}

func (b *Batch) source() string {
	if b.Source == "" {
		return "native"
	}
	return b.Source
}

// each calls do with every value that is there.
func (s *Series) each(do func(atMS int64, value int32)) {
	for i, v := range s.Values {
		if v == nil {
			continue
		}
		at := s.StartMS + int64(i)*int64(s.PeriodMS)
		if s.AtMS != nil {
			at = s.StartMS + int64(s.AtMS[i])
		}
		do(at, *v)
	}
}

const dayMS = 24 * 60 * 60 * 1000

// dateOf returns the local date of an instant, in days since 1970-01-01.
func dateOf(atMS int64, offsetMin int32) int32 {
	local := atMS + int64(offsetMin)*60_000
	day := local / dayMS
	if local%dayMS < 0 {
		day--
	}
	return int32(day)
}
