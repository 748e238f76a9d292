package ingest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake"
)

// The properties of bronze by which ingest knows where it stands. Watermarks are in lake.IngestWatermark.
const (
	propertySource     = "ingest.source"     // the cluster and topic that the watermarks count in
	propertyGeneration = "ingest.generation" // how many sources came before it; absent = none
	propertyPastSource = "ingest.source."    // + generation: the sources before
	propertyEpoch      = "ingest.ep."        // + partition: who may commit it
	propertyMovedBy    = "ingest.by."        // + partition: the epoch in which the watermark was moved last, for whoever checks
)

// generationSize is how far apart the partitions of two sources lie. Kafka clusters have fewer partitions in all.
const generationSize = 1_000_000

// maxGeneration is the last one whose partitions have a number.
const maxGeneration = math.MaxInt32/generationSize - 1

// lakePartition returns the number under which bronze, and all that follows from it, knows a partition of a source.
func lakePartition(kafkaPartition int32, generation int) int32 {
	return kafkaPartition + int32(generation)*generationSize
}

// An epoch says who may commit a partition: the owner who raised it last.
type epoch struct {
	number int64
	owner  string
}

// String returns number:owner, as it stands in the property.
func (e epoch) String() string { return strconv.FormatInt(e.number, 10) + ":" + e.owner }

// parseEpoch reads the property; "" is the epoch of a partition that was never claimed.
func parseEpoch(s string) (epoch, error) {
	if s == "" {
		return epoch{}, nil
	}
	number, owner, ok := strings.Cut(s, ":")
	n, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || n < 1 || owner == "" {
		return epoch{}, fmt.Errorf("epoch %q is not NUMBER:OWNER", s)
	}
	return epoch{number: n, owner: owner}, nil
}

// A place is what the properties of bronze say of one partition.
type place struct {
	watermark int64
	epoch     epoch
}

// marks are what the properties of bronze say about ingest.
type marks struct {
	source     string // "" = the lake was never filled
	generation int
	properties map[string]string
}

func readMarks(properties map[string]string) (marks, error) {
	m := marks{source: properties[propertySource], properties: properties}
	if g := properties[propertyGeneration]; g != "" {
		var err error
		if m.generation, err = strconv.Atoi(g); err != nil || m.generation < 0 || m.generation > maxGeneration {
			return marks{}, fmt.Errorf("property %s is %q, which is no generation", propertyGeneration, g)
		}
	}
	return m, nil
}

// of returns the place of a partition of the current source.
func (m marks) of(kafkaPartition int32) (place, error) {
	suffix := strconv.Itoa(int(lakePartition(kafkaPartition, m.generation)))
	var at place
	var err error
	if wm := m.properties[lake.IngestWatermark+suffix]; wm != "" {
		if at.watermark, err = strconv.ParseInt(wm, 10, 64); err != nil || at.watermark < 0 {
			return place{}, fmt.Errorf("watermark of partition %d is %q, which is no offset", kafkaPartition, wm)
		}
	}
	at.epoch, err = parseEpoch(m.properties[propertyEpoch+suffix])
	return at, err
}

// LakePositions returns positions in a topic as positions in the lake whose bronze is at the snapshot: what counts in
// the offsets of one source lies under other partitions there than what counts in those of another. ok is false as long
// as the lake has not begun with the topic.
func LakePositions(bronze *lake.Snapshot, topic kafka.Identity, positions kafka.Positions) (in map[int32]int64, ok bool, err error) {
	m, err := readMarks(bronze.Properties)
	if err != nil || m.source == "" || !topic.Matches(m.source) {
		return nil, false, err
	}
	in = make(map[int32]int64, len(positions))
	for p, offset := range positions {
		in[lakePartition(p, m.generation)] = offset
	}
	return in, true, nil
}

// A watch is how a fenced partition is looked after: as long as its owner gets on, nobody disturbs it.
type watch struct {
	last  place     // when it was looked at last
	until time.Time // when it is looked at again
	turns int       // how often in a row we were fenced: the pauses grow with it
}
